#include "gateways/fix/framer.h"

#include <cstdint>

#include "gateways/fix/message.h"

namespace halocline::fix {
namespace {

constexpr std::size_t kTrailerBytes = 7;  // "10=nnn" and SOH
constexpr std::size_t kMostHeadBytes = 40;  // BeginString and BodyLength with their tags

}  // namespace

void Framer::take(std::string_view bytes) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_ += bytes;
}

// Passes over everything up to the next thing that looks like the start of a message.
Framer::Step Framer::garbled(std::size_t from) {
  const std::size_t start = buffer_.find("8=FIX", from);
  if (start != std::string::npos) {
    at_ = start;
    return kGarbled;
  }
  // The end may hold the beginning of one.
  std::size_t keep = 4;
  while (keep > 0 && (buffer_.size() < from + keep || std::string_view("8=FIX").substr(0,
      keep) != std::string_view(buffer_).substr(buffer_.size() - keep))) {
    --keep;
  }
  at_ = buffer_.size() - keep;
  return kGarbled;
}

Framer::Step Framer::next(std::string_view& message) {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.empty()) return kNeedsMore;
  const std::string_view start = std::string_view("8=FIX").substr(0, rest.size());
  if (!rest.starts_with(start)) return garbled(at_ + 1);
  const std::size_t begin_end = rest.find(kSoh);
  const std::size_t length_end = begin_end == std::string_view::npos ? begin_end : rest.find(kSoh, begin_end + 1);
  if (length_end == std::string_view::npos) return rest.size() > kMostHeadBytes ? garbled(at_ + 1) : kNeedsMore;
  const std::string_view length_field = rest.substr(begin_end + 1, length_end - begin_end - 1);
  const std::uint32_t length = length_field.starts_with("9=") ? sequence_number(length_field.substr(2)) : 0;
  if (length_end > kMostHeadBytes || length == 0) return garbled(at_ + 1);
  const std::size_t body = length_end + 1;
  if (length > most_ || body + length + kTrailerBytes > most_) return kTooLarge;
  if (rest.size() < body + length + kTrailerBytes) return kNeedsMore;

  const std::string_view trailer = rest.substr(body + length, kTrailerBytes);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (rest[body + length - 1] != kSoh || !trailer.starts_with("10=") || !is_digit(trailer[3]) || !is_digit(trailer[4]) ||
      !is_digit(trailer[5]) || trailer.back() != kSoh || !rest.substr(body).starts_with("35=")) {
    return garbled(at_ + 1);
  }
  unsigned sum = 0;
  for (const char c : rest.substr(0, body + length)) sum += static_cast<unsigned char>(c);
  const unsigned said = static_cast<unsigned>((trailer[3] - '0') * 100 + (trailer[4] - '0') * 10 + (trailer[5] - '0'));
  if (sum % 256 != said) return garbled(at_ + body + length);
  message = rest.substr(0, body + length + kTrailerBytes);
  at_ += message.size();
  return kMessage;
}

}  // namespace halocline::fix
