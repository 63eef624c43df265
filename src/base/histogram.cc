#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace halocline {

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t add = other.buckets_[i].load(std::memory_order_relaxed);
    if (add != 0) buckets_[i].store(buckets_[i].load(std::memory_order_relaxed) + add, std::memory_order_relaxed);
  }
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

std::int64_t Histogram::highest_in(std::size_t index) {
  if (index < kSub) return static_cast<std::int64_t>(index);
  const std::size_t shift = index / kSub - 1;
  return static_cast<std::int64_t>(((index % kSub + kSub + 1) << shift) - 1);
}

std::int64_t Histogram::percentile(double percent) const {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const double clamped = std::clamp(percent, 0.0, 100.0);
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(clamped / 100 * static_cast<double>(total))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen >= wanted) return i == kBuckets - 1 ? max() : std::min(highest_in(i), max());
  }
  return max();
}

}  // namespace halocline
