#include "engine/queries/literal.h"

#include <charconv>

#include "base/civil_time.h"
#include "base/limits.h"
#include "engine/queries/typing.h"

namespace halocline::queries {
namespace {

std::optional<Expression> time_or_interval(const Syntax& literal, std::string& wrong) {
  const bool time = literal.qualifier == "TIMESTAMP";
  const std::optional<std::int64_t> ns = time ? parse_instant(literal.text) : parse_interval(literal.text);
  if (ns) return constant(time ? ValueType::kTimestamp : ValueType::kInterval, *ns);
  wrong = "\"" + literal.text + "\" is no " +
          (time ? "time; write TIMESTAMP '2026-11-24 10:42:13.5' (UTC)" : "interval; write INTERVAL '60 seconds' or '1 hour 30 minutes'");
  return std::nullopt;
}

// Whole and within 64 bits: an int; else a decimal.
std::optional<Expression> number(const std::string& text, std::string& wrong) {
  if (text.find('.') == std::string::npos) {
    std::int64_t whole = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), whole).ec == std::errc()) return constant(ValueType::kInt, whole);
  }
  const std::string digits = (text[0] == '.' ? "0" : "") + text + (text.back() == '.' ? "0" : "");
  const std::optional<Int128> decimal = parse_decimal128(digits);
  if (decimal && *decimal <= limits::kMaxQueryDecimal) return constant(ValueType::kDecimal, *decimal);
  wrong = "the number is too large, or has more than 8 decimals";
  return std::nullopt;
}

bool read_time(const Expression& instant, std::optional<Nanos>& time, std::optional<std::string>& text) {
  if (instant.type == ValueType::kTimestamp && !instant.null) {
    time = static_cast<Nanos>(instant.number);
  } else if (instant.type == ValueType::kText) {
    text = instant.text;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<Expression> literal_of(const Syntax& literal, std::string& wrong) {
  if (literal.kind == SyntaxKind::kNull) return null_constant();
  if (literal.kind == SyntaxKind::kTrue) return constant(ValueType::kBool, 1);
  if (literal.kind == SyntaxKind::kFalse) return constant(ValueType::kBool, 0);
  if (literal.text.size() > limits::kMaxQueryLiteral) {
    wrong = "a text of more than " + std::to_string(limits::kMaxQueryLiteral) + " bytes";
    return std::nullopt;
  }
  if (literal.kind == SyntaxKind::kText) return text_constant(literal.text);
  if (literal.kind == SyntaxKind::kTypedText) return time_or_interval(literal, wrong);
  return number(literal.text, wrong);
}

bool read_as_of(const Expression& instant, bool is_seq, AsOf& out, std::string& wrong) {
  if (is_seq && instant.type == ValueType::kInt && instant.number >= 1) {
    out.seq = static_cast<Seq>(instant.number);
    return true;
  }
  if (!is_seq && read_time(instant, out.time, out.text)) return true;
  wrong = is_seq ? "AS OF SEQ takes a whole number from 1 on"
                 : "AS OF takes a time, as '2026-11-17 10:42 America/New_York' or '-30s', or SEQ and a number";
  return false;
}

bool read_effective_at(const Expression& instant, AsOf& out, std::string& wrong) {
  if (read_time(instant, out.effective_time, out.effective_text)) return true;
  wrong = "EFFECTIVE AT takes a time, as '2026-11-17 10:42 America/New_York' or '-30s'";
  return false;
}

}  // namespace halocline::queries
