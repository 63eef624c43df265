// Expressions: first as a typed tree, then compiled into a flat program that is run without allocation. Evaluation is total: what
// has no answer (a division by zero, a number out of range) is NULL, so a query that was registered can never fail later.
//
// Rules of the arithmetic (docs/queries.md): ints are 64 bits; decimals are exact at 1e-8, products and quotients rounded once, half
// to even; beyond ±1e21 NULL. AND, OR and NOT are three-valued.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/civil_time.h"
#include "engine/queries/schema.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

enum class Operation : std::uint8_t {
  kConstant, kColumn, kSlot, kNow,
  kAnd, kOr, kNot,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  kIsNull, kIsTrue, kIsFalse,
  kIn, kLike,
  kAdd, kSubtract, kMultiply, kDivide, kModulo, kNegate,
  kToDecimal,  // from int
  kCase,       // pairs of condition and value, then the value otherwise
  kCoalesce, kAbs, kRound, kDateTrunc,
};

// A typed expression. Two are the same when their operations, operands and children are.
struct Expression {
  Operation operation{};
  ValueType type = ValueType::kNull;
  std::uint8_t side = 0;        // kColumn: which of the joined sources
  std::uint32_t index = 0;      // kColumn: the column; kSlot: the slot; kRound: decimals; kDateTrunc: the unit; kLike: see escape_of()
  bool null = false;            // kConstant
  Int128 number = 0;            // kConstant
  std::string text;             // kConstant
  std::vector<Expression> children;
  Place place{};

  bool operator==(const Expression& other) const;
  bool is_constant() const { return operation == Operation::kConstant; }
  template <class Wanted>
  bool any(Wanted wanted) const {
    if (wanted(*this)) return true;
    for (const Expression& child : children) {
      if (child.any(wanted)) return true;
    }
    return false;
  }
};

Expression constant(ValueType type, Int128 number);
Expression text_constant(std::string text);
Expression null_constant();

// What a program reads: a row of each source (kNoId: the missing side of a left join), or the slots of a group.
struct Inputs {
  std::uint32_t rows[2] = {kNoId, kNoId};
  std::span<const Value> slots;
};

// A slot's number compared with a constant, which HAVING mostly is: evaluated from here alone.
struct SlotComparison {
  Operation operation{};  // kEqual to kGreaterEqual
  std::uint32_t slot = 0;
  std::int64_t constant = 0;

  bool holds(const Inputs& inputs) const;
};

// A compiled expression. Immutable; run() may be called on any thread with a reader of its own.
class Program {
 public:
  Program() = default;
  // `sources` are those the columns' sides mean.
  Program(const Expression& expression, std::span<const Table* const> sources);

  ValueType type() const { return type_; }
  // Texts of the result are views into the state, the slots, or this program.
  Value run(const Reader& reader, const Inputs& inputs) const {
    if (column_ != nullptr) {
      const std::uint32_t row = inputs.rows[side_];
      return row == kNoId ? Value{} : column_->load(reader, row);
    }
    return slot_ != kNoId ? inputs.slots[slot_] : run_steps(reader, inputs);
  }
  // Adds what run() gives to a packed row.
  void pack(const Reader& reader, const Inputs& inputs, ByteBuffer& out) const {
    if (column_ != nullptr && inputs.rows[side_] != kNoId) {
      return out.add([&](char* to, const char* limit) { return column_->write(reader, inputs.rows[side_], to, limit); });
    }
    if (slot_ != kNoId) return packing::append(inputs.slots[slot_], type_, out);
    packing::append(run(reader, inputs), type_, out);
  }
  void pack(const Reader& reader, const Inputs& inputs, std::string& out) const { halocline::pack(run(reader, inputs), type_, out); }
  // When it is a column and no more than that; else nullptr.
  const Column* column() const { return column_; }
  // What it says, when it is no more than that and the constant has 64 bits.
  std::optional<SlotComparison> slot_comparison() const;
  // As a condition: NULL is no.
  bool holds(const Reader& reader, const Inputs& inputs) const {
    const Value value = run(reader, inputs);
    return !value.null && value.number != 0;
  }

 private:
  enum class Code : std::uint8_t;
  struct Step {
    Code code;
    std::uint8_t side = 0;
    std::uint32_t at = 0;     // constant, slot, set, jump target, decimals, unit or escape
    Value (*load)(const Reader&, std::uint32_t) = nullptr;
  };
  // The list of an IN: sorted.
  struct Set {
    std::vector<Int128> numbers;
    std::vector<std::string> texts;
    bool is_text = false;
    bool has_null = false;
  };

  Value run_steps(const Reader& reader, const Inputs& inputs) const;
  void compile(const Expression& expression, std::span<const Table* const> sources);
  void emit(Code code, std::uint32_t at = 0) { steps_.push_back({code, 0, at, nullptr}); }
  std::size_t emit_jump(Code code);
  void land(std::size_t jump) { steps_[jump].at = static_cast<std::uint32_t>(steps_.size()); }

  ValueType type_ = ValueType::kNull;
  // When it is a column, or a slot, alone.
  std::uint8_t side_ = 0;
  const Column* column_ = nullptr;
  std::uint32_t slot_ = kNoId;
  std::vector<Step> steps_;
  std::vector<Value> constants_;
  std::vector<std::unique_ptr<const std::string>> texts_;  // of the constants, which stay where they are when this is moved
  std::vector<Set> sets_;
};

// How deep the stack of a program may get; the binder refuses what needs more.
inline constexpr std::size_t kProgramStack = 64;
// What an expression needs of it.
std::size_t stack_need(const Expression& expression);

// The value of a constant expression.
Value constant_value(const Expression& expression);

// The character of LIKE's ESCAPE as a number, 0 for none: its bytes in UTF-8, the first the lowest.
std::uint32_t escape_of(std::string_view character);

// Whether a text matches a LIKE pattern: % any bytes, _ one character (of UTF-8), what follows the escape itself. A pattern that ends with
// the escape matches nothing. Costs at most text × pattern.
bool like(std::string_view text, std::string_view pattern, std::uint32_t escape = 0);

}  // namespace halocline::queries
