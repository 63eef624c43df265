#include "gateways/fix/message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/limits.h"

namespace halocline::fix {
namespace {

// Data fields and the length fields before them, FIX 4.4 volume 6, "data" fields.
constexpr std::array<std::pair<int, int>, 16> kData{{{90, 91}, {93, 89}, {95, 96}, {212, 213}, {348, 349}, {350, 351}, {352, 353},
    {354, 355},
                                                     {356, 357}, {358, 359}, {360, 361}, {362, 363}, {364, 365}, {445, 446}, {618, 619},
                                                         {621, 622}}};

int data_after(int length_tag) {
  for (const auto& [length, data] : kData) {
    if (length == length_tag) return data;
  }
  return 0;
}

// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<unsigned>(year - era * 400);
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146'097 + static_cast<std::int64_t>(of_era_days) - 719'468;
}

bool digits(std::string_view text, std::size_t at, std::size_t count, unsigned& value) {
  value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return true;
}

}  // namespace

bool Message::parse(std::string_view text) {
  fields_.clear();
  text_ = text;
  type_ = {};
  number_ = 0;
  std::size_t at = 0;
  int data_tag = 0;
  std::size_t data_length = 0;
  while (at < text.size()) {
    Field field;
    const char* begin = text.data() + at;
    const char* end = text.data() + text.size();
    const auto [equals, error] = std::from_chars(begin, end, field.tag);
    if (error != std::errc() || equals == end || *equals != '=' || field.tag <= 0 || *begin == '+') return false;
    const auto value = static_cast<std::size_t>(equals - text.data()) + 1;
    std::size_t soh = text.find(kSoh, value);
    if (field.tag == data_tag) {
      if (data_length >= text.size() - value || text[value + data_length] != kSoh) return false;
      soh = value + data_length;
    }
    if (soh == std::string_view::npos || fields_.size() == kMostFields) return false;
    field.value = text.substr(value, soh - value);
    fields_.push_back(field);
    data_tag = data_after(field.tag);
    data_length = data_tag == 0 ? 0 : sequence_number(field.value);
    at = soh + 1;
  }
  if (fields_.size() < 4 || fields_[0].tag != tag::kBeginString || fields_[1].tag != tag::kBodyLength || fields_[2].tag != tag::kMsgType) {
    return false;
  }
  type_ = fields_[2].value;
  number_ = sequence_number(value_of(fields_, tag::kMsgSeqNum));
  return true;
}

std::string_view value_of(Fields fields, int tag) {
  for (const Field& field : fields) {
    if (field.tag == tag) return field.value;
  }
  return {};
}

bool is_admin(std::string_view type) { return type.size() == 1 && std::string_view("0A12345").find(type[0]) != std::string_view::npos; }

bool is_header_tag(int tag) {
  switch (tag) {
    case 8: case 9: case 35: case 34: case 43: case 49: case 50: case 52: case 56: case 57: case 90: case 91: case 97: case 115: case 116:
    case 122: case 128: case 129: case 142: case 143: case 144: case 145: case 212: case 213: case 347: case 369: case 627: case 628:
    case 629: case 630: case 1128: case 1129: case 1156:
      return true;
    default: return false;
  }
}

void append_field(std::string& text, int tag, std::string_view value) {
  text += std::to_string(tag);
  text += '=';
  text += value;
  text += kSoh;
}

std::uint32_t sequence_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= limits::kMaxFixNumber ? value : 0;
}

bool parse_timestamp(std::string_view text, std::int64_t& nanoseconds) {
  unsigned year, month, day, hour, minute, second;
  if (text.size() < 17 || text.size() > 27 || text[8] != '-' || text[11] != ':' || text[14] != ':') return false;
  if (!digits(text, 0, 4, year) || !digits(text, 4, 2, month) || !digits(text, 6, 2, day) || !digits(text, 9, 2, hour) ||
      !digits(text, 12, 2, minute) || !digits(text, 15, 2, second)) {
    return false;
  }
  // A second of 60 is a leap second: the first of the next minute.
  if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return false;
  unsigned fraction = 0;
  if (text.size() > 17) {
    const std::size_t places = text.size() - 18;
    if (text[17] != '.' || places == 0 || !digits(text, 18, places, fraction)) return false;
    for (std::size_t i = places; i < 9; ++i) fraction *= 10;
  }
  nanoseconds = (days_of(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second) * 1'000'000'000 + fraction;
  return true;
}

}  // namespace halocline::fix
