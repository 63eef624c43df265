#include "engine/queries/expression_text.h"

#include "base/civil_time.h"

namespace halocline::queries {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string constant_text(const Expression& e) {
  const std::string text = value_text(constant_value(e), e.type);
  if (e.null) return text;
  if (e.type == ValueType::kText) return in_quotes(text);
  if (e.type == ValueType::kTimestamp) return "TIMESTAMP '" + text + "'";
  return e.type == ValueType::kInterval ? "INTERVAL '" + text + "'" : text;
}

}  // namespace

std::string expression_text(const Expression& e, const ExpressionNames& names) {
  const auto child = [&](std::size_t i) { return expression_text(e.children[i], names); };
  const auto infix = [&](const char* op) { return "(" + child(0) + " " + op + " " + child(1) + ")"; };
  const auto list = [&](std::size_t first) {
    std::string out = "(";
    for (std::size_t i = first; i < e.children.size(); ++i) out += (i == first ? "" : ", ") + child(i);
    return out + ")";
  };
  switch (e.operation) {
    case Operation::kConstant: return constant_text(e);
    case Operation::kColumn: {
      const std::string name(names.sources[e.side]->columns[e.index].name);
      return names.aliases.empty() ? name : names.aliases[e.side] + "." + name;
    }
    case Operation::kSlot: return names.slots[e.index];
    case Operation::kNow: return "NOW()";
    case Operation::kAnd: return infix("AND");
    case Operation::kOr: return infix("OR");
    case Operation::kNot: return "NOT " + child(0);
    case Operation::kEqual: return infix("=");
    case Operation::kNotEqual: return infix("<>");
    case Operation::kLess: return infix("<");
    case Operation::kLessEqual: return infix("<=");
    case Operation::kGreater: return infix(">");
    case Operation::kGreaterEqual: return infix(">=");
    case Operation::kIsNull: return child(0) + " IS NULL";
    case Operation::kIsTrue: return child(0) + " IS TRUE";
    case Operation::kIsFalse: return child(0) + " IS FALSE";
    case Operation::kIn: return child(0) + " IN " + list(1);
    case Operation::kLike: {
      std::string escape;
      for (std::uint32_t bytes = e.index; bytes != 0; bytes >>= 8) escape.push_back(static_cast<char>(bytes & 0xFF));
      return "(" + child(0) + " LIKE " + child(1) + (escape.empty() ? "" : " ESCAPE " + in_quotes(escape)) + ")";
    }
    case Operation::kAdd: return infix("+");
    case Operation::kSubtract: return infix("-");
    case Operation::kMultiply: return infix("*");
    case Operation::kDivide: return infix("/");
    case Operation::kModulo: return infix("%");
    case Operation::kNegate: return "-" + child(0);
    case Operation::kToDecimal: return child(0);
    case Operation::kCase: {
      std::string out = "CASE";
      for (std::size_t i = 0; i + 1 < e.children.size(); i += 2) out += " WHEN " + child(i) + " THEN " + child(i + 1);
      return out + " ELSE " + child(e.children.size() - 1) + " END";
    }
    case Operation::kCoalesce: return "COALESCE" + list(0);
    case Operation::kAbs: return "ABS" + list(0);
    case Operation::kRound: return "ROUND(" + child(0) + ", " + std::to_string(e.index) + ")";
    case Operation::kDateTrunc:
      return "DATE_TRUNC(" + in_quotes(calendar_unit_name(static_cast<CalendarUnit>(e.index))) + ", " + child(0) + ")";
  }
  return "";
}

}  // namespace halocline::queries
