// A block of records as it is handed to the journal and back from it: the unit of group commit. Its records share one
// time; record i has seq first_seq + i. A view: it owns nothing.
//
//   for (const Record record : block.contents()) apply(record.seq, block.time, record.type, record.payload);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "base/limits.h"
#include "command/command.h"

namespace halocline {

// Each record is u32 payload length, u16 type, u16 flags, payload; no padding. The journal knows no types.
inline constexpr std::size_t kRecordFrameBytes = 8;

struct Record {
  Seq seq = 0;
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::span<const std::byte> payload;
};

// The records of a payload that is known to be well framed (count_records): everything appended and everything a
// reader returns is.
class Records {
 public:
  class Iterator {
   public:
    Iterator(const std::byte* at, Seq seq) : at_(at), seq_(seq) {}
    Record operator*() const {
      Record record;
      record.seq = seq_;
      std::memcpy(&record.type, at_ + 4, 2);
      std::memcpy(&record.flags, at_ + 6, 2);
      record.payload = {at_ + kRecordFrameBytes, length()};
      return record;
    }
    Iterator& operator++() {
      at_ += kRecordFrameBytes + length();
      ++seq_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    std::uint32_t length() const {
      std::uint32_t bytes;
      std::memcpy(&bytes, at_, 4);
      return bytes;
    }
    const std::byte* at_;
    Seq seq_;
  };

  Records(std::span<const std::byte> payload, Seq first_seq) : payload_(payload), first_seq_(first_seq) {}
  Iterator begin() const { return {payload_.data(), first_seq_}; }
  Iterator end() const { return {payload_.data() + payload_.size(), 0}; }

 private:
  std::span<const std::byte> payload_;
  Seq first_seq_;
};

struct BlockView {
  Seq first_seq = 0;
  Nanos time = 0;
  std::uint32_t records = 0;              // how many; at least 1
  std::span<const std::byte> payload;     // the framed records, at most limits::kMaxBlockBytes

  Seq last_seq() const { return first_seq + records - 1; }
  Records contents() const { return {payload, first_seq}; }
};

// How many records a payload holds; nothing when it isn't a whole number of well-framed records.
inline std::optional<std::uint32_t> count_records(std::span<const std::byte> payload) {
  std::uint32_t count = 0;
  std::size_t at = 0;
  while (at != payload.size()) {
    if (payload.size() - at < kRecordFrameBytes) return std::nullopt;
    std::uint32_t length;
    std::memcpy(&length, payload.data() + at, 4);
    at += kRecordFrameBytes;
    if (length > payload.size() - at) return std::nullopt;
    at += length;
    ++count;
  }
  return count;
}

}  // namespace halocline
