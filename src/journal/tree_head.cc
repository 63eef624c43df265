#include "journal/tree_head.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/from_hex.h"

namespace halocline {
namespace {

constexpr std::string_view kHeadWord = "halocline-head-1", kKeyWord = "halocline-key-1";

std::string with_signature(std::string text, const SigningKey& key) {
  const Signature signature = key.sign(text);
  return text + " " + hex(signature);
}

// Digits of a number that is written in one way only.
template <class Number>
bool parse_number(std::string_view text, Number& value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && value >= 0;
}

Status wrong(const std::string& what) { return Status(Code::kInvalidArgument, "this is no line of a witness file: " + what); }

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

const char* head_kind_name(HeadKind kind) { return kind == HeadKind::kJournal ? "journal" : "tables"; }

std::string signed_line(const TreeHead& head, const SigningKey& key) {
  std::string text(kHeadWord);
  text += std::string(" ") + head_kind_name(head.kind) + " " + hex(head.journal) + " " + std::to_string(head.size) + " " + hex(head.root) +
          " " + hex(head.chain) + " " + std::to_string(head.time) + " " + hex(key.public_key());
  return with_signature(std::move(text), key);
}

std::string signed_line(const KeyIntroduction& introduction, const SigningKey& by) {
  std::string text(kKeyWord);
  text += " " + hex(introduction.journal) + " " + hex(introduction.key) + " " + std::to_string(introduction.time) + " " +
          hex(by.public_key());
  return with_signature(std::move(text), by);
}

Result<WitnessLine> parse_witness_line(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  WitnessLine read;
  bool good = false;
  if (words[0] == kHeadWord) {
    if (words.size() != 9) return wrong("a head has 9 words, this has " + std::to_string(words.size()));
    TreeHead head;
    head.kind = words[1] == head_kind_name(HeadKind::kTables) ? HeadKind::kTables : HeadKind::kJournal;
    good = words[1] == head_kind_name(head.kind) && from_hex(words[2], head.journal) && parse_number(words[3], head.size) &&
           from_hex(words[4], head.root) && from_hex(words[5], head.chain) && parse_number(words[6], head.time);
    read.what = head;
  } else if (words[0] == kKeyWord) {
    if (words.size() != 6) return wrong("a key has 6 words, this has " + std::to_string(words.size()));
    KeyIntroduction introduction;
    good = from_hex(words[1], introduction.journal) && from_hex(words[2], introduction.key) && parse_number(words[3], introduction.time);
    read.what = introduction;
  } else {
    return wrong("it begins neither with " + std::string(kHeadWord) + " nor with " + std::string(kKeyWord));
  }
  good = good && from_hex(words[words.size() - 2], read.signer) && from_hex(words.back(), read.signature);
  if (!good) return wrong("one of its words is not what stands there");
  read.signed_text = line.substr(0, line.size() - words.back().size() - 1);
  return read;
}

}  // namespace halocline
