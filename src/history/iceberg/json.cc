#include "history/iceberg/json.h"

#include <limits>
#include <utility>

namespace halocline::iceberg {
namespace {

const Json kNoArray = Json::array();
const Json kNoObject = Json::object();

struct TooDeep {};

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  const auto shallow = [](int depth, Json::parse_event_t event, Json&) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxJsonDepth) throw TooDeep();
    return true;
  };
  try {
    return Json::parse(text, shallow);
  } catch (const Json::exception& error) {
    return Status(Code::kInvalidArgument, "Cannot parse " + std::string(what) + ": " + error.what());
  } catch (const TooDeep&) {
    return Status(Code::kInvalidArgument,
                  "Cannot parse " + std::string(what) + ": nested more than " + std::to_string(kMaxJsonDepth) + " deep");
  }
}

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

ObjectReader::ObjectReader(const Json& value, std::string what, Status& first) : value_(value), what_(std::move(what)), first_(first) {
  if (!value.is_object()) fail("it is not an object");
}

void ObjectReader::fail(const std::string& why) {
  if (first_.ok()) first_ = Status(Code::kInvalidArgument, "Cannot parse " + what_ + ": " + why);
}

const Json* ObjectReader::find(const char* key) const {
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(key);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::int64_t> ObjectReader::maybe_number(const char* key) {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  const bool too_large = member->is_number_unsigned() && member->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (!member->is_number_integer() || too_large) {
    fail(std::string(key) + " is not a whole number of 64 bits");
    return std::nullopt;
  }
  return member->get<std::int64_t>();
}

std::optional<std::int32_t> ObjectReader::maybe_id(const char* key) {
  const std::optional<std::int64_t> number = maybe_number(key);
  if (!number.has_value()) return std::nullopt;
  if (*number != static_cast<std::int32_t>(*number)) {
    fail(std::string(key) + " is not a whole number of 32 bits");
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*number);
}

std::optional<std::string> ObjectReader::maybe_text(const char* key) {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (member->is_string()) return member->get<std::string>();
  fail(std::string(key) + " is not a string");
  return std::nullopt;
}

std::optional<bool> ObjectReader::maybe_flag(const char* key) {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (member->is_boolean()) return member->get<bool>();
  fail(std::string(key) + " is not true or false");
  return std::nullopt;
}

const Json& ObjectReader::maybe_array(const char* key) {
  const Json* member = find(key);
  if (member == nullptr) return kNoArray;
  if (member->is_array()) return *member;
  fail(std::string(key) + " is not an array");
  return kNoArray;
}

const Json& ObjectReader::maybe_object(const char* key) {
  const Json* member = find(key);
  if (member == nullptr) return kNoObject;
  if (member->is_object()) return *member;
  fail(std::string(key) + " is not an object");
  return kNoObject;
}

std::map<std::string, std::string> ObjectReader::maybe_texts(const char* key) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : maybe_object(key).items()) {
    if (!value.is_string()) {
      fail(std::string(key) + "." + name + " is not a string");
      continue;
    }
    texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

std::vector<std::string> ObjectReader::maybe_text_list(const char* key) {
  std::vector<std::string> texts;
  for (const Json& value : maybe_array(key)) {
    if (!value.is_string()) {
      fail(std::string(key) + " holds something that is not a string");
      continue;
    }
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

std::vector<std::int64_t> ObjectReader::maybe_number_list(const char* key) {
  std::vector<std::int64_t> numbers;
  for (const Json& value : maybe_array(key)) {
    const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
    if (!value.is_number_integer() || too_large) {
      fail(std::string(key) + " holds something that is not a whole number of 64 bits");
      continue;
    }
    numbers.push_back(value.get<std::int64_t>());
  }
  return numbers;
}

std::int64_t ObjectReader::number(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_number(key).value_or(0);
}

std::int32_t ObjectReader::id(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_id(key).value_or(0);
}

std::string ObjectReader::text(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_text(key).value_or("");
}

bool ObjectReader::flag(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_flag(key).value_or(false);
}

const Json& ObjectReader::array(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_array(key);
}

const Json& ObjectReader::object(const char* key) {
  if (find(key) == nullptr) fail(std::string(key) + " is missing");
  return maybe_object(key);
}

}  // namespace halocline::iceberg
