// What is claimed of a journal by signed heads, read from witness files and from the tables, and checked for
// everything that can be checked without the journal. The audit (server/audit.h) compares the rest.
//
//   HeadClaims claims(journal_id, key);
//   claims.take_witness("data/audit/witness", *text);
//   claims.take_line("halocline.trades", "snapshot 17", line);
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ed25519.h"
#include "journal/head_log.h"
#include "journal/tree_head.h"

namespace halocline {

// Something that is not as it must be, and where.
struct AuditProblem {
  std::string file;   // or a table
  std::string place;  // "offset 4096", "line 3", "seq 12"; empty: the whole
  std::string text;
};

// The first `size` records have this root (and the journal this chain behind them), says whoever stands at this place.
struct Claim {
  std::string file, place;
  TreeHead head;  // of kind kTables: the tables are there
  bool is_signed = false;
};

class HeadClaims {
 public:
  // `key`: the one to trust, and those that it and its successors introduce; what earlier keys signed counts as not signed. None: all.
  HeadClaims(const JournalId& journal, std::optional<PublicKey> key) : journal_(journal), key_(key) {}

  // All lines of a witness file, or of a copy of one, in order.
  void take_witness(const std::string& file, const WitnessText& text);
  // A line that stands alone; after the witness files.
  void take_line(const std::string& file, const std::string& place, std::string_view line);
  // A claim that nobody signed: a root in a snapshot's summary.
  void take_unsigned(Claim claim) { claims_.push_back(std::move(claim)); }

  const std::vector<Claim>& claims() const { return claims_; }
  // Keys that were introduced, in order; the last one signs now.
  const std::vector<PublicKey>& keys() const { return keys_; }
  std::vector<AuditProblem> take_problems() { return std::move(problems_); }
  // The largest head that is signed, nullptr when there is none.
  const Claim* newest() const;
  // … that says where the tables are.
  const Claim* newest_of_tables() const;

 private:
  void problem(const std::string& file, const std::string& place, std::string text);
  // Whether the line is well signed and of this journal.
  bool fits(const std::string& file, const std::string& place, const WitnessLine& line, const JournalId& journal);

  const Claim* largest(bool of_tables) const;

  const JournalId journal_;
  const std::optional<PublicKey> key_;
  std::vector<Claim> claims_;
  std::vector<PublicKey> keys_;
  std::vector<AuditProblem> problems_;
};

}  // namespace halocline
