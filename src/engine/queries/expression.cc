#include "engine/queries/expression.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {

enum class Program::Code : std::uint8_t {
  kConstant, kColumn, kSlot, kNow,
  kAnd, kOr, kNot, kJumpIfFalse, kJumpIfTrue, kJumpUnlessTrue, kJumpIfPresent, kJump, kPop,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  kTextEqual, kTextNotEqual, kTextLess, kTextLessEqual, kTextGreater, kTextGreaterEqual,
  kIsNull, kIsTrue, kIsFalse, kIn, kLike,
  kAddInt, kSubtractInt, kMultiplyInt, kNegateInt, kAbsInt,
  kAddDecimal, kSubtractDecimal, kMultiplyDecimal, kDivideDecimal, kNegateDecimal, kAbsDecimal, kRoundDecimal,
  kModulo, kToDecimal, kDateTrunc,
};

namespace {

// Rows that have one number, texts one; bool, int, timestamps and intervals are 64 bits.
Value in_int_range(Int128 number) {
  const bool fits = number >= std::numeric_limits<std::int64_t>::min() && number <= std::numeric_limits<std::int64_t>::max();
  return fits ? Value::of(number) : Value{};
}

Value in_decimal_range(Int128 number) {
  return number <= limits::kMaxQueryDecimal && -number <= limits::kMaxQueryDecimal ? Value::of(number) : Value{};
}

// |a * b| of two decimals is below 1e58, beyond 128 bits; what would be out of range is told before it is computed.
Value multiply_decimal(Int128 a, Int128 b) {
  const UInt128 size_a = a < 0 ? -static_cast<UInt128>(a) : static_cast<UInt128>(a);
  const UInt128 size_b = b < 0 ? -static_cast<UInt128>(b) : static_cast<UInt128>(b);
  if (size_a == 0 || size_b == 0) return Value::of(0);
  // a * b / 1e8 <= most  <=  a <= most * 1e8 / b; one more than the quotient keeps the bound on the safe side.
  const UInt128 most = static_cast<UInt128>(limits::kMaxQueryDecimal) * limits::kScale / size_b;
  if (size_a > most + 1) return Value{};
  return in_decimal_range(mul_div(a, b, limits::kScale));
}

Value divide_decimal(Int128 a, Int128 b) {
  if (b == 0 || in_decimal_range(a).null) return Value{};
  if (b < 0) a = -a, b = -b;
  // |a| <= 1e29, so a * 1e8 fits in 128 bits.
  return in_decimal_range(div_round(a * limits::kScale, b));
}

Value round_decimal(Int128 a, std::uint32_t decimals) {
  Int128 unit = 1;
  for (std::uint32_t i = decimals; i < 8; ++i) unit *= 10;
  return in_decimal_range(div_round(a, unit) * unit);
}

std::size_t character_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(size, text.size());
}

}  // namespace

std::uint32_t escape_of(std::string_view character) {
  std::uint32_t out = 0;
  for (std::size_t i = character.size(); i > 0; --i) out = out << 8 | static_cast<unsigned char>(character[i - 1]);
  return out;
}

bool like(std::string_view text, std::string_view pattern, std::uint32_t escape) {
  const auto escapes = [&](std::size_t at) {
    if (escape == 0) return std::size_t{0};
    const std::size_t size = character_size(pattern.substr(at));
    return escape_of(pattern.substr(at, size)) == escape ? size : 0;
  };
  std::size_t t = 0, p = 0;
  // Where to go on when it does not fit: after the last %, one byte further in the text.
  std::size_t after_percent = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    const std::size_t escaped = p < pattern.size() ? escapes(p) : 0;  // what follows so many bytes stands for itself
    if (escaped != 0 && p + escaped < pattern.size() && pattern[p + escaped] == text[t]) {
      ++t, p += escaped + 1;
    } else if (escaped == 0 && p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      retry = t;
    } else if (escaped == 0 && p < pattern.size() && pattern[p] == '_') {
      t += character_size(text.substr(t));
      ++p;
    } else if (escaped == 0 && p < pattern.size() && pattern[p] == text[t]) {
      ++t, ++p;
    } else if (after_percent != std::string_view::npos) {
      retry += character_size(text.substr(retry));
      t = retry;
      p = after_percent;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%' && escapes(p) == 0) ++p;
  return p == pattern.size();
}

bool Expression::operator==(const Expression& other) const {
  return operation == other.operation && type == other.type && side == other.side && index == other.index && null == other.null &&
         number == other.number && text == other.text && children == other.children;
}

Expression constant(ValueType type, Int128 number) {
  Expression out;
  out.operation = Operation::kConstant;
  out.type = type;
  out.number = number;
  return out;
}

Expression text_constant(std::string text) {
  Expression out;
  out.operation = Operation::kConstant;
  out.type = ValueType::kText;
  out.text = std::move(text);
  return out;
}

Expression null_constant() {
  Expression out;
  out.operation = Operation::kConstant;
  out.null = true;
  return out;
}

Value constant_value(const Expression& expression) {
  if (expression.null) return Value{};
  return expression.type == ValueType::kText ? Value::of_text(expression.text) : Value::of(expression.number);
}

std::size_t stack_need(const Expression& expression) {
  std::size_t need = 1, held = 0;
  const bool in = expression.operation == Operation::kIn;
  const bool keeps = expression.operation != Operation::kCase && expression.operation != Operation::kCoalesce;
  for (const Expression& child : expression.children) {
    need = std::max(need, held + stack_need(child));
    if (keeps) ++held;
    if (in) break;  // its list is constant
  }
  return need;
}

Program::Program(const Expression& expression, std::span<const Table* const> sources) : type_(expression.type) {
  CHECK(stack_need(expression) <= kProgramStack, "an expression that needs a stack of %zu", stack_need(expression));
  compile(expression, sources);
  if (expression.operation == Operation::kColumn) side_ = expression.side, column_ = &sources[side_]->columns[expression.index];
  if (expression.operation == Operation::kSlot) slot_ = expression.index;
}

std::size_t Program::emit_jump(Code code) {
  emit(code);
  return steps_.size() - 1;
}

void Program::compile(const Expression& e, std::span<const Table* const> sources) {
  const auto child = [&](std::size_t i) { compile(e.children[i], sources); };
  const auto both = [&](Code code) { child(0), child(1), emit(code); };
  const bool of_text = !e.children.empty() && (e.children[0].type == ValueType::kText ||
                                               (e.children.size() > 1 && e.children[1].type == ValueType::kText));
  const bool decimal = e.type == ValueType::kDecimal;
  switch (e.operation) {
    case Operation::kConstant: {
      Value value;
      value.null = e.null;
      value.number = e.number;
      if (e.type == ValueType::kText && !e.null) value.text = *texts_.emplace_back(std::make_unique<const std::string>(e.text));
      constants_.push_back(value);
      return emit(Code::kConstant, static_cast<std::uint32_t>(constants_.size() - 1));
    }
    case Operation::kColumn:
      steps_.push_back({Code::kColumn, e.side, 0, sources[e.side]->columns[e.index].load});
      return;
    case Operation::kSlot: return emit(Code::kSlot, e.index);
    case Operation::kNow: return emit(Code::kNow);
    case Operation::kAnd:
    case Operation::kOr: {
      const bool is_and = e.operation == Operation::kAnd;
      child(0);
      const std::size_t decided = emit_jump(is_and ? Code::kJumpIfFalse : Code::kJumpIfTrue);
      child(1);
      emit(is_and ? Code::kAnd : Code::kOr);
      return land(decided);
    }
    case Operation::kNot: return child(0), emit(Code::kNot);
    case Operation::kEqual: return both(of_text ? Code::kTextEqual : Code::kEqual);
    case Operation::kNotEqual: return both(of_text ? Code::kTextNotEqual : Code::kNotEqual);
    case Operation::kLess: return both(of_text ? Code::kTextLess : Code::kLess);
    case Operation::kLessEqual: return both(of_text ? Code::kTextLessEqual : Code::kLessEqual);
    case Operation::kGreater: return both(of_text ? Code::kTextGreater : Code::kGreater);
    case Operation::kGreaterEqual: return both(of_text ? Code::kTextGreaterEqual : Code::kGreaterEqual);
    case Operation::kIsNull: return child(0), emit(Code::kIsNull);
    case Operation::kIsTrue: return child(0), emit(Code::kIsTrue);
    case Operation::kIsFalse: return child(0), emit(Code::kIsFalse);
    case Operation::kIn: {
      Set set;
      set.is_text = of_text;
      for (std::size_t i = 1; i < e.children.size(); ++i) {
        const Expression& one = e.children[i];
        if (one.null) {
          set.has_null = true;
        } else if (of_text) {
          set.texts.push_back(one.text);
        } else {
          set.numbers.push_back(one.number);
        }
      }
      std::sort(set.numbers.begin(), set.numbers.end());
      std::sort(set.texts.begin(), set.texts.end());
      child(0);
      sets_.push_back(std::move(set));
      return emit(Code::kIn, static_cast<std::uint32_t>(sets_.size() - 1));
    }
    case Operation::kLike: return child(0), child(1), emit(Code::kLike, e.index);
    case Operation::kAdd: return both(decimal ? Code::kAddDecimal : Code::kAddInt);
    case Operation::kSubtract: return both(decimal ? Code::kSubtractDecimal : Code::kSubtractInt);
    case Operation::kMultiply: return both(decimal ? Code::kMultiplyDecimal : Code::kMultiplyInt);
    case Operation::kDivide: return both(Code::kDivideDecimal);
    case Operation::kModulo: return both(Code::kModulo);
    case Operation::kNegate: return child(0), emit(decimal ? Code::kNegateDecimal : Code::kNegateInt);
    case Operation::kToDecimal: return child(0), emit(Code::kToDecimal);
    case Operation::kAbs: return child(0), emit(decimal ? Code::kAbsDecimal : Code::kAbsInt);
    case Operation::kRound: return child(0), emit(Code::kRoundDecimal, e.index);
    case Operation::kDateTrunc: return child(0), emit(Code::kDateTrunc, e.index);
    case Operation::kCase: {
      std::vector<std::size_t> to_end;
      for (std::size_t i = 0; i + 1 < e.children.size(); i += 2) {
        child(i);
        const std::size_t next = emit_jump(Code::kJumpUnlessTrue);
        child(i + 1);
        to_end.push_back(emit_jump(Code::kJump));
        land(next);
      }
      child(e.children.size() - 1);
      for (const std::size_t jump : to_end) land(jump);
      return;
    }
    case Operation::kCoalesce: {
      std::vector<std::size_t> to_end;
      for (std::size_t i = 0; i < e.children.size(); ++i) {
        child(i);
        if (i + 1 == e.children.size()) break;
        to_end.push_back(emit_jump(Code::kJumpIfPresent));
        emit(Code::kPop);
      }
      for (const std::size_t jump : to_end) land(jump);
      return;
    }
  }
}

bool SlotComparison::holds(const Inputs& inputs) const {
  const Value& value = inputs.slots[slot];
  if (value.null) return false;
  switch (operation) {
    case Operation::kEqual: return value.number == constant;
    case Operation::kNotEqual: return value.number != constant;
    case Operation::kLess: return value.number < constant;
    case Operation::kLessEqual: return value.number <= constant;
    case Operation::kGreater: return value.number > constant;
    default: return value.number >= constant;
  }
}

std::optional<SlotComparison> Program::slot_comparison() const {
  if (steps_.size() != 3 || steps_[0].code != Code::kSlot || steps_[1].code != Code::kConstant) return std::nullopt;
  const Code code = steps_[2].code;
  const Value& constant = constants_[steps_[1].at];
  if (code < Code::kEqual || code > Code::kGreaterEqual || in_int_range(constant.number).null || constant.null) return std::nullopt;
  // Both enumerations have the comparisons in the same order.
  static_assert(static_cast<int>(Code::kGreaterEqual) - static_cast<int>(Code::kEqual) ==
                static_cast<int>(Operation::kGreaterEqual) - static_cast<int>(Operation::kEqual));
  const int beyond_equal = static_cast<int>(code) - static_cast<int>(Code::kEqual);
  const auto operation = static_cast<Operation>(static_cast<int>(Operation::kEqual) + beyond_equal);
  return SlotComparison{operation, steps_[0].at, static_cast<std::int64_t>(constant.number)};
}

Value Program::run_steps(const Reader& reader, const Inputs& inputs) const {
  // Not cleared: a place is written before it is read. The first is never used.
  static_assert(std::is_trivially_copyable_v<Value> && std::is_trivially_destructible_v<Value>);
  alignas(Value) std::byte stack[sizeof(Value) * (kProgramStack + 1)];
  Value* top = reinterpret_cast<Value*>(stack);
  const auto truth = [](bool yes) { return Value::of(yes ? 1 : 0); };
  // A null operand gives null; else what `compute` makes of the two.
  const auto with_two = [&](auto compute) {
    const Value right = *top--;
    *top = top->null || right.null ? Value{} : compute(*top, right);
  };
  const auto with_one = [&](auto compute) {
    if (!top->null) *top = compute(*top);
  };
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    const Step& step = steps_[at];
    switch (step.code) {
      case Code::kConstant: *++top = constants_[step.at]; break;
      case Code::kColumn: {
        const std::uint32_t row = inputs.rows[step.side];
        *++top = row == kNoId ? Value{} : step.load(reader, row);
        break;
      }
      case Code::kSlot: *++top = inputs.slots[step.at]; break;
      case Code::kNow: *++top = Value::of(reader.now); break;

      case Code::kAnd: {
        const Value right = *top--;
        if (!right.null && right.number == 0) *top = right;
        else if (right.null) *top = Value{};
        break;  // else: what the left is, true or null
      }
      case Code::kOr: {
        const Value right = *top--;
        if (!right.null && right.number != 0) *top = right;
        else if (right.null) *top = Value{};
        break;
      }
      case Code::kNot: with_one([&](const Value& a) { return truth(a.number == 0); }); break;
      case Code::kJumpIfFalse:
        if (!top->null && top->number == 0) at = step.at - 1;
        break;
      case Code::kJumpIfTrue:
        if (!top->null && top->number != 0) at = step.at - 1;
        break;
      case Code::kJumpUnlessTrue: {
        const Value condition = *top--;
        if (condition.null || condition.number == 0) at = step.at - 1;
        break;
      }
      case Code::kJumpIfPresent:
        if (!top->null) at = step.at - 1;
        break;
      case Code::kJump: at = step.at - 1; break;
      case Code::kPop: --top; break;

      case Code::kEqual: with_two([&](const Value& a, const Value& b) { return truth(a.number == b.number); }); break;
      case Code::kNotEqual: with_two([&](const Value& a, const Value& b) { return truth(a.number != b.number); }); break;
      case Code::kLess: with_two([&](const Value& a, const Value& b) { return truth(a.number < b.number); }); break;
      case Code::kLessEqual: with_two([&](const Value& a, const Value& b) { return truth(a.number <= b.number); }); break;
      case Code::kGreater: with_two([&](const Value& a, const Value& b) { return truth(a.number > b.number); }); break;
      case Code::kGreaterEqual: with_two([&](const Value& a, const Value& b) { return truth(a.number >= b.number); }); break;
      case Code::kTextEqual: with_two([&](const Value& a, const Value& b) { return truth(a.text == b.text); }); break;
      case Code::kTextNotEqual: with_two([&](const Value& a, const Value& b) { return truth(a.text != b.text); }); break;
      case Code::kTextLess: with_two([&](const Value& a, const Value& b) { return truth(a.text < b.text); }); break;
      case Code::kTextLessEqual: with_two([&](const Value& a, const Value& b) { return truth(a.text <= b.text); }); break;
      case Code::kTextGreater: with_two([&](const Value& a, const Value& b) { return truth(a.text > b.text); }); break;
      case Code::kTextGreaterEqual: with_two([&](const Value& a, const Value& b) { return truth(a.text >= b.text); }); break;
      case Code::kIsNull: *top = truth(top->null); break;
      case Code::kIsTrue: *top = truth(!top->null && top->number != 0); break;
      case Code::kIsFalse: *top = truth(!top->null && top->number == 0); break;
      case Code::kIn:
        with_one([&](const Value& a) {
          const Set& set = sets_[step.at];
          const bool found = set.is_text ? std::binary_search(set.texts.begin(), set.texts.end(), a.text)
                                         : std::binary_search(set.numbers.begin(), set.numbers.end(), a.number);
          return !found && set.has_null ? Value{} : truth(found);
        });
        break;
      case Code::kLike: with_two([&](const Value& a, const Value& b) { return truth(like(a.text, b.text, step.at)); }); break;

      case Code::kAddInt: with_two([](const Value& a, const Value& b) { return in_int_range(a.number + b.number); }); break;
      case Code::kSubtractInt: with_two([](const Value& a, const Value& b) { return in_int_range(a.number - b.number); }); break;
      case Code::kMultiplyInt: with_two([](const Value& a, const Value& b) { return in_int_range(a.number * b.number); }); break;
      case Code::kNegateInt: with_one([](const Value& a) { return in_int_range(-a.number); }); break;
      case Code::kAbsInt: with_one([](const Value& a) { return in_int_range(a.number < 0 ? -a.number : a.number); }); break;
      case Code::kAddDecimal: with_two([](const Value& a, const Value& b) { return in_decimal_range(a.number + b.number); }); break;
      case Code::kSubtractDecimal: with_two([](const Value& a, const Value& b) { return in_decimal_range(a.number - b.number); }); break;
      case Code::kMultiplyDecimal: with_two([](const Value& a, const Value& b) { return multiply_decimal(a.number, b.number); }); break;
      case Code::kDivideDecimal: with_two([](const Value& a, const Value& b) { return divide_decimal(a.number, b.number); }); break;
      case Code::kNegateDecimal: with_one([](const Value& a) { return Value::of(-a.number); }); break;
      case Code::kAbsDecimal: with_one([](const Value& a) { return Value::of(a.number < 0 ? -a.number : a.number); }); break;
      case Code::kRoundDecimal: with_one([&](const Value& a) { return round_decimal(a.number, step.at); }); break;
      case Code::kModulo: with_two([](const Value& a, const Value& b) { return b.number == 0 ? Value{} : Value::of(a.number % b.number);
          }); break;
      case Code::kToDecimal: with_one([](const Value& a) { return Value::of(a.number * limits::kScale); }); break;
      case Code::kDateTrunc:
        with_one([&](const Value& a) {
          return Value::of(start_of(static_cast<CalendarUnit>(step.at), static_cast<std::int64_t>(a.number)));
        });
        break;
    }
  }
  return *top;
}

}  // namespace halocline::queries
