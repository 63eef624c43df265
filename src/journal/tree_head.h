// The lines of a witness file (docs/formats/audit.md): signed heads of the journal's Merkle tree, and the keys that sign them. A line is
// words with single spaces between them; its last word is the Ed25519 signature of everything before that space.
//
//   const TreeHead head{HeadKind::kJournal, journal_id, size, root, chain, now};
//   std::string line = signed_line(head, key);
//   Result<WitnessLine> read = parse_witness_line(line);      // well-formed; signature_fits() says whether it is signed
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/ed25519.h"
#include "base/sha256.h"
#include "base/status.h"
#include "command/command.h"
#include "journal/segment.h"

namespace halocline {

enum class HeadKind : std::uint8_t {
  kJournal,  // the journal is durable up to here
  kTables,   // … and the history's tables are committed up to here
};

// What is signed: the first `size` records of a journal, that is those up to seq `size`.
struct TreeHead {
  HeadKind kind = HeadKind::kJournal;
  JournalId journal{};
  std::uint64_t size = 0;
  Digest root{};
  Digest chain{};  // the journal's hash chain after the block that ends with that record
  Nanos time = 0;  // of the signing, ns UTC
};

// A key that signs from this line on: the first one by itself, each later one is introduced by the key before.
struct KeyIntroduction {
  JournalId journal{};
  PublicKey key{};
  Nanos time = 0;
};

struct WitnessLine {
  std::variant<TreeHead, KeyIntroduction> what;
  PublicKey signer{};
  Signature signature{};
  std::string signed_text;  // what the signature is of

  const TreeHead* head() const { return std::get_if<TreeHead>(&what); }
  const KeyIntroduction* introduction() const { return std::get_if<KeyIntroduction>(&what); }
  bool signature_fits() const { return verify_signature(signer, signed_text, signature); }
};

// Without an end of line.
std::string signed_line(const TreeHead& head, const SigningKey& key);
std::string signed_line(const KeyIntroduction& introduction, const SigningKey& by);

// kInvalidArgument: it is no such line. `line` has no end of line.
Result<WitnessLine> parse_witness_line(std::string_view line);

// "journal", "tables".
const char* head_kind_name(HeadKind kind);

}  // namespace halocline
