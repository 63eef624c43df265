// Proof that the journal has some records of a trade (docs/formats/audit.md, "Proof files"): made from a data directory, checked from the
// proof alone. It shows that they are there and where, not that there are no others: that takes the whole journal (server/audit.h).
//
//   Result<TradeProof> proof = prove_trade(disk, {"halocline-data", {}}, "oms", "T1", std::nullopt);
//   std::vector<std::string> wrong = check_proof(proof.value(), std::nullopt);      // empty: it proves what it says
//
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/ed25519.h"
#include "base/sha256.h"
#include "base/status.h"
#include "command/command.h"

namespace halocline {

struct ProvenRecord {
  Seq seq = 0;
  std::vector<std::byte> leaf;  // its bytes: journal/record_leaf.h
  std::vector<Digest> path;     // from it to the head's root
};

struct TradeProof {
  std::string source, trade_id;
  std::string head;                // a line of a witness file (journal/tree_head.h)
  std::vector<std::string> keys;   // … and those that introduce the key it is signed with, the first key first
  std::vector<ProvenRecord> records;
  // An earlier head, and what shows that the head's journal begins with the earlier one's.
  std::string earlier_head;        // empty: none was asked for
  std::vector<Digest> consistency;
  std::uint64_t newer_records = 0;  // of the trade, behind the head: not proven yet. Not in the file
};

struct ProofSource {
  std::string data_directory;
  std::string witness;  // empty: the one in the data directory
};

// Every TRADE of this id, and every TRADE_REPORT that has it or refers to it; of any source when that is empty. `earlier`: the size of a
// head in the witness file. kNotFound: no such trade, head or journal. kDataLoss: the journal is damaged, or is not the signed one.
Result<TradeProof> prove_trade(Disk& disk, const ProofSource& from, const std::string& source, const std::string& trade_id,
                               std::optional<std::uint64_t> earlier);

// Everything that is wrong with it, for a person. `key`: the one to trust.
std::vector<std::string> check_proof(const TradeProof& proof, const std::optional<PublicKey>& key);

// What a leaf holds: the command's texts point into it. False: it is no leaf of a command this program knows.
bool read_leaf(const std::vector<std::byte>& leaf, Seq& seq, Nanos& time, Command& command);

}  // namespace halocline
