#include <fstream>

#include "base/from_hex.h"
#include "cli/audit.h"
#include "cli/command_line.h"
#include "cli/command_text.h"
#include "cli/input.h"
#include "cli/text.h"
#include "journal/archived_disk.h"
#include "journal/tree_head.h"
#include "server/audit.h"
#include "server/iceberg.h"

namespace halocline::cli {
namespace {

constexpr std::size_t kMostProofBytes = 64u << 20;
constexpr int kProofVersion = 1;

struct Flags {
  std::string trade_id, source, directory = "halocline-data", witness, out = "-", proof, key;
  std::uint64_t since = 0;
};

Json digests_json(const std::vector<Digest>& digests) {
  Json list = Json::array();
  for (const Digest& digest : digests) list.push_back(hex(digest));
  return list;
}

bool read_digests(const Json& list, std::vector<Digest>& digests) {
  for (const Json& one : list) {
    if (!from_hex(one.get<std::string>(), digests.emplace_back())) return false;
  }
  return true;
}

int prove(const Session&, const Flags& flags) {
  PosixDisk posix;
  const Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, audit_journal(flags.directory), archive_opener(posix));
  if (!disk.ok()) return report(disk.status());
  const std::optional<std::uint64_t> since = flags.since == 0 ? std::nullopt : std::optional(flags.since);
  const Result<TradeProof> proof = prove_trade(*disk.value(), {flags.directory, flags.witness}, flags.source, flags.trade_id, since);
  if (!proof.ok()) return report(proof.status());
  const std::string text = proof_json(proof.value()).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (flags.out == "-") {
    std::fputs(text.c_str(), stdout);
  } else {
    std::ofstream file(flags.out, std::ios::trunc);
    file << text;
    file.close();
    if (!file) return report(Status(Code::kIo, "cannot write " + flags.out));
    std::printf("%s: %s of trade %s\n", flags.out.c_str(),
                proof.value().records.size() == 1 ? "1 record" : (count_text(proof.value().records.size()) + " records").c_str(),
                flags.trade_id.c_str());
  }
  if (proof.value().newer_records > 0) {
    std::fprintf(stderr, "halocline: %s of its records are newer than the newest signed head, and are not in the proof\n",
                 count_text(proof.value().newer_records).c_str());
  }
  return kDone;
}

Result<std::string> read_file(const std::string& path) {
  const Result<Input> input = open_input(path);
  if (!input.ok()) return input.status();
  std::string text(kMostProofBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), input.value().get()));
  if (text.size() > kMostProofBytes) return Status(Code::kInvalidArgument, path + " is longer than a proof can be");
  return text;
}

int check(const Session& session, const Flags& flags) {
  const Result<std::optional<PublicKey>> key = parse_key(flags.key);
  if (!key.ok()) return report(key.status());
  const Result<std::string> text = read_file(flags.proof);
  if (!text.ok()) return report(text.status());
  const Result<TradeProof> proof = parse_proof(text.value());
  if (!proof.ok()) return report(Status(proof.status().code(), flags.proof + ": " + proof.status().message()));
  const std::vector<std::string> wrong = check_proof(proof.value(), key.value());
  const int code = wrong.empty() ? kDone : kDamaged;
  Json records = Json::array();
  for (const ProvenRecord& record : proof.value().records) {
    Seq seq = 0;
    Nanos time = 0;
    Command command;
    if (!read_leaf(record.leaf, seq, time, command)) continue;
    Json json{{"seq", seq}, {"time", time_text(time)}};
    json.update(command_json(command));
    records.push_back(std::move(json));
    if (!session.json) {
      std::printf("%s  %s  %s\n", std::to_string(seq).c_str(), time_text(time).c_str(), command_line(command).c_str());
    }
  }
  if (session.json) return print_json(Json{{"ok", wrong.empty()}, {"records", records}, {"problems", wrong}}), code;
  for (const std::string& problem : wrong) std::fprintf(stderr, "%s: %s\n", flags.proof.c_str(), problem.c_str());
  if (code != kDone) return code;
  const WitnessLine head = parse_witness_line(proof.value().head).take();
  std::printf("These records stand in journal %s; signed at %s by key %s.\n", hex(head.head()->journal).c_str(),
              time_text(head.head()->time).c_str(), hex(head.signer).c_str());
  if (!key.value().has_value()) std::puts("No --key was given: compare that key with the one you noted.");
  return code;
}

}  // namespace

Json proof_json(const TradeProof& proof) {
  Json json{{"halocline_proof", kProofVersion}, {"source", proof.source}, {"trade_id", proof.trade_id},
            {"head", proof.head}, {"keys", proof.keys}, {"records", Json::array()}};
  for (const ProvenRecord& record : proof.records) {
    json["records"].push_back(Json{{"seq", record.seq}, {"leaf", hex(record.leaf)}, {"path", digests_json(record.path)}});
  }
  if (proof.earlier_head.empty()) return json;
  json["earlier_head"] = proof.earlier_head;
  json["consistency"] = digests_json(proof.consistency);
  return json;
}

Result<TradeProof> parse_proof(const std::string& text) {
  const auto wrong = [](const std::string& why) { return Status(Code::kInvalidArgument, "this is no proof file: " + why); };
  try {
    const Json json = Json::parse(text);
    if (json.at("halocline_proof") != kProofVersion) return Status(Code::kUnsupported, "this proof file is of another version");
    TradeProof proof;
    proof.source = json.at("source").get<std::string>();
    proof.trade_id = json.at("trade_id").get<std::string>();
    proof.head = json.at("head").get<std::string>();
    proof.keys = json.at("keys").get<std::vector<std::string>>();
    for (const Json& one : json.at("records")) {
      ProvenRecord& record = proof.records.emplace_back();
      record.seq = one.at("seq").get<Seq>();
      const std::string leaf = one.at("leaf").get<std::string>();
      record.leaf.resize(leaf.size() / 2);
      if (!from_hex(leaf, record.leaf)) return wrong("a leaf is not hexadecimal");
      if (!read_digests(one.at("path"), record.path)) return wrong("a path is not of 64 hexadecimal digits each");
    }
    proof.earlier_head = json.value("earlier_head", "");
    if (!read_digests(json.value("consistency", Json::array()), proof.consistency)) return wrong("consistency is not of 64 digits each");
    return proof;
  } catch (const nlohmann::json::exception& error) {
    return wrong(error.what());
  }
}

void add_audit_proof(Verb& audit, Session& session) {
  auto flags = std::make_shared<Flags>();
  Verb* prove_command =
      audit.add_subcommand("prove", "write a proof of what the journal has of a trade, for somebody who has no journal");
  prove_command->footer("Example: halocline audit prove 5 halocline-data --source oms --out proof.json\n"
                        "It shows that these records are there, not that there are no others: that takes the whole journal.");
  prove_command->add_option("TRADE_ID", flags->trade_id, "every command with this trade id, or that refers to it")->required();
  prove_command->add_option("DIR", flags->directory, kDirectoryHelp)->capture_default_str();
  prove_command->add_option("--source", flags->source, "only of this source");
  prove_command->add_option("--witness", flags->witness, "the witness file, when it lies elsewhere");
  prove_command->add_option("--since", flags->since, "also show that the journal begins with that of the earlier head of so many records");
  prove_command->add_option("--out", flags->out, "the file to write; - is standard output")->capture_default_str();
  prove_command->callback([flags, &session] { session.action = [flags, &session] { return prove(session, *flags); }; });
  Verb* check_command = audit.add_subcommand("check", "check a proof file, without anything else");
  check_command->footer("Example: halocline audit check proof.json --key audit.pem\n"
                        "tools/verify_proof.py does the same and shares no code. Exit code 5: it proves nothing.");
  check_command->add_option("PROOF", flags->proof, "a file that `audit prove` wrote; - is standard input")->required();
  check_command->add_option("--key", flags->key, kKeyHelp);
  add_json_option(*check_command, session);
  check_command->callback([flags, &session] { session.action = [flags, &session] { return check(session, *flags); }; });
}

}  // namespace halocline::cli
