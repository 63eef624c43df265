#include "engine/queries/typing.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <span>

#include "base/limits.h"

namespace halocline::queries {
namespace {

using enum ValueType;

bool is_number(ValueType type) { return type == kInt || type == kDecimal; }
std::string named(ValueType type) { return std::string(value_type_name(type)); }

Expression node(Operation operation, ValueType type, std::vector<Expression> children) {
  Expression out;
  out.operation = operation;
  out.type = type;
  if (!children.empty()) out.place = children[0].place;
  out.children = std::move(children);
  return out;
}

// A state without anything in it, for constants.
const State& nothing() {
  static const State state;
  return state;
}

// An expression of constants becomes one.
Expression folded(Expression expression) {
  if (expression.is_constant() || expression.operation == Operation::kNow || expression.operation == Operation::kColumn ||
      expression.operation == Operation::kSlot) {
    return expression;
  }
  for (const Expression& child : expression.children) {
    if (!child.is_constant()) return expression;
  }
  if (stack_need(expression) > kProgramStack) return expression;
  Splits splits(nothing());
  const Program program(expression, {});
  const Value value = program.run(Reader{nothing(), splits, 0}, {});
  Expression out = constant(expression.type, value.number);
  out.null = value.null;
  if (!value.null && expression.type == kText) out.text = value.text;
  out.place = expression.place;
  return out;
}

Expression with_index(Expression expression, std::uint32_t index) {
  expression.index = index;
  return expression;
}

Expression to_decimal_type(Expression e) {
  if (e.type != kInt) return e;
  return folded(node(Operation::kToDecimal, kDecimal, [&] {
    std::vector<Expression> one;
    one.push_back(std::move(e));
    return one;
  }()));
}

std::vector<Expression> pair_of(Expression left, Expression right) {
  std::vector<Expression> both;
  both.push_back(std::move(left));
  both.push_back(std::move(right));
  return both;
}

// Gives both the same type where there is a natural one: a bare NULL takes the other's, an int beside a decimal becomes one, a text
// constant
// beside a timestamp is read as one. False, with `wrong`, when there is none.
bool unify(Expression& a, Expression& b, std::string& wrong) {
  if (a.type == b.type) return true;
  if (a.type == kNull) return a.type = b.type, true;
  if (b.type == kNull) return b.type = a.type, true;
  if (is_number(a.type) && is_number(b.type)) {
    a = to_decimal_type(std::move(a));
    b = to_decimal_type(std::move(b));
    return true;
  }
  const auto read_as_time = [&](Expression& text) {
    const std::optional<std::int64_t> time = text.is_constant() ? parse_instant(text.text) : std::nullopt;
    if (!time) return false;
    const Place place = text.place;
    text = constant(kTimestamp, *time);
    text.place = place;
    return true;
  };
  if (a.type == kTimestamp && b.type == kText && read_as_time(b)) return true;
  if (b.type == kTimestamp && a.type == kText && read_as_time(a)) return true;
  const bool about_time = (a.type == kTimestamp && b.type == kText) || (b.type == kTimestamp && a.type == kText);
  wrong = with_article(a.type) + " and " + with_article(b.type) + " cannot be compared or mixed" +
          (about_time ? "; a time is written '2026-11-24 10:42:13'" : "");
  return false;
}

std::optional<Operation> comparison_from(std::string_view op) {
  if (op == "=") return Operation::kEqual;
  if (op == "<>") return Operation::kNotEqual;
  if (op == "<") return Operation::kLess;
  if (op == "<=") return Operation::kLessEqual;
  if (op == ">") return Operation::kGreater;
  if (op == ">=") return Operation::kGreaterEqual;
  return std::nullopt;
}

std::optional<Expression> arithmetic(std::string_view op, Expression a, Expression b, std::string& wrong) {
  const Operation operation = op == "+"   ? Operation::kAdd
                              : op == "-" ? Operation::kSubtract
                              : op == "*" ? Operation::kMultiply
                              : op == "/" ? Operation::kDivide
                                          : Operation::kModulo;
  const bool sum = op == "+" || op == "-";
  const auto of_time = [](ValueType type) { return type == kTimestamp || type == kInterval; };
  if (a.type == kNull && of_time(b.type)) a.type = op == "-" ? b.type : sum ? kInterval : kInt;
  if (b.type == kNull && of_time(a.type)) b.type = sum ? kInterval : kInt;
  const ValueType left = a.type, right = b.type;
  if (sum && left == kTimestamp && right == kInterval) return folded(node(operation, kTimestamp, pair_of(std::move(a), std::move(b))));
  if (op == "+" && left == kInterval && right == kTimestamp) return folded(node(operation, kTimestamp, pair_of(std::move(a),
      std::move(b))));
  if (op == "-" && left == kTimestamp && right == kTimestamp) return folded(node(operation, kInterval, pair_of(std::move(a),
      std::move(b))));
  if (sum && left == kInterval && right == kInterval) return folded(node(operation, kInterval, pair_of(std::move(a), std::move(b))));
  if (op == "*" && ((left == kInterval && right == kInt) || (left == kInt && right == kInterval))) {
    return folded(node(operation, kInterval, pair_of(std::move(a), std::move(b))));
  }
  const auto takes = [](ValueType type) { return is_number(type) || type == kNull; };
  if (!takes(left) || !takes(right)) {
    wrong = "there is no " + named(left) + " " + std::string(op) + " " + named(right);
    return std::nullopt;
  }
  if (left == kNull && right == kNull) a.type = kDecimal;
  if (!unify(a, b, wrong)) return std::nullopt;
  if (op == "/") {
    a = to_decimal_type(std::move(a));
    b = to_decimal_type(std::move(b));
  }
  const ValueType type = a.type;
  return folded(node(operation, type, pair_of(std::move(a), std::move(b))));
}

bool same_type(std::vector<Expression>& parts, std::size_t from, std::size_t step, std::string& wrong) {
  // Twice, so that what the last one brings also reaches the first.
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = from + step; i < parts.size(); i += step) {
      if (!unify(parts[from], parts[i], wrong)) return false;
    }
  }
  return true;
}

}  // namespace

std::string with_article(ValueType type) {
  const bool vowel = type == kInt || type == kInterval;
  return (vowel ? "an " : "a ") + named(type);
}

bool is_condition(const Expression& expression) { return expression.type == kBool || expression.type == kNull; }

std::optional<Expression> make_binary(std::string_view op, Expression a, Expression b, std::string& wrong) {
  if (op == "AND" || op == "OR") {
    if (!is_condition(a) || !is_condition(b)) {
      wrong = std::string(op) + " goes between conditions, not " + with_article(is_condition(a) ? b.type : a.type);
      return std::nullopt;
    }
    return folded(node(op == "AND" ? Operation::kAnd : Operation::kOr, kBool, pair_of(std::move(a), std::move(b))));
  }
  if (const std::optional<Operation> comparison = comparison_from(op)) {
    if (!unify(a, b, wrong)) return std::nullopt;
    return folded(node(*comparison, kBool, pair_of(std::move(a), std::move(b))));
  }
  return arithmetic(op, std::move(a), std::move(b), wrong);
}

std::optional<Expression> make_like(Expression text, Expression pattern, std::optional<Expression> escape, std::string& wrong) {
  const auto may_be_text = [](const Expression& one) { return one.type == kText || one.type == kNull; };
  if (!may_be_text(text) || !may_be_text(pattern)) {
    wrong = "LIKE goes between texts, not " + with_article(text.type) + " and " + with_article(pattern.type);
    return std::nullopt;
  }
  Expression out = node(Operation::kLike, kBool, pair_of(std::move(text), std::move(pattern)));
  if (!escape) return folded(std::move(out));
  const std::size_t characters = static_cast<std::size_t>(std::count_if(escape->text.begin(), escape->text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
  if (!escape->is_constant() || !may_be_text(*escape) || (!escape->null && (characters != 1 || escape->text.size() > 4))) {
    wrong = "ESCAPE takes a text of one character";
    return std::nullopt;
  }
  if (escape->null) return null_constant();
  out.index = escape_of(escape->text);
  return folded(std::move(out));
}

std::optional<Expression> make_not(Expression operand, std::string& wrong) {
  if (!is_condition(operand)) {
    wrong = "NOT goes before a condition, not " + with_article(operand.type);
    return std::nullopt;
  }
  std::vector<Expression> one;
  one.push_back(std::move(operand));
  return folded(node(Operation::kNot, kBool, std::move(one)));
}

std::optional<Expression> make_negative(Expression operand, std::string& wrong) {
  if (!is_number(operand.type) && operand.type != kInterval && operand.type != kNull) {
    wrong = "there is no negative " + named(operand.type);
    return std::nullopt;
  }
  const ValueType type = operand.type == kNull ? kDecimal : operand.type;
  std::vector<Expression> one;
  one.push_back(std::move(operand));
  return folded(node(Operation::kNegate, type, std::move(one)));
}

std::optional<Expression> make_test(Operation test, Expression operand, std::string& wrong) {
  if (test != Operation::kIsNull && !is_condition(operand)) {
    wrong = "IS TRUE and IS FALSE test a condition, not " + with_article(operand.type);
    return std::nullopt;
  }
  std::vector<Expression> one;
  one.push_back(std::move(operand));
  return folded(node(test, kBool, std::move(one)));
}

std::optional<Expression> make_in(Expression what, std::vector<Expression> list, std::string& wrong) {
  std::vector<Expression> children;
  children.push_back(std::move(what));
  for (Expression& one : list) {
    if (!one.is_constant()) {
      wrong = "the list of an IN holds constants only";
      return std::nullopt;
    }
    children.push_back(std::move(one));
  }
  if (!same_type(children, 0, 1, wrong)) return std::nullopt;
  return folded(node(Operation::kIn, kBool, std::move(children)));
}

std::optional<Expression> make_case(std::vector<Expression> parts, std::string& wrong) {
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    if (is_condition(parts[i])) continue;
    wrong = "WHEN takes a condition, not " + with_article(parts[i].type);
    return std::nullopt;
  }
  // All values, the last one too, get one type.
  std::vector<Expression> values;
  for (std::size_t i = 1; i < parts.size(); i += 2) values.push_back(std::move(parts[i]));
  values.push_back(std::move(parts.back()));
  if (!same_type(values, 0, 1, wrong)) return std::nullopt;
  const ValueType type = values[0].type;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) parts[2 * i + 1] = std::move(values[i]);
  parts.back() = std::move(values.back());
  return folded(node(Operation::kCase, type, std::move(parts)));
}

std::optional<Expression> make_coalesce(std::vector<Expression> parts, std::string& wrong) {
  if (parts.empty()) {
    wrong = "COALESCE takes at least one value";
    return std::nullopt;
  }
  if (!same_type(parts, 0, 1, wrong)) return std::nullopt;
  const ValueType type = parts[0].type;
  return folded(node(Operation::kCoalesce, type, std::move(parts)));
}

std::optional<Expression> make_function(std::string_view name, std::vector<Expression> arguments, std::string& wrong) {
  const auto count_is = [&](std::size_t least, std::size_t most) {
    if (arguments.size() >= least && arguments.size() <= most) return true;
    wrong = std::string(name) + " takes " + (least == most ? "" : std::to_string(least) + " or ") + std::to_string(most) + " value" +
            (most == 1 ? "" : "s") + ", not " + std::to_string(arguments.size());
    return false;
  };
  if (name == "ABS") {
    if (!count_is(1, 1)) return std::nullopt;
    if (arguments[0].type == kNull) arguments[0].type = kDecimal;
    if (!is_number(arguments[0].type) && arguments[0].type != kInterval) {
      wrong = "ABS takes a number or an interval, not " + with_article(arguments[0].type);
      return std::nullopt;
    }
    const ValueType type = arguments[0].type;
    return folded(node(Operation::kAbs, type, std::move(arguments)));
  }
  if (name == "ROUND") {
    if (!count_is(1, 2)) return std::nullopt;
    std::uint32_t decimals = 0;
    if (arguments.size() == 2) {
      const Expression& places = arguments[1];
      if (!places.is_constant() || places.type != kInt || places.number < 0 || places.number > 8) {
        wrong = "the second value of ROUND is the number of decimals, 0 to 8";
        return std::nullopt;
      }
      decimals = static_cast<std::uint32_t>(places.number);
      arguments.pop_back();
    }
    if (arguments[0].type == kNull) arguments[0].type = kDecimal;
    if (!is_number(arguments[0].type)) {
      wrong = "ROUND takes a number, not " + with_article(arguments[0].type);
      return std::nullopt;
    }
    if (arguments[0].type == kInt) return std::move(arguments[0]);
    return folded(with_index(node(Operation::kRound, kDecimal, std::move(arguments)), decimals));
  }
  if (name == "DATE_TRUNC") {
    if (!count_is(2, 2)) return std::nullopt;
    const std::optional<CalendarUnit> unit =
        arguments[0].is_constant() && arguments[0].type == kText ? calendar_unit_from(arguments[0].text) : std::nullopt;
    if (!unit) {
      wrong = "the first value of DATE_TRUNC is 'microsecond', 'millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', "
              "'quarter' or 'year'";
      return std::nullopt;
    }
    arguments.erase(arguments.begin());
    if (arguments[0].type == kNull) arguments[0].type = kTimestamp;
    if (arguments[0].type != kTimestamp) {
      wrong = "DATE_TRUNC takes a timestamp, not " + with_article(arguments[0].type);
      return std::nullopt;
    }
    return folded(with_index(node(Operation::kDateTrunc, kTimestamp, std::move(arguments)), static_cast<std::uint32_t>(*unit)));
  }
  if (name == "NULLIF") {
    if (!count_is(2, 2)) return std::nullopt;
    std::optional<Expression> same = make_binary("=", arguments[0], arguments[1], wrong);
    if (!same) return std::nullopt;
    std::vector<Expression> parts;
    parts.push_back(std::move(*same));
    parts.push_back(null_constant());
    parts.push_back(std::move(arguments[0]));
    return make_case(std::move(parts), wrong);
  }
  wrong = "there is no function " + std::string(name);
  return std::nullopt;
}

std::optional<std::int64_t> parse_interval(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  static constexpr Unit kUnits[] = {
      {"ns", 1}, {"nanosecond", 1}, {"us", 1'000}, {"microsecond", 1'000}, {"ms", 1'000'000}, {"millisecond", 1'000'000},
      {"s", 1'000'000'000}, {"second", 1'000'000'000}, {"m", 60'000'000'000}, {"minute", 60'000'000'000},
      {"h", 3'600'000'000'000}, {"hour", 3'600'000'000'000}, {"d", 86'400'000'000'000}, {"day", 86'400'000'000'000},
      {"week", 604'800'000'000'000}};
  Int128 total = 0;
  bool any = false;
  const auto skip_spaces = [&] {
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  };
  for (skip_spaces(); !text.empty(); skip_spaces()) {
    std::size_t digits = 0;
    while (digits < text.size() && (std::isdigit(static_cast<unsigned char>(text[digits])) != 0 || text[digits] == '.' ||
                                    (digits == 0 && text[digits] == '-'))) {
      ++digits;
    }
    const std::optional<Int128> amount = parse_decimal128(text.substr(0, digits));
    if (!amount) return std::nullopt;
    text.remove_prefix(digits);
    skip_spaces();
    std::size_t letters = 0;
    while (letters < text.size() && std::isalpha(static_cast<unsigned char>(text[letters])) != 0) ++letters;
    std::string_view word = text.substr(0, letters);
    text.remove_prefix(letters);
    if (word.size() > 3 && word.ends_with('s')) word.remove_suffix(1);
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& one) { return one.name == word; });
    if (unit == std::end(kUnits)) return std::nullopt;
    const Int128 most = (static_cast<Int128>(std::numeric_limits<std::int64_t>::max()) / unit->ns + 1) * limits::kScale;
    if (*amount > most || -*amount > most) return std::nullopt;  // keeps the product in 128 bits
    const Int128 ns = *amount * unit->ns;
    if (ns % limits::kScale != 0) return std::nullopt;
    total += ns / limits::kScale;
    if (total > std::numeric_limits<std::int64_t>::max() || total < std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    any = true;
  }
  return any ? std::optional(static_cast<std::int64_t>(total)) : std::nullopt;
}

}  // namespace halocline::queries
