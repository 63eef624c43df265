#include "server/recompute.h"

#include <vector>

#include "command/codec.h"
#include "engine/engine.h"
#include "engine/views.h"
#include "journal/inspect.h"

namespace halocline {

Result<Recomputed> recompute(Disk& disk, const std::string& directory, Seq at) {
  Engine engine;
  std::vector<AlertEvent> events;
  Status failed;
  JournalVisitor visitor;
  visitor.on_record = [&](const BlockInfo& block, const Record& record) {
    if (!failed.ok() || record.seq > at) return;
    if (record.seq != engine.last_seq() + 1) {
      failed = Status(Code::kDataLoss, "the journal has no seq " + std::to_string(engine.last_seq() + 1) + " where it belongs");
      return;
    }
    const auto type = static_cast<CommandType>(record.type);
    Command command;
    if (!decode(type, record.payload, command)) {
      failed = Status(Code::kUnsupported, "the record at seq " + std::to_string(record.seq) + " of type " + std::to_string(record.type) +
                                              " is no command this program knows");
      return;
    }
    engine.apply(record.seq, block.view.time, command, events);
    events.clear();
  };
  const Result<JournalReport> walked = walk_journal(disk, directory, visitor);
  if (!walked.ok()) return walked.status();
  if (!failed.ok()) return failed;
  const bool reached = at == kToTheEnd ? walked.value().ok() : engine.last_seq() == at;
  if (!reached && !walked.value().ok()) {
    const JournalProblem& first = walked.value().problems.front();
    return Status(Code::kDataLoss, first.path + " at offset " + std::to_string(first.offset) + ": " + first.text);
  }
  if (!reached) {
    return Status(Code::kNotFound, "the journal ends at seq " + std::to_string(engine.last_seq()) + ", before " + std::to_string(at));
  }
  const Snapshot books = engine.snapshot();
  return Recomputed{engine.last_seq(), engine.last_time(), views::state_digest(*books)};
}

}  // namespace halocline
