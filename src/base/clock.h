// Time, injected: whoever needs the time is given a Clock, so tests decide what it says.
//
//   std::int64_t now = clock.wall();   // nanoseconds since 1970-01-01 UTC; may jump, also backwards
//   std::int64_t t = clock.monotonic();  // nanoseconds from an arbitrary start; never runs backwards
//
// All methods are safe on any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace halocline {

class Doorbell;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t wall() const = 0;
  virtual std::int64_t monotonic() const = 0;
  // What all threads of the process have used so far; 0 where time stands still.
  virtual std::int64_t processor_time() const { return 0; }

  // A clock that only moves when told rings `bell` after each move, so that a thread asleep until some time looks again.
  // A clock that moves by itself ignores it. nullptr detaches; the bell outlives the attachment.
  virtual void attach(Doorbell* bell) { static_cast<void>(bell); }
};

// The machine's.
class SystemClock final : public Clock {
 public:
  std::int64_t wall() const override;
  std::int64_t monotonic() const override;
  std::int64_t processor_time() const override;
};

// Stands still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall, std::int64_t monotonic = 0) : wall_(wall), monotonic_(monotonic) {}
  std::int64_t wall() const override { return wall_.load(std::memory_order_acquire); }
  std::int64_t monotonic() const override { return monotonic_.load(std::memory_order_acquire); }
  void attach(Doorbell* bell) override { bell_.store(bell); }

  // Both clocks go on by so many nanoseconds.
  void advance(std::int64_t nanoseconds);
  // The wall clock is set, also backwards; the monotonic one stays.
  void set_wall(std::int64_t wall);

 private:
  void ring();

  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> monotonic_;
  std::atomic<Doorbell*> bell_{nullptr};
};

}  // namespace halocline
