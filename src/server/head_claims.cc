#include "server/head_claims.h"

#include <algorithm>
#include <utility>

namespace halocline {

void HeadClaims::problem(const std::string& file, const std::string& place, std::string text) {
  problems_.push_back({file, place, std::move(text)});
}

bool HeadClaims::fits(const std::string& file, const std::string& place, const WitnessLine& line, const JournalId& journal) {
  if (!line.signature_fits()) {
    problem(file, place, "forged: the signature is not that of key " + hex(line.signer) + " under this text");
    return false;
  }
  if (journal != journal_) {
    problem(file, place, "it is of another journal, " + hex(journal));
    return false;
  }
  return true;
}

void HeadClaims::take_witness(const std::string& file, const WitnessText& text) {
  std::vector<PublicKey> keys;
  bool trusted = !key_.has_value();  // the key that signs now
  for (const WitnessText::Line& line : text.lines) {
    const std::string place = "line " + std::to_string(line.number);
    const Result<WitnessLine> parsed = parse_witness_line(line.text);
    if (!parsed.ok()) {
      problem(file, place, parsed.status().message());
      continue;
    }
    const WitnessLine& read = parsed.value();
    const KeyIntroduction* introduction = read.introduction();
    if (!fits(file, place, read, introduction != nullptr ? introduction->journal : read.head()->journal)) continue;
    if (keys.empty() && introduction != nullptr && introduction->key == read.signer) {
      keys.push_back(introduction->key);
      trusted |= key_ == introduction->key;
      continue;
    }
    if (keys.empty() || read.signer != keys.back()) {
      problem(file, place, "a foreign key, " + hex(read.signer) + ": " +
                               (keys.empty() ? "nothing before it introduces a key" : "the key that signs here is " + hex(keys.back())));
      continue;
    }
    if (introduction != nullptr) {
      keys.push_back(introduction->key);
      trusted |= key_ == introduction->key;
    } else {
      claims_.push_back({file, place, *read.head(), trusted});
    }
  }
  // One file's keys are the beginning of the other's, or they are two stories.
  const std::size_t common = std::min(keys.size(), keys_.size());
  if (!std::equal(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(common), keys_.begin())) {
    problem(file, "", "its keys are not those of the witness file before it: one of the two is signed by a foreign key");
  }
  if (keys.size() > keys_.size()) keys_ = std::move(keys);
}

void HeadClaims::take_line(const std::string& file, const std::string& place, std::string_view line) {
  const Result<WitnessLine> parsed = parse_witness_line(line);
  if (!parsed.ok() || parsed.value().head() == nullptr) {
    return problem(file, place, parsed.ok() ? "its signed head is a key" : "its signed head: " + parsed.status().message());
  }
  const TreeHead& head = *parsed.value().head();
  if (!fits(file, place, parsed.value(), head.journal)) return;
  const auto signer = std::find(keys_.begin(), keys_.end(), parsed.value().signer);
  if (signer == keys_.end()) {
    return problem(file, place,
                   "its head is signed by a foreign key, " + hex(parsed.value().signer) + ", which no witness file introduces");
  }
  const auto first_trusted = key_.has_value() ? std::find(keys_.begin(), keys_.end(), *key_) : keys_.begin();
  claims_.push_back({file, place, head, signer >= first_trusted});
}

const Claim* HeadClaims::largest(bool of_tables) const {
  const Claim* largest = nullptr;
  for (const Claim& claim : claims_) {
    if (!claim.is_signed || (of_tables && claim.head.kind != HeadKind::kTables)) continue;
    if (largest == nullptr || claim.head.size > largest->head.size) largest = &claim;
  }
  return largest;
}

const Claim* HeadClaims::newest() const { return largest(false); }
const Claim* HeadClaims::newest_of_tables() const { return largest(true); }

}  // namespace halocline
