// Texts kept for ever, one after the other, copied in no time like CowArray. What is written is never changed, so a Text
// stays good in every copy made after it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/cow_array.h"

namespace halocline {

// Where a text is in its CowText; the empty text by default.
struct Text {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

class CowText {
 public:
  // Keeps a copy of `text` (at most kMostBytes).
  Text add(std::string_view text) {
    CHECK(text.size() <= kMostBytes);
    if (text.empty()) return {};
    // A text does not cross a chunk, so that it can be read in one piece.
    const std::size_t start = bytes_.size();
    const std::size_t in_chunk = start % Bytes::kPerChunk;
    const std::size_t at = in_chunk + text.size() > Bytes::kPerChunk ? start - in_chunk + Bytes::kPerChunk : start;
    CHECK(has_room(text.size()), "the text store is full");
    bytes_.grow_to(at + text.size());
    std::copy(text.begin(), text.end(), &bytes_.write(at));
    return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(text.size())};
  }

  // The view holds until the next add() to this object.
  std::string_view operator[](Text text) const {
    return text.length == 0 ? std::string_view() : std::string_view(&bytes_[text.offset], text.length);
  }

  // Whether a text of this size can still be added.
  bool has_room(std::size_t size) const { return bytes_.size() + Bytes::kPerChunk + size < 0xFFFF'FFFFu; }
  std::size_t bytes() const { return bytes_.bytes(); }

  // visit(name, array …), as CowIndex::each_array.
  template <class Visit, class... Texts>
  static void each_array(Visit&& visit, Texts&... texts) {
    visit("bytes", texts.bytes_...);
  }

 private:
  static constexpr std::size_t kMostBytes = 4096;
  using Bytes = CowArray<char, 16384>;
  Bytes bytes_;
};

}  // namespace halocline
