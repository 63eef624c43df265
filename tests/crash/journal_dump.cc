// A journal's commands as JSON lines, in the fields of the oracle (tests/oracle/driver.cc): what the model is fed with. It reads the
// files with the journal's own reader and the commands with the codec, and runs no engine, but when asked to:
//
//   journal_dump DIRECTORY            {"seq":1,"time":…,"type":"Firm",…} for each record
//   journal_dump --digest DIRECTORY   {"records":n,"last_seq":n,"events":n,"trades":"…","digest":"…"} after the engine of this build has
//                                     applied them all; "trades" is the digest of trades and positions without seqs
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "command/codec.h"
#include "engine/engine.h"
#include "engine/views.h"
#include "journal/archived_disk.h"
#include "journal/inspect.h"

namespace {

using namespace halocline;
using nlohmann::ordered_json;

template <class Enum>
int code(Enum value) {
  return static_cast<int>(value);
}

ordered_json json_of(const Timer&) { return {{"type", "Timer"}}; }
ordered_json json_of(const Trade& c) {
  return {{"type", "Trade"}, {"source", c.source}, {"trade_id", c.trade_id}, {"version", c.version}, {"action", code(c.action)},
          {"book", c.book}, {"trader", c.trader}, {"counterparty", c.counterparty}, {"instrument", c.instrument},
          {"side", code(c.side)}, {"quantity", c.quantity}, {"price", c.price}, {"fees", c.fees}, {"trade_time", c.trade_time}};
}
ordered_json json_of(const Price& c) {
  return {{"type", "Price"}, {"instrument", c.instrument}, {"price", c.price}, {"price_time", c.price_time}};
}
ordered_json json_of(const FxRate& c) {
  return {{"type", "FxRate"}, {"currency", c.currency}, {"rate", c.rate}, {"rate_time", c.rate_time}};
}
ordered_json json_of(const Firm& c) { return {{"type", "Firm"}, {"name", c.name}, {"currency", c.currency}}; }
ordered_json json_of(const Currency& c) { return {{"type", "Currency"}, {"code", c.code}, {"rate", c.rate}}; }
ordered_json json_of(const Desk& c) { return {{"type", "Desk"}, {"name", c.name}}; }
ordered_json json_of(const Book& c) { return {{"type", "Book"}, {"name", c.name}, {"desk", c.desk}}; }
ordered_json json_of(const Trader& c) { return {{"type", "Trader"}, {"name", c.name}, {"desk", c.desk}}; }
ordered_json json_of(const Counterparty& c) { return {{"type", "Counterparty"}, {"name", c.name}}; }
ordered_json json_of(const Instrument& c) {
  return {{"type", "Instrument"}, {"symbol", c.symbol}, {"kind", code(c.kind)}, {"currency", c.currency}, {"multiplier", c.multiplier},
          {"underlying", c.underlying}, {"sector", c.sector}, {"issuer", c.issuer}, {"expiry", c.expiry}, {"stale_after", c.stale_after}};
}
ordered_json json_of(const Rename& c) { return {{"type", "Rename"}, {"kind", code(c.kind)}, {"from", c.from}, {"to", c.to}}; }
ordered_json json_of(const EndOfDay& c) { return {{"type", "EndOfDay"}, {"date", c.date}}; }
ordered_json json_of(const Limit& c) {
  return {{"type", "Limit"}, {"name", c.name}, {"kind", code(c.kind)}, {"node", c.node}, {"measure", code(c.measure)},
          {"warn", to_digits(c.warn)}, {"breach", to_digits(c.breach)}, {"hysteresis", c.hysteresis}, {"hard", c.hard},
          {"owner", c.owner}, {"escalate_after", c.escalate_after}};
}
ordered_json json_of(const LimitRemove& c) { return {{"type", "LimitRemove"}, {"name", c.name}}; }
ordered_json json_of(const AlertAck& c) { return {{"type", "AlertAck"}, {"alert_id", c.alert_id}, {"by", c.by}, {"note", c.note}}; }
ordered_json json_of(const TradeReport& c) {
  ordered_json json = json_of(c.trade);
  json["type"] = "TradeReport";
  json.update({{"reference", c.reference}, {"desk", c.desk}, {"currency", c.currency}, {"park", c.park}});
  return json;
}
ordered_json json_of(const FixReceived& c) {
  return {{"type", "FixReceived"}, {"session", c.session}, {"number", c.number}, {"commands", c.commands}, {"reply", code(c.reply)},
          {"message_type", c.message_type}, {"answer", c.answer}};
}
ordered_json json_of(const FixSent& c) {
  return {{"type", "FixSent"}, {"session", c.session}, {"number", c.number}, {"answers", c.answers}, {"message", c.message}};
}
ordered_json json_of(const FixReserved& c) { return {{"type", "FixReserved"}, {"session", c.session}, {"number", c.number}}; }
ordered_json json_of(const FixReset& c) { return {{"type", "FixReset"}, {"session", c.session}}; }
ordered_json json_of(const QueryCreate& c) {
  return {{"type", "QueryCreate"}, {"name", c.name}, {"severity", code(c.severity)}, {"sql", c.sql}};
}
ordered_json json_of(const QueryDrop& c) { return {{"type", "QueryDrop"}, {"name", c.name}, {"alert", c.alert}}; }

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "journal_dump: %s\n", what.c_str());
  std::exit(1);
}

void print_command(const BlockInfo& block, const Record& record) {
  Command command;
  if (!decode(static_cast<CommandType>(record.type), record.payload, command)) fail("record " + std::to_string(record.seq) + " does not decode");
  ordered_json line{{"seq", record.seq}, {"time", block.header.time}};
  line.update(std::visit([](const auto& one) { return json_of(one); }, command));
  std::puts(line.dump().c_str());
}

JournalReport walk(const char* directory, const JournalVisitor& visitor) {
  PosixDisk posix;
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, directory, [&posix](const std::string& folder) {
    return Result<std::unique_ptr<SegmentArchive>>(std::make_unique<FolderArchive>(posix, folder));
  });
  if (!disk.ok()) fail(disk.status().message());
  Result<JournalReport> report = walk_journal(*disk.value(), directory, visitor);
  if (!report.ok()) fail(report.status().message());
  for (const JournalProblem& problem : report.value().problems) {
    fail(problem.path + " at offset " + std::to_string(problem.offset) + ": " + problem.text);
  }
  return report.take();
}

}  // namespace

int main(int argc, char** argv) {
  const bool digest = argc == 3 && std::strcmp(argv[1], "--digest") == 0;
  if (argc != 2 && !digest) fail("usage: journal_dump [--digest] DIRECTORY");
  JournalVisitor visitor;
  if (!digest) {
    visitor.on_record = print_command;
    (void)walk(argv[1], visitor);
    return 0;
  }
  Engine engine;
  std::vector<AlertEvent> events;
  visitor.on_record = [&](const BlockInfo& block, const Record& record) {
    (void)engine.apply(record.seq, block.header.time, static_cast<CommandType>(record.type), record.payload, events);
  };
  const JournalReport report = walk(argv[2], visitor);
  const Snapshot books = engine.snapshot();
  std::printf("{\"records\":%llu,\"last_seq\":%llu,\"events\":%llu,\"trades\":\"%s\",\"digest\":\"%s\"}\n", static_cast<unsigned long long>(report.records),
              static_cast<unsigned long long>(report.last_seq), static_cast<unsigned long long>(events.size()),
              views::trades_digest(*books).c_str(), views::state_digest(*books).c_str());
  return 0;
}
