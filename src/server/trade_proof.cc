#include "server/trade_proof.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/merkle.h"
#include "command/codec.h"
#include "journal/head_log.h"
#include "journal/journal_reader.h"
#include "journal/record_leaf.h"
#include "server/audit.h"

namespace halocline {
namespace {

bool concerns(const Command& command, const std::string& source, const std::string& trade_id) {
  const auto from = [&](const Trade& trade) { return source.empty() || trade.source == source; };
  if (const auto* trade = std::get_if<Trade>(&command)) return from(*trade) && trade->trade_id == trade_id;
  if (const auto* report = std::get_if<TradeReport>(&command)) {
    return from(report->trade) && (report->trade.trade_id == trade_id || report->reference == trade_id);
  }
  return false;
}

bool of_a_trade(std::uint16_t type) {
  return type == static_cast<std::uint16_t>(CommandType::kTrade) || type == static_cast<std::uint16_t>(CommandType::kTradeReport);
}

// The whole journal, block by block.
template <class Use>
Status read_journal(Disk& disk, const std::string& directory, Use use) {
  Result<std::unique_ptr<JournalReader>> opened = JournalReader::open(disk, directory, 1);
  if (!opened.ok()) return opened.status();
  JournalReader& reader = *opened.value();
  for (;;) {
    Result<std::optional<BlockView>> block = reader.next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) return ok_status();
    for (const Record record : block.value()->contents()) use(record, block.value()->time);
  }
}

struct Lines {
  std::string head, earlier;
  TreeHead newest;
  std::uint64_t earlier_size = 0;
  std::vector<std::string> keys;
};

// The newest head that the journal reaches, the earlier one, and all keys before the newest.
Result<Lines> find_lines(const WitnessText& text, const std::string& path, Seq last, std::optional<std::uint64_t> earlier) {
  Lines lines;
  std::vector<std::string> keys;
  for (const WitnessText::Line& line : text.lines) {
    const Result<WitnessLine> read = parse_witness_line(line.text);
    if (!read.ok()) continue;  // `halocline audit verify` says what is wrong with it
    if (read.value().introduction() != nullptr) keys.emplace_back(line.text);
    const TreeHead* head = read.value().head();
    if (head == nullptr || head->size > last) continue;
    if (head->size == earlier) lines.earlier = line.text;
    if (head->size < lines.newest.size) continue;
    lines.head = line.text;
    lines.newest = *head;
    lines.keys = keys;
  }
  if (lines.head.empty() || lines.newest.size == 0) return Status(Code::kNotFound, path + " has no signed head of this journal yet");
  if (!earlier.has_value()) return lines;
  if (lines.earlier.empty()) return Status(Code::kNotFound, path + " has no head of seq " + std::to_string(*earlier));
  lines.earlier_size = *earlier;
  return lines;
}

// The keys of the introductions, each being signed by the one before; none when they do not hold together.
std::vector<PublicKey> introduced(const std::vector<std::string>& lines, const JournalId& journal) {
  std::vector<PublicKey> keys;
  for (const std::string& line : lines) {
    const Result<WitnessLine> read = parse_witness_line(line);
    const KeyIntroduction* introduction = read.ok() ? read.value().introduction() : nullptr;
    if (introduction == nullptr || introduction->journal != journal || !read.value().signature_fits()) return {};
    if (read.value().signer != (keys.empty() ? introduction->key : keys.back())) return {};
    keys.push_back(introduction->key);
  }
  return keys;
}

}  // namespace

bool read_leaf(const std::vector<std::byte>& leaf, Seq& seq, Nanos& time, Command& command) {
  if (leaf.size() < kLeafContextBytes + kRecordFrameBytes) return false;
  const auto framed = std::span(leaf).subspan(kLeafContextBytes);
  if (count_records(framed) != 1u) return false;
  std::memcpy(&seq, leaf.data(), 8);
  std::memcpy(&time, leaf.data() + 8, 8);
  const Record record = *Records(framed, seq).begin();
  return record.flags == 0 && decode(static_cast<CommandType>(record.type), record.payload, command);
}

Result<TradeProof> prove_trade(Disk& disk, const ProofSource& from, const std::string& source, const std::string& trade_id,
                               std::optional<std::uint64_t> earlier) {
  const std::string directory = audit_journal(from.data_directory);
  const std::string path = from.witness.empty() ? audit_witness(from.data_directory) : from.witness;
  const Result<std::unique_ptr<WitnessText>> witness = read_witness(disk, path);
  if (!witness.ok()) return witness.status();
  TradeProof proof{source, trade_id, {}, {}, {}, {}, {}, 0};
  std::vector<std::byte> buffer;
  Seq last = 0;
  Status read = read_journal(disk, directory, [&](const Record& record, Nanos time) {
    last = record.seq;
    Command command;
    if (!of_a_trade(record.type) || !decode(static_cast<CommandType>(record.type), record.payload, command)) return;
    if (!concerns(command, source, trade_id)) return;
    const auto leaf = record_leaf(record, time, buffer);
    proof.records.push_back({record.seq, {leaf.begin(), leaf.end()}, {}});
  });
  if (!read.ok()) return read;
  if (proof.records.empty()) {
    return Status(Code::kNotFound, "the journal has no record of trade " + trade_id + (source.empty() ? "" : " of source " + source));
  }
  const Result<Lines> lines = find_lines(*witness.value(), path, last, earlier);
  if (!lines.ok()) return lines.status();
  const std::uint64_t size = lines.value().newest.size;
  proof.head = lines.value().head, proof.keys = lines.value().keys, proof.earlier_head = lines.value().earlier;
  const auto newer = std::find_if(proof.records.begin(), proof.records.end(), [&](const ProvenRecord& r) { return r.seq > size; });
  proof.newer_records = static_cast<std::uint64_t>(proof.records.end() - newer);
  proof.records.erase(newer, proof.records.end());
  if (proof.records.empty()) {
    return Status(Code::kNotFound, "trade " + trade_id + " is newer than the newest signed head, of seq " + std::to_string(size) +
                                       "; try again after the next one (audit.head_seconds)");
  }
  MerkleNodes nodes;
  for (const ProvenRecord& record : proof.records) nodes.want(audit_path(record.seq - 1, size));
  if (!proof.earlier_head.empty()) nodes.want(consistency_proof(lines.value().earlier_size, size));
  MerkleTree tree;
  read = read_journal(disk, directory, [&](const Record& record, Nanos time) {
    if (record.seq <= size) tree.add(leaf_hash(record_leaf(record, time, buffer)), &nodes);
  });
  if (!read.ok()) return read;
  if (tree.size() != size || tree.root() != lines.value().newest.root) {
    return Status(Code::kDataLoss, "the journal is not the one that was signed; `halocline audit verify` says where it differs");
  }
  for (ProvenRecord& record : proof.records) record.path = nodes.digests(audit_path(record.seq - 1, size));
  if (!proof.earlier_head.empty()) proof.consistency = nodes.digests(consistency_proof(lines.value().earlier_size, size));
  return proof;
}

std::vector<std::string> check_proof(const TradeProof& proof, const std::optional<PublicKey>& key) {
  const Result<WitnessLine> line = parse_witness_line(proof.head);
  if (!line.ok() || line.value().head() == nullptr) return {"its head is no signed head"};
  const TreeHead& head = *line.value().head();
  std::vector<std::string> wrong;
  if (!line.value().signature_fits()) wrong.push_back("the head's signature is not that of key " + hex(line.value().signer));
  const std::vector<PublicKey> keys = introduced(proof.keys, head.journal);
  const auto is_introduced = [&](const PublicKey& one) { return std::find(keys.begin(), keys.end(), one) != keys.end(); };
  if (keys.empty()) {
    wrong.push_back("its keys do not introduce one another");
  } else if (keys.back() != line.value().signer) {
    wrong.push_back("the head is signed by " + hex(line.value().signer) + ", a foreign key: it is not the last that is introduced");
  }
  if (key.has_value() && !is_introduced(*key)) wrong.push_back("the key to trust, " + hex(*key) + ", is not among its keys");
  if (proof.records.empty()) wrong.push_back("it has no records");
  for (const ProvenRecord& record : proof.records) {
    const std::string name = "seq " + std::to_string(record.seq) + ": ";
    Seq seq = 0;
    Nanos time = 0;
    Command command;
    if (!read_leaf(record.leaf, seq, time, command)) {
      wrong.push_back(name + "its leaf is no record of a command");
      continue;
    }
    if (seq != record.seq) wrong.push_back(name + "its leaf is of seq " + std::to_string(seq));
    if (!concerns(command, proof.source, proof.trade_id)) wrong.push_back(name + "it is not of this trade");
    if (seq == 0 || !proves_inclusion(leaf_hash(record.leaf), seq - 1, head.size, record.path, head.root)) {
      wrong.push_back(name + "its path does not lead to the head's root");
    }
  }
  if (proof.earlier_head.empty()) return wrong;
  const Result<WitnessLine> earlier = parse_witness_line(proof.earlier_head);
  const TreeHead* before = earlier.ok() ? earlier.value().head() : nullptr;
  if (before == nullptr || before->journal != head.journal || !earlier.value().signature_fits() || !is_introduced(earlier.value().signer)) {
    wrong.push_back("its earlier head is no signed head of this journal");
  } else if (!proves_consistency(before->size, before->root, head.size, head.root, proof.consistency)) {
    wrong.push_back("it does not show that the journal begins with what the earlier head is of");
  }
  return wrong;
}

}  // namespace halocline
