// JSON as Iceberg's formats use it: reading with the first thing that is wrong remembered, so that a codec is a plain list of
// members.
//
//   Status first;
//   ObjectReader in(json, "snapshot", first);
//   snapshot.snapshot_id = in.number("snapshot-id");
//   if (!first.ok()) return first;   // kInvalidArgument: "Cannot parse snapshot: snapshot-id is missing"
//
// Any thread; a reader by one at a time. Heavy: for .cc files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/status.h"

namespace halocline::iceberg {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 128;  // objects and arrays within each other

// kInvalidArgument for what is not JSON, or nested too deeply; `what` names the text in the message.
Result<Json> parse_json(std::string_view text, std::string_view what);
// Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const Json& json);

class ObjectReader {
 public:
  // `value` and `first` outlive the reader. `what` names the object in messages.
  ObjectReader(const Json& value, std::string what, Status& first);

  // Required members; a missing or wrong one gives 0 or nothing, and the failure.
  std::int64_t number(const char* key);
  std::int32_t id(const char* key);
  std::string text(const char* key);
  bool flag(const char* key);
  // An object or array; an empty one when it fails.
  const Json& array(const char* key);
  const Json& object(const char* key);

  // nullopt or nothing where the member is missing or null; a failure when it is of another type.
  std::optional<std::int64_t> maybe_number(const char* key);
  std::optional<std::int32_t> maybe_id(const char* key);
  std::optional<std::string> maybe_text(const char* key);
  std::optional<bool> maybe_flag(const char* key);
  const Json& maybe_array(const char* key);
  const Json& maybe_object(const char* key);
  std::map<std::string, std::string> maybe_texts(const char* key);
  std::vector<std::string> maybe_text_list(const char* key);
  std::vector<std::int64_t> maybe_number_list(const char* key);

  // nullptr where the member is missing or null.
  const Json* find(const char* key) const;
  void fail(const std::string& why);

 private:
  const Json& value_;
  const std::string what_;
  Status& first_;
};

}  // namespace halocline::iceberg
