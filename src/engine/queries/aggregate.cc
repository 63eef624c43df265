#include "engine/queries/aggregate.h"

#include <limits>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kEntryBytes = 80;  // of a map's node beside its text

bool keeps_values(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kMax || kind == AggregateKind::kCountDistinct;
}
bool sums(AggregateKind kind) { return kind == AggregateKind::kSum || kind == AggregateKind::kAverage; }
bool summable(Int128 number) { return number <= limits::kMaxQueryDecimal && -number <= limits::kMaxQueryDecimal; }

}  // namespace

std::size_t Accumulator::add(const Aggregate& aggregate, const Value& value, bool forgets) {
  if (aggregate.kind != AggregateKind::kCountRows && value.null) return 0;
  ++count_;
  if (sums(aggregate.kind)) {
    if (summable(value.number)) sum_ += value.number;
    else ++out_of_range_;
  }
  if (!keeps_values(aggregate.kind)) return 0;
  std::string packed;
  pack(value, aggregate.argument_type, packed);
  if (values_ == nullptr) values_ = std::make_unique<std::map<std::string, std::int64_t>>();
  const std::size_t bytes = packed.size() + kEntryBytes;
  if (forgets && aggregate.kind != AggregateKind::kCountDistinct && !values_->empty()) {
    const bool better = aggregate.kind == AggregateKind::kMin ? packed < values_->begin()->first : packed > values_->begin()->first;
    if (!better) return 0;
    values_->clear();
    values_->emplace(std::move(packed), 1);
    return 0;
  }
  const auto [at, is_new] = values_->try_emplace(std::move(packed), 0);
  ++at->second;
  return is_new ? bytes : 0;
}

std::size_t Accumulator::remove(const Aggregate& aggregate, const Value& value) {
  if (aggregate.kind != AggregateKind::kCountRows && value.null) return 0;
  --count_;
  if (sums(aggregate.kind)) {
    if (summable(value.number)) sum_ -= value.number;
    else --out_of_range_;
  }
  if (!keeps_values(aggregate.kind)) return 0;
  std::string packed;
  pack(value, aggregate.argument_type, packed);
  const auto at = values_->find(packed);
  CHECK(at != values_->end(), "an aggregate is asked to forget a value it never had");
  if (--at->second != 0) return 0;
  values_->erase(at);
  return packed.size() + kEntryBytes;
}

Value Accumulator::result(const Aggregate& aggregate, std::list<std::string>& texts) const {
  switch (aggregate.kind) {
    case AggregateKind::kCountRows:
    case AggregateKind::kCount: return Value::of(count_);
    case AggregateKind::kCountDistinct: return Value::of(values_ == nullptr ? 0 : static_cast<Int128>(values_->size()));
    case AggregateKind::kSum: {
      if (count_ == 0 || out_of_range_ != 0) return Value{};
      const bool narrow = aggregate.type != ValueType::kDecimal;
      const Int128 most = narrow ? std::numeric_limits<std::int64_t>::max() : limits::kMaxQueryDecimal;
      const Int128 least = narrow ? std::numeric_limits<std::int64_t>::min() : -limits::kMaxQueryDecimal;
      return sum_ > most || sum_ < least ? Value{} : Value::of(sum_);
    }
    case AggregateKind::kAverage: {
      if (count_ == 0 || out_of_range_ != 0) return Value{};
      if (aggregate.argument_type == ValueType::kInt) return Value::of(mul_div(sum_, limits::kScale, count_));
      return Value::of(div_round(sum_, count_));
    }
    case AggregateKind::kMin:
    case AggregateKind::kMax: {
      if (values_ == nullptr || values_->empty()) return Value{};
      const std::string& packed = aggregate.kind == AggregateKind::kMin ? values_->begin()->first : values_->rbegin()->first;
      PackedReader reader(packed);
      const Value value = reader.next(aggregate.argument_type);
      if (aggregate.argument_type != ValueType::kText) return value;
      return Value::of_text(texts.emplace_back(value.text));
    }
  }
  return Value{};
}

}  // namespace halocline::queries
