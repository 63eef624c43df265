#include <filesystem>

#include "base/sha256.h"
#include "cli/command_text.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/text.h"
#include "command/codec.h"
#include "journal/archived_disk.h"
#include "journal/inspect.h"
#include "server/iceberg.h"
#include "server/recompute.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string directory;
  std::uint64_t from = 1, to = UINT64_MAX, limit = UINT64_MAX;
  bool blocks = false;
  Seq at = kToTheEnd;
};

void print_report(const JournalReport& r) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"journal", r.id},
      {"segments", count_text(r.segments)},
      {"blocks", count_text(r.blocks) + ", " + bytes_text(r.bytes)},
      {"records", r.records == 0 ? "none" : count_text(r.records) + ", seq " + count_text(r.first_seq) + " to " + count_text(r.last_seq)}};
  if (r.records != 0) pairs.emplace_back("time", time_text(r.first_time) + " to " + time_text(r.last_time));
  pairs.emplace_back("chain", r.chain);
  pairs.emplace_back("end", r.sealed ? "sealed by a graceful close"
                            : r.torn ? "an incomplete commit of " + bytes_text(r.torn_bytes) +
                                           " (being written, or left by a crash): no problem"
                                     : "open: in use, or ended without a graceful close");
  print_pairs(pairs, stdout);
}

Json report_json(const JournalReport& r) {
  Json json{{"id", r.id}, {"segments", r.segments}, {"blocks", r.blocks}, {"records", r.records}, {"bytes", r.bytes},
            {"first_seq", r.first_seq}, {"last_seq", r.last_seq},
            {"first_time", r.records == 0 ? Json(nullptr) : Json(time_text(r.first_time))},
            {"last_time", r.records == 0 ? Json(nullptr) : Json(time_text(r.last_time))},
            {"chain", r.chain}, {"sealed", r.sealed}, {"torn", r.torn}, {"torn_offset", r.torn_offset}, {"torn_bytes", r.torn_bytes},
            {"ok", r.ok()}, {"problems", Json::array()}};
  for (const JournalProblem& p : r.problems) json["problems"].push_back(Json{{"path", p.path}, {"offset", p.offset}, {"text", p.text}});
  return json;
}

int finish(const JournalReport& report) {
  for (const JournalProblem& problem : report.problems) {
    std::fprintf(stderr, "%s at offset %s: %s\n", problem.path.c_str(), count_text(problem.offset).c_str(), problem.text.c_str());
  }
  return report.ok() ? kDone : kDamaged;
}

// DIR may be the server's data directory, or the journal in it.
std::string journal_in(const std::string& directory) {
  std::error_code ignored;
  const std::string inner = directory + "/journal";
  return std::filesystem::is_directory(inner, ignored) ? inner : directory;
}

int verify(const Session& session, const Flags& flags) {
  PosixDisk posix;
  const std::string directory = journal_in(flags.directory);
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, directory, archive_opener(posix));
  if (!disk.ok()) return report(disk.status());
  const Result<JournalReport> result = verify_journal(*disk.value(), directory);
  if (!result.ok()) return report(result.status());
  if (session.json) return print_json(report_json(result.value())), result.value().ok() ? kDone : kDamaged;
  print_report(result.value());
  const int code = finish(result.value());
  if (code == kDone) std::puts("Every checksum and the whole hash chain are right.");
  return code;
}

int digest(const Session& session, const Flags& flags) {
  PosixDisk posix;
  const std::string directory = journal_in(flags.directory);
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, directory, archive_opener(posix));
  if (!disk.ok()) return report(disk.status());
  const Result<Recomputed> result = recompute(*disk.value(), directory, flags.at);
  if (!result.ok()) return report(result.status());
  const Recomputed& books = result.value();
  if (session.json) return print_json(Json{{"seq", books.seq}, {"time", time_text(books.time)}, {"state_digest", books.digest}}), kDone;
  const std::string time = books.seq == 0 ? "" : time_text(books.time);
  print_pairs({{"seq", count_text(books.seq)}, {"time", time}, {"state digest", books.digest}}, stdout);
  return kDone;
}

int inspect(const Session& session, const Flags& flags) {
  PosixDisk posix;
  const std::string directory = journal_in(flags.directory);
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, directory, archive_opener(posix));
  if (!disk.ok()) return report(disk.status());
  std::uint64_t shown = 0;
  JournalVisitor visitor;
  if (flags.blocks) {
    visitor.on_block = [&](const BlockInfo& block) {
      if (shown == flags.limit) return;
      const BlockHeader& h = block.header;
      if (h.first_seq + h.records < flags.from + 1 || h.first_seq > flags.to) return;
      ++shown;
      if (session.json) {
        return print_json(Json{{"segment", block.segment}, {"offset", block.offset}, {"bytes", block.bytes}, {"first_seq", h.first_seq},
                               {"records", h.records}, {"time", time_text(h.time)}, {"chain", hex(h.chain)}});
      }
      std::printf("segment %u offset %llu: seq %llu, %u records, %zu bytes, %s\n", block.segment,
                  static_cast<unsigned long long>(block.offset), static_cast<unsigned long long>(h.first_seq), h.records, block.bytes,
                  time_text(h.time).c_str());
    };
  } else {
    visitor.on_record = [&](const BlockInfo& block, const Record& record) {
      if (record.seq < flags.from || record.seq > flags.to || shown == flags.limit) return;
      ++shown;
      Command command;
      const bool good = decode(static_cast<CommandType>(record.type), record.payload, command);
      if (session.json) {
        Json json{{"seq", record.seq}, {"time", time_text(block.view.time)}};
        json.update(good ? command_json(command) : Json{{"type", record.type}, {"undecodable_payload", hex(record.payload)}});
        return print_json(json);
      }
      const std::string text =
          good ? command_line(command) : "type " + std::to_string(record.type) + ", not decodable: " + hex(record.payload);
      std::printf("%llu  %s  %s\n", static_cast<unsigned long long>(record.seq), time_text(block.view.time).c_str(), text.c_str());
    };
  }
  const Result<JournalReport> result = walk_journal(*disk.value(), directory, visitor);
  if (!result.ok()) return report(result.status());
  return finish(result.value());
}

}  // namespace

void add_journal(Verb& app, Session& session) {
  Verb* journal = app.add_subcommand("journal", "look at a journal on disk, also beside a running server");
  journal->require_subcommand();
  journal->footer("Example: halocline journal verify halocline-data");
  auto flags = std::make_shared<Flags>();
  Verb* inspect_command = journal->add_subcommand("inspect", "show its commands in order");
  inspect_command->footer("Examples:\n  halocline journal inspect halocline-data --from 1000 --limit 20\n"
                          "  halocline journal inspect halocline-data --json | jq 'select(.type == \"TRADE\")'");
  inspect_command->add_option("DIR", flags->directory, "the server's data directory, or the journal in it")->required();
  inspect_command->add_option("--from", flags->from, "the first seq to show");
  inspect_command->add_option("--to", flags->to, "the last seq to show");
  inspect_command->add_option("--limit", flags->limit, "at most so many");
  inspect_command->add_flag("--blocks", flags->blocks, "show blocks (the units of commit) instead of commands");
  add_json_option(*inspect_command, session);
  inspect_command->callback([flags, &session] { session.action = [flags, &session] { return inspect(session, *flags); }; });
  Verb* digest_command = journal->add_subcommand("digest", "work the books out from the journal alone, and print their state digest");
  digest_command->footer("Example: halocline journal digest halocline-data --at 1000\n"
                         "prints what `halocline status --digest` said at seq 1000.");
  digest_command->add_option("DIR", flags->directory, "the server's data directory, or the journal in it")->required();
  digest_command->add_option("--at", flags->at, "the seq whose books are wanted (default: the last)");
  add_json_option(*digest_command, session);
  digest_command->callback([flags, &session] { session.action = [flags, &session] { return digest(session, *flags); }; });
  Verb* verify_command = journal->add_subcommand("verify", "check every checksum and the hash chain; says where it is damaged");
  verify_command->footer("Example: halocline journal verify halocline-data --json");
  verify_command->add_option("DIR", flags->directory, "the server's data directory, or the journal in it")->required();
  add_json_option(*verify_command, session);
  verify_command->callback([flags, &session] { session.action = [flags, &session] { return verify(session, *flags); }; });
}

}  // namespace halocline::cli
