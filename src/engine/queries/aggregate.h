// Aggregates that can be added to and, for continuous queries, taken from again: what is left is what a new count would give.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/queries/expression.h"

namespace halocline::queries {

enum class AggregateKind : std::uint8_t { kCountRows, kCount, kCountDistinct, kSum, kAverage, kMin, kMax };

struct Aggregate {
  AggregateKind kind{};
  ValueType argument_type = ValueType::kNull;
  ValueType type = ValueType::kNull;  // of the result
  Program argument;                   // not of kCountRows
  std::optional<Program> filter;
};

// The running value of one aggregate over one group. Sums are exact integers, so order does not matter.
class Accumulator {
 public:
  // Bytes by which its memory grew. `forgets` says that nothing is ever taken away: MIN and MAX then keep one value.
  std::size_t add(const Aggregate& aggregate, const Value& value, bool forgets);
  // A value that was added, by an accumulator that does not forget. Bytes by which its memory shrank.
  std::size_t remove(const Aggregate& aggregate, const Value& value);
  // Nothing to count gives 0 for COUNT and NULL for all others. Texts are put into `texts`, which must outlive the value.
  Value result(const Aggregate& aggregate, std::list<std::string>& texts) const;

 private:
  std::int64_t count_ = 0;         // values that are not null
  std::int64_t out_of_range_ = 0;  // … and too large to be summed: the sum is NULL while there are any
  Int128 sum_ = 0;
  std::unique_ptr<std::map<std::string, std::int64_t>> values_;  // packed, with how often
};

}  // namespace halocline::queries
