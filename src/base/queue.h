// The queues between threads, bounded and allocated at start, and the doorbell a thread sleeps on when it has nothing to do.
//
// A queue only holds things; a Doorbell only wakes. Each thread of the pipeline has one Doorbell and sleeps on it
// until any of its sources has something; whoever gives it something rings afterwards. Ringing costs one load when the thread
// is awake, and a system call only when it sleeps. An idle thread does nothing at all.
//
//   consumer: bell.wait([&] { return !ring.empty() || stopping.load(); });
//   producer: ring.push(block); bell.ring();
//
// Why no wake-up is lost: the giver stores the item and then loads `asleep`, the sleeper stores `asleep` and then looks for
// items, all four sequentially consistent, so at least one of the two sees the other (Dekker).
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "base/check.h"

namespace halocline {

inline constexpr std::size_t kCacheLine = 64;

// One thread waits, any thread rings.
class Doorbell {
 public:
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  // Waits until `ready()` or, when given, so many nanoseconds have gone by; gives what ready() said last. Looks a
  // few times (not at all on a machine of two processors), then sleeps. The waiting thread only. What ready() reads must be
  // stored sequentially consistent by those who ring.
  template <class Ready>
  bool wait(Ready ready, std::int64_t nanoseconds = kForever) {
    for (int i = 0; i < spins(); ++i) {
      if (ready()) return true;
      __builtin_ia32_pause();
    }
    const std::int64_t until = nanoseconds == kForever ? kForever : deadline_after(nanoseconds);
    while (true) {
      asleep_.store(1);
      if (ready()) {
        asleep_.store(0, std::memory_order_relaxed);
        return true;
      }
      if (!sleep(until)) {
        asleep_.store(0, std::memory_order_relaxed);
        return ready();
      }
    }
  }

  // Call after what the waiter looks at was stored. Any thread.
  void ring() {
    if (asleep_.load() != 0 && asleep_.exchange(0) != 0) wake();
  }

 private:
  static int spins();
  static std::int64_t deadline_after(std::int64_t nanoseconds);
  bool sleep(std::int64_t until);  // false when the time is over
  void wake();

  alignas(kCacheLine) std::atomic<std::uint32_t> asleep_{0};
};

// A ring from one thread to another. Items are moved in and out; the slots live as long as the ring.
template <class T>
class SpscRing {
 public:
  // `capacity` is rounded up to a power of two.
  explicit SpscRing(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<T[]>(mask_ + 1)) {}

  // False when it is full; `item` is then untouched. The producer's thread.
  bool try_push(T&& item) {
    const std::uint64_t at = tail_.load(std::memory_order_relaxed);
    if (at - head_.load(std::memory_order_acquire) > mask_) return false;
    slots_[at & mask_] = std::move(item);
    tail_.store(at + 1);
    return true;
  }
  // Where the ring is at least as large as the number of things that can be in it. The producer's thread.
  void push(T item) { CHECK(try_push(std::move(item)), "a ring of %zu is full", mask_ + 1); }

  // The oldest item, or nullptr. The consumer's thread.
  T* front() {
    const std::uint64_t at = head_.load(std::memory_order_relaxed);
    const std::uint64_t tail = tail_.load();
    if (at == tail) return nullptr;
    if (tail - at > highest_.load(std::memory_order_relaxed)) highest_.store(tail - at, std::memory_order_relaxed);
    return &slots_[at & mask_];
  }
  // Drops what front() gave. The consumer's thread.
  void pop() { head_.store(head_.load(std::memory_order_relaxed) + 1); }
  // False when it is empty. The consumer's thread.
  bool try_pop(T& item) {
    T* oldest = front();
    if (oldest == nullptr) return false;
    item = std::move(*oldest);
    pop();
    return true;
  }

  // Any thread.
  bool empty() const { return head_.load() == tail_.load(); }
  std::uint64_t depth() const {
    const std::uint64_t head = head_.load();
    return tail_.load() - head;
  }
  std::uint64_t capacity() const { return mask_ + 1; }
  // The deepest the consumer ever found it.
  std::uint64_t highest() const { return highest_.load(std::memory_order_relaxed); }

 private:
  const std::size_t mask_;
  std::unique_ptr<T[]> slots_;
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> highest_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
};

// From one thread to another, as long as it gets: for who gives must not wait and who takes may come late. Those who use it bound it, by
// depth(). Memory comes and goes in pieces.
template <class T, std::uint32_t kPerPiece = 256>
class SpscList {
 public:
  SpscList() : last_(new Piece), first_(last_) {}
  ~SpscList() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next.load(std::memory_order_relaxed));
  }
  SpscList(const SpscList&) = delete;
  SpscList& operator=(const SpscList&) = delete;

  // The producer's thread.
  void push(T item) {
    const std::uint32_t at = last_->filled.load(std::memory_order_relaxed);
    last_->items[at] = std::move(item);
    last_->filled.store(at + 1, std::memory_order_release);
    pushed_.store(pushed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (at + 1 < kPerPiece) return;
    Piece* const next = new Piece;
    last_->next.store(next, std::memory_order_release);
    last_ = next;
  }
  // The oldest item, or nullptr. The consumer's thread.
  T* front() {
    if (taken_ == kPerPiece) {
      Piece* const next = first_->next.load(std::memory_order_acquire);
      if (next == nullptr) return nullptr;
      delete std::exchange(first_, next);
      taken_ = 0;
    }
    return taken_ < first_->filled.load(std::memory_order_acquire) ? &first_->items[taken_] : nullptr;
  }
  // Drops what front() gave. The consumer's thread.
  void pop() {
    first_->items[taken_++] = T();
    popped_.store(popped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // Any thread; about.
  std::uint64_t depth() const {
    const std::uint64_t popped = popped_.load(std::memory_order_relaxed);
    return pushed_.load(std::memory_order_relaxed) - popped;
  }

 private:
  struct Piece {
    std::array<T, kPerPiece> items{};
    std::atomic<std::uint32_t> filled{0};
    std::atomic<Piece*> next{nullptr};
  };

  alignas(kCacheLine) Piece* last_;   // the producer's
  std::atomic<std::uint64_t> pushed_{0};
  alignas(kCacheLine) Piece* first_;  // the consumer's
  std::uint32_t taken_ = 0;           // of its items
  std::atomic<std::uint64_t> popped_{0};
};

// From many threads to one, bounded in number and in weight (bytes, say). Slots with turn numbers after Dmitry Vyukov's
// bounded queue: a producer takes its place with one compare-and-swap and no lock; only a producer that finds no room waits on a
// condition variable. An item heavier than the whole bound is taken when nothing else is inside.
template <class T>
class MpscQueue {
 public:
  // `capacity` is rounded up to a power of two, at least 2 (with one slot, "free again" and "holds" look alike).
  MpscQueue(std::size_t capacity, std::uint64_t max_weight, Doorbell& consumer)
      : mask_(std::bit_ceil(capacity < 2 ? 2 : capacity) - 1), max_weight_(max_weight), consumer_(consumer),
        slots_(std::make_unique<Slot[]>(mask_ + 1)) {
    for (std::size_t i = 0; i <= mask_; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
  }

  enum class Pushed { kDone, kFull, kClosed };

  // Unless kDone, `item` is untouched. Any thread.
  Pushed try_push(T& item, std::uint64_t weight) {
    if (!reserve(weight)) return closed() ? Pushed::kClosed : Pushed::kFull;
    std::uint64_t at = tail_.load(std::memory_order_relaxed);
    while (true) {
      if ((at & kClosedBit) != 0) return release(weight), Pushed::kClosed;
      Slot& slot = slots_[at & mask_];
      const std::uint64_t turn = slot.turn.load();
      if (turn == at) {
        if (!tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
        slot.item = std::move(item);
        slot.weight = weight;
        slot.turn.store(at + 1);
        consumer_.ring();
        return Pushed::kDone;
      }
      if (turn < at) return release(weight), Pushed::kFull;
      at = tail_.load(std::memory_order_relaxed);
    }
  }

  // Waits for room: this is the back-pressure. False when the queue is closed, with `item` untouched. Any thread but the
  // consumer's and those the consumer waits for.
  bool push(T& item, std::uint64_t weight) {
    Pushed pushed = try_push(item, weight);
    if (pushed == Pushed::kFull) pushed = push_slowly(item, weight);
    return pushed == Pushed::kDone;
  }

  // No push succeeds afterwards; what is inside is still popped. Any thread.
  void close() {
    tail_.fetch_or(kClosedBit);
    {
      std::lock_guard lock(room_mutex_);
    }
    room_.notify_all();
    consumer_.ring();
  }

  // The oldest item, or nullptr: there is none, or the oldest is still being written (its producer rings when done). The
  // consumer's thread.
  T* front() {
    Slot& slot = slots_[head_.load(std::memory_order_relaxed) & mask_];
    return slot.turn.load() == head_.load(std::memory_order_relaxed) + 1 ? &slot.item : nullptr;
  }
  // Drops what front() gave and frees what it held. The consumer's thread.
  void pop() {
    const std::uint64_t at = head_.load(std::memory_order_relaxed);
    Slot& slot = slots_[at & mask_];
    const std::uint64_t weight = slot.weight;
    slot.item = T{};
    head_.store(at + 1);
    slot.turn.store(at + mask_ + 1);
    release(weight);
  }
  // Wakes producers that wait for room; after a number of pops, and always before the consumer waits. The consumer's thread.
  void made_room() {
    if (waiting_.load() == 0) return;
    {
      std::lock_guard lock(room_mutex_);
    }
    room_.notify_all();
  }
  // Notes how deep the queue is now. The consumer's thread.
  void note_depth() {
    const std::uint64_t now = depth();
    if (now > highest_.load(std::memory_order_relaxed)) highest_.store(now, std::memory_order_relaxed);
  }

  // Any thread. `finished`: closed, and everything that got in was popped.
  bool closed() const { return (tail_.load() & kClosedBit) != 0; }
  bool finished() const {
    const std::uint64_t tail = tail_.load();
    return (tail & kClosedBit) != 0 && (tail & ~kClosedBit) == head_.load();
  }
  std::uint64_t depth() const {
    const std::uint64_t head = head_.load();
    return (tail_.load() & ~kClosedBit) - head;
  }
  std::uint64_t capacity() const { return mask_ + 1; }
  std::uint64_t weight() const { return weight_.load(std::memory_order_relaxed); }
  std::uint64_t highest() const { return highest_.load(std::memory_order_relaxed); }
  // Producers that are waiting for room now.
  std::uint64_t waiting() const { return waiting_.load(); }

 private:
  static constexpr std::uint64_t kClosedBit = std::uint64_t{1} << 63;

  struct Slot {
    std::atomic<std::uint64_t> turn{0};  // = place: free for it; = place + 1: holds it
    std::uint64_t weight = 0;
    T item{};
  };

  bool reserve(std::uint64_t weight) {
    std::uint64_t held = weight_.load();
    do {
      if (held != 0 && held + weight > max_weight_) return false;
    } while (!weight_.compare_exchange_weak(held, held + weight));
    return true;
  }
  void release(std::uint64_t weight) { weight_.fetch_sub(weight); }

  Pushed push_slowly(T& item, std::uint64_t weight) {
    std::unique_lock lock(room_mutex_);
    waiting_.fetch_add(1);
    Pushed pushed = try_push(item, weight);
    while (pushed == Pushed::kFull) {
      room_.wait(lock);
      pushed = try_push(item, weight);
    }
    waiting_.fetch_sub(1);
    return pushed;
  }

  const std::size_t mask_;
  const std::uint64_t max_weight_;
  Doorbell& consumer_;
  std::unique_ptr<Slot[]> slots_;
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
  std::atomic<std::uint64_t> weight_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> highest_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> waiting_{0};
  std::mutex room_mutex_;
  std::condition_variable room_;
};

}  // namespace halocline
