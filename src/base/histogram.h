// A latency histogram with buckets that are linear within each power of two, after HdrHistogram (Gil Tene): 128 to a power
// of two, so a percentile is off by less than 0.8 % of itself. From 0 ns (below 128 ns exact) to above 100 s; longer
// times count as the longest. Fixed memory, about 31 KiB.
//
//   Histogram synced;
//   synced.record(done - begun);
//   std::int64_t p99 = synced.percentile(99);
//
// One thread records; any other may read meanwhile, and then sees some of the latest or not.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace halocline {

class Histogram {
 public:
  // Counts `times` events that took so many nanoseconds; a negative duration counts as 0. The writer's thread.
  void record(std::int64_t nanoseconds, std::uint64_t times = 1) {
    const std::uint64_t value = nanoseconds < 0 ? 0 : static_cast<std::uint64_t>(nanoseconds);
    std::atomic<std::uint64_t>& bucket = buckets_[index_of(value)];
    bucket.store(bucket.load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
    if (nanoseconds > max_.load(std::memory_order_relaxed)) max_.store(nanoseconds, std::memory_order_relaxed);
  }

  // Adds what another one counted. The writer's thread of this one.
  void merge(const Histogram& other);

  std::uint64_t count() const;
  std::int64_t max() const { return max_.load(std::memory_order_relaxed); }
  // The time that `percent` (0..100) of the events took at most: the highest value of its bucket, and never above max().
  // 0 when nothing was counted. Reads all buckets: for people and reports.
  std::int64_t percentile(double percent) const;

 private:
  static constexpr int kSubBits = 7;  // 128 buckets to a power of two
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  static constexpr int kTopBit = 36;  // 2^37 ns = 137 s
  static constexpr std::size_t kBuckets = kSub + (kTopBit - kSubBits + 1) * kSub;

  static std::size_t index_of(std::uint64_t value) {
    if (value < kSub) return value;
    const int top = std::bit_width(value) - 1;
    if (top > kTopBit) return kBuckets - 1;
    return (static_cast<std::size_t>(top - kSubBits) << kSubBits) + (value >> (top - kSubBits));
  }
  static std::int64_t highest_in(std::size_t index);

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::int64_t> max_{0};
};

}  // namespace halocline
