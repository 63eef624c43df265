#include "cli/audit.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/from_hex.h"
#include "cli/commands.h"
#include "cli/server_config.h"
#include "cli/table.h"
#include "cli/text.h"
#include "journal/archived_disk.h"
#include "journal/recovery.h"
#include "server/audit.h"
#include "server/iceberg.h"

namespace halocline::cli {
namespace {

constexpr Nanos kDay = 86'400'000'000'000;

struct Flags {
  std::string directory = "halocline-data";
  std::vector<std::string> witnesses;
  std::string key;
  std::string warehouse, scratch, removed_before;
  ConfigFlags config;
  bool rotate = false, no_tables = false;
};

// On a terminal, one line that is written over, a few times a second.
class ProgressLine {
 public:
  void operator()(const char* what, std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(300);
    shown_ = true;
    std::fprintf(stderr, "\r%s: %s of about %s ", what, count_text(done).c_str(), count_text(std::max(done, total)).c_str());
  }
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
};

Json report_json(const AuditReport& r) {
  Json json{{"ok", r.ok()}, {"journal", r.journal.id}, {"records", r.journal.records}, {"last_seq", r.journal.last_seq},
            {"chain", r.journal.chain}, {"heads", r.heads}, {"heads_unchecked", r.heads_unchecked}, {"signed_seq", r.signed_seq},
            {"signed_time", r.signed_seq == 0 ? Json(nullptr) : Json(time_text(r.signed_time))}, {"keys", Json::array()},
            {"first_seq", r.journal.first_seq}, {"tables_seq", r.tables_seq}, {"tables_from", r.tables_from},
            {"tables_note", r.tables_note}, {"tables", Json::array()}, {"problems", Json::array()}};
  for (const AuditedTable& t : r.tables) {
    json["tables"].push_back(
        Json{{"name", t.name}, {"rows", t.rows}, {"files", t.files}, {"snapshots", t.snapshots}, {"differences", t.differences}});
  }
  for (const PublicKey& key : r.keys) json["keys"].push_back(hex(key));
  for (const AuditProblem& p : r.problems) json["problems"].push_back(Json{{"file", p.file}, {"place", p.place}, {"text", p.text}});
  return json;
}

void print_report(const AuditReport& r, bool key_given) {
  const Seq unsigned_records = r.journal.last_seq > r.signed_seq ? r.journal.last_seq - r.signed_seq : 0;
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"journal", r.journal.id},
      {"records", count_text(r.journal.records) + (r.journal.first_seq > 1 ? ", from seq " + count_text(r.journal.first_seq) + " on" : "")},
      {"signed heads", count_text(r.heads) + " compared with the journal, " + count_text(r.heads_unchecked) + " could not be"},
      {"signed up to", r.signed_seq == 0 ? "nothing" : "seq " + count_text(r.signed_seq) + ", at " + time_text(r.signed_time)},
      {"not signed yet", count_text(unsigned_records) + " records"}};
  for (const AuditedTable& t : r.tables) {
    const std::string differ = t.differences == 0 ? "" : ", " + count_text(t.differences) + " differences";
    pairs.emplace_back(t.name, count_text(t.rows) + " rows in " + count_text(t.files) + " files" + differ);
  }
  if (r.tables.empty()) pairs.emplace_back("tables", "not compared: " + r.tables_note);
  if (r.tables_from > 1) {
    pairs.emplace_back("rows", "of commands from seq " + count_text(r.tables_from) + " on, which the journal still has");
  }
  if (!r.keys.empty()) pairs.emplace_back("key", hex(r.keys.back()));
  print_pairs(pairs, stdout);
  if (!key_given && !r.keys.empty()) {
    std::puts("No --key was given: this shows that the record agrees with itself. Note the key, and give it the next time.");
  }
}

int verify(const Session& session, const Flags& flags) {
  AuditOptions options;
  options.data_directory = flags.directory;
  options.witnesses = flags.witnesses;
  options.tables = !flags.no_tables;
  options.warehouse = flags.warehouse;
  if (!flags.scratch.empty()) options.scratch = flags.scratch;
  if (!flags.config.file.empty() || !flags.config.settings.empty()) {
    Result<Config> config = load_server_config(flags.config);
    if (!config.ok()) return report(config.status());
    options.server = config.take();
  }
  if (const auto days = options.server.has_value() ? options.server->archive.keep_days : 0; days > 0) {
    options.removed_before = SystemClock().wall() - static_cast<Nanos>(days) * kDay;
  }
  if (!flags.removed_before.empty()) {
    const std::optional<std::int64_t> time = parse_time(flags.removed_before);
    if (!time.has_value()) return report(Status(Code::kInvalidArgument, "--removed-before: no time: " + flags.removed_before));
    options.removed_before = *time;
  }
  Result<std::optional<PublicKey>> key = parse_key(flags.key);
  if (!key.ok()) return report(key.status());
  options.key = key.value();
  PosixDisk posix;
  const auto archive = [&](const std::string& place) {
    return open_archive(posix, place, options.server.has_value() ? &*options.server : nullptr);
  };
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, audit_journal(flags.directory), archive);
  if (!disk.ok()) return report(disk.status());
  const Result<AuditReport> result = [&] {
    ProgressLine line;
    options.progress = std::ref(line);
    return audit(*disk.value(), options);
  }();
  if (!result.ok()) return report(result.status());
  const AuditReport& audited = result.value();
  const int code = audited.ok() ? kDone : kDamaged;
  if (session.json) return print_json(report_json(audited)), code;
  print_report(audited, options.key.has_value());
  for (const AuditProblem& problem : audited.problems) {
    const std::string place = problem.file + (problem.place.empty() ? "" : ", ") + problem.place;
    std::fprintf(stderr, "%s: %s\n", place.c_str(), problem.text.c_str());
  }
  if (code == kDone) {
    std::printf("The journal is whole, and it is the one that was signed.%s\n",
                audited.tables.empty() ? "" : " The tables are what follows from it.");
  }
  return code;
}

// The journal that the keys are of, while nobody else has the directory.
Result<PublicKey> rotate(const Flags& flags) {
  PosixDisk disk;
  const std::string journal = audit_journal(flags.directory);
  Result<std::unique_ptr<Lock>> lock = disk.lock(journal + "/LOCK");
  if (!lock.ok()) return lock.status();
  const Result<JournalId> id = journal_id(disk, journal);
  if (!id.ok()) return id.status();
  const std::string witness = flags.witnesses.empty() ? audit_witness(flags.directory) : flags.witnesses.front();
  return HeadLog::rotate(disk, {flags.directory + "/audit", witness}, id.value(), SystemClock().wall());
}

int keys(const Session& session, const Flags& flags) {
  if (flags.rotate) {
    const Result<PublicKey> made = rotate(flags);
    if (!made.ok()) return report(made.status());
  }
  PosixDisk disk;
  const Result<std::unique_ptr<WitnessText>> text =
      read_witness(disk, flags.witnesses.empty() ? audit_witness(flags.directory) : flags.witnesses.front());
  if (!text.ok()) return report(text.status());
  Table table({{"since"}, {"public key"}, {"introduced by"}});
  Json json{{"keys", Json::array()}};
  std::string pem;
  for (const WitnessText::Line& line : text.value()->lines) {
    const Result<WitnessLine> read = parse_witness_line(line.text);
    const KeyIntroduction* key = read.ok() && read.value().signature_fits() ? read.value().introduction() : nullptr;
    if (key == nullptr) continue;
    const bool first = read.value().signer == key->key;
    table.add({time_text(key->time), hex(key->key), first ? "itself" : hex(read.value().signer)});
    json["keys"].push_back(Json{{"time", time_text(key->time)}, {"key", hex(key->key)}, {"by", hex(read.value().signer)}});
    pem = public_key_pem(key->key);
  }
  json["pem"] = pem;
  if (session.json) return print_json(json), kDone;
  table.print(stdout);
  std::fputs(pem.c_str(), stdout);
  return kDone;
}

}  // namespace

Result<std::optional<PublicKey>> parse_key(const std::string& text) {
  if (text.empty()) return std::optional<PublicKey>();
  PublicKey key;
  if (from_hex(text, key)) return std::optional<PublicKey>(key);
  std::ifstream file(text, std::ios::binary);
  std::stringstream pem;
  pem << file.rdbuf();
  if (!file) return Status(Code::kInvalidArgument, "--key " + text + " is neither 64 hexadecimal digits nor a file");
  const Result<PublicKey> read = public_key_from_pem(pem.str());
  if (!read.ok()) return Status(Code::kInvalidArgument, text + ": " + read.status().message());
  return std::optional<PublicKey>(read.value());
}

void add_audit(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("audit", "check that nothing was altered or left out; prove single trades");
  command->require_subcommand();
  command->footer("Example: halocline audit verify halocline-data");
  auto flags = std::make_shared<Flags>();
  Verb* verify_command = command->add_subcommand("verify", "check journal, heads and tables; says what is wrong and where");
  verify_command->footer("Examples:\n  halocline audit verify halocline-data --key audit.pem\n"
                         "  halocline audit verify halocline-data --witness /mnt/elsewhere/witness --json\n"
                         "  halocline audit verify halocline-data --config halocline.toml    # with catalog.uri or archive.keep_days\n"
                         "Nothing is modified; it works beside a running server. Exit code 5: something is wrong.");
  verify_command->add_option("DIR", flags->directory, kDirectoryHelp)->capture_default_str();
  verify_command->add_option("--witness", flags->witnesses, "a witness file that lies elsewhere, or a copy of one; may be given again");
  verify_command->add_option("--key", flags->key, kKeyHelp);
  verify_command->add_option("--warehouse", flags->warehouse, 
                             "where the tables lie: a folder or s3://…, by the AWS variables (default: `warehouse` in the data directory)");
  add_config_options(*verify_command, flags->config);
  verify_command->add_option("--removed-before", flags->removed_before,
                             "that segments from before that time are gone is no problem (default: as archive.keep_days of the "
                             "configuration says)");
  verify_command->add_option("--scratch", flags->scratch, "a folder with room for the tables once more (default: /tmp)");
  verify_command->add_flag("--no-tables", flags->no_tables, "leave the tables out");
  add_json_option(*verify_command, session);
  verify_command->callback([flags, &session] { session.action = [flags, &session] { return verify(session, *flags); }; });
  Verb* keys_command = command->add_subcommand("keys", "the keys that sign, and the current one as PEM; make a new one");
  keys_command->footer("Examples:\n  halocline audit keys halocline-data\n"
                       "  halocline audit keys halocline-data --rotate    # with the server stopped");
  keys_command->add_option("DIR", flags->directory, kDirectoryHelp)->capture_default_str();
  keys_command->add_option("--witness", flags->witnesses, "the witness file, when it lies elsewhere");
  keys_command->add_flag("--rotate", flags->rotate, "make a new key, introduced by the old one, which is deleted");
  add_json_option(*keys_command, session);
  keys_command->callback([flags, &session] { session.action = [flags, &session] { return keys(session, *flags); }; });
  add_audit_proof(*command, session);
}

}  // namespace halocline::cli
