#include "cli/query_values.h"

#include <charconv>

#include "base/decimal.h"
#include "cli/text.h"
#include "command/query.h"

namespace halocline::cli {
namespace {

bool parse_parameter(const std::string& text, std::string& name, v1::QueryValue& value) {
  const std::size_t equal = text.find('=');
  if (equal == std::string::npos || equal == 0) return false;
  name = text.substr(text[0] == '$' || text[0] == ':' ? 1 : 0, equal - (text[0] == '$' || text[0] == ':' ? 1 : 0));
  const std::string written = text.substr(equal + 1);
  if (name.empty()) return false;
  const char quote = written.empty() ? '\0' : written.front();
  if (written.size() >= 2 && (quote == '\'' || quote == '"') && written.back() == quote) {
    value.set_text_value(written.substr(1, written.size() - 2));
    return true;
  }
  if (written == "null" || written == "NULL") return true;
  if (written == "true" || written == "false") {
    value.set_bool_value(written == "true");
    return true;
  }
  std::int64_t whole = 0;
  const char* end = written.data() + written.size();
  if (const auto [at, error] = std::from_chars(written.data(), end, whole); error == std::errc() && at == end) {
    value.set_int_value(whole);
  } else if (parse_decimal128(written)) {
    value.set_decimal_value(written);
  } else {
    value.set_text_value(written);
  }
  return true;
}

}  // namespace

std::string query_text(const v1::QueryValue& value) {
  switch (value.value_case()) {
    case v1::QueryValue::kBoolValue: return value.bool_value() ? "true" : "false";
    case v1::QueryValue::kIntValue: return std::to_string(value.int_value());
    case v1::QueryValue::kDecimalValue: return value.decimal_value();
    case v1::QueryValue::kTextValue: return value.text_value();
    case v1::QueryValue::kTimestampNs: return time_text(value.timestamp_ns());
    case v1::QueryValue::kIntervalNs: return value_text(Value::of(value.interval_ns()), ValueType::kInterval);
    case v1::QueryValue::VALUE_NOT_SET: break;
  }
  return "NULL";
}

Json query_json(const v1::QueryValue& value) {
  switch (value.value_case()) {
    case v1::QueryValue::kBoolValue: return value.bool_value();
    case v1::QueryValue::kIntValue: return value.int_value();
    case v1::QueryValue::VALUE_NOT_SET: return nullptr;
    default: return query_text(value);
  }
}

bool is_number(v1::QueryType type) { return type == v1::QUERY_INT || type == v1::QUERY_DECIMAL || type == v1::QUERY_INTERVAL; }

Status parse_parameters(const std::vector<std::string>& texts, Parameters& parameters) {
  for (const std::string& text : texts) {
    std::string name;
    v1::QueryValue value;
    if (!parse_parameter(text, name, value)) return Status(Code::kInvalidArgument, "--param: \"" + text + "\" is not NAME=VALUE");
    parameters[name] = value;
  }
  return ok_status();
}

}  // namespace halocline::cli
