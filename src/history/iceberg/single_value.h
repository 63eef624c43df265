// Single values as bytes, as bounds and partition summaries have them. Iceberg spec, appendix D, "Binary single-value
// serialization". Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "history/avro/value.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

std::string int_bytes(std::int32_t value);
std::string long_bytes(std::int64_t value);
// The unscaled value: big-endian, in as few bytes as hold it.
std::string decimal_bytes(Int128 unscaled);

// Of a partition value of the type, which is no null.
std::string value_bytes(const avro::Value& value, const Type& type);
// Whether a is before b, both of the type and no null.
bool value_before(const avro::Value& a, const avro::Value& b, const Type& type);

// Bounds of texts are kept short: at most so many characters, the upper one rounded up.
inline constexpr std::size_t kBoundCharacters = 16;
std::string lower_text_bound(std::string_view least);
// Nothing when no text that short is above.
std::optional<std::string> upper_text_bound(std::string_view most);

}  // namespace halocline::iceberg
