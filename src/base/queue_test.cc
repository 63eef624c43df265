#include "base/queue.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace halocline {
namespace {

TEST(Doorbell, ReadyNeedsNoRing) {
  Doorbell bell;
  EXPECT_TRUE(bell.wait([] { return true; }));
  EXPECT_TRUE(bell.wait([] { return true; }, 0));
}

TEST(Doorbell, GivesUpWhenTheTimeIsOver) {
  Doorbell bell;
  EXPECT_FALSE(bell.wait([] { return false; }, 1'000));
  EXPECT_FALSE(bell.wait([] { return false; }, -1));
}

TEST(Doorbell, NoRingIsLostBetweenTwoThreads) {
  constexpr int kRounds = 20'000;
  Doorbell ping, pong;
  std::atomic<int> there{0}, back{0};
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      ping.wait([&] { return there.load() >= i; });
      back.store(i);
      pong.ring();
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    there.store(i);
    ping.ring();
    pong.wait([&] { return back.load() >= i; });
  }
  other.join();
  EXPECT_EQ(back.load(), kRounds);
}

TEST(SpscList, KeepsTheOrderAndWhatItHoldsNoLongerThanItMust) {
  SpscList<std::shared_ptr<int>, 4> list;
  EXPECT_EQ(list.front(), nullptr);
  std::vector<std::weak_ptr<int>> given;
  for (int i = 0; i < 10; ++i) {
    auto item = std::make_shared<int>(i);
    given.push_back(item);
    list.push(std::move(item));
  }
  EXPECT_EQ(list.depth(), 10u);
  for (int i = 0; i < 8; ++i) {
    ASSERT_NE(list.front(), nullptr);
    EXPECT_EQ(**list.front(), i);
    list.pop();
    EXPECT_TRUE(given[static_cast<std::size_t>(i)].expired());
  }
  EXPECT_EQ(list.depth(), 2u);
}

TEST(SpscList, BetweenTwoThreadsNothingIsLost) {
  constexpr std::uint64_t kItems = 200'000;
  SpscList<std::uint64_t, 16> list;
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kItems; ++i) list.push(i);
  });
  for (std::uint64_t i = 0; i < kItems;) {
    const std::uint64_t* const item = list.front();
    if (item == nullptr) continue;
    ASSERT_EQ(*item, i++);
    list.pop();
  }
  producer.join();
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.depth(), 0u);
}

TEST(SpscRing, KeepsTheOrderAndTheBound) {
  SpscRing<int> ring(4);
  EXPECT_EQ(ring.capacity(), 4u);
  EXPECT_EQ(ring.front(), nullptr);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.try_push(int{i}));
  EXPECT_FALSE(ring.try_push(9));
  EXPECT_EQ(ring.depth(), 4u);
  for (int i = 0; i < 4; ++i) {
    int item = -1;
    EXPECT_TRUE(ring.try_pop(item));
    EXPECT_EQ(item, i);
  }
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.highest(), 4u);
}

TEST(SpscRing, BetweenTwoThreadsNothingIsLostOrTwice) {
  constexpr std::uint64_t kItems = 200'000;
  SpscRing<std::unique_ptr<std::uint64_t>> ring(8);
  Doorbell producer, consumer;
  std::thread other([&] {
    for (std::uint64_t i = 0; i < kItems; ++i) {
      auto item = std::make_unique<std::uint64_t>(i);
      while (!ring.try_push(std::move(item))) producer.wait([&] { return ring.depth() < ring.capacity(); });
      consumer.ring();
    }
  });
  for (std::uint64_t i = 0; i < kItems; ++i) {
    consumer.wait([&] { return !ring.empty(); });
    std::unique_ptr<std::uint64_t> item;
    ASSERT_TRUE(ring.try_pop(item));
    ASSERT_EQ(*item, i);
    producer.ring();
  }
  other.join();
  EXPECT_LE(ring.highest(), ring.capacity());
}

struct Parcel {
  int producer = 0;
  int number = 0;
  std::shared_ptr<int> weighs;
};

TEST(MpscQueue, FullByNumberAndByWeight) {
  Doorbell bell;
  MpscQueue<Parcel> queue(2, 100, bell);
  using Pushed = MpscQueue<Parcel>::Pushed;
  Parcel parcel;
  EXPECT_EQ(queue.try_push(parcel, 500), Pushed::kDone) << "heavier than the bound, but alone";
  EXPECT_EQ(queue.try_push(parcel, 1), Pushed::kFull);
  ASSERT_NE(queue.front(), nullptr);
  queue.pop();
  EXPECT_EQ(queue.weight(), 0u);
  EXPECT_EQ(queue.try_push(parcel, 10), Pushed::kDone);
  EXPECT_EQ(queue.try_push(parcel, 10), Pushed::kDone);
  EXPECT_EQ(queue.try_push(parcel, 10), Pushed::kFull);
  EXPECT_EQ(queue.weight(), 20u) << "a refused push weighs nothing";
  queue.note_depth();
  EXPECT_EQ(queue.highest(), 2u);
}

TEST(MpscQueue, FreesWhatAnItemHeldWhenItIsPopped) {
  Doorbell bell;
  MpscQueue<Parcel> queue(2, 100, bell);
  Parcel parcel{.weighs = std::make_shared<int>(1)};
  std::weak_ptr<int> held = parcel.weighs;
  ASSERT_TRUE(queue.push(parcel, 1));
  parcel = {};
  EXPECT_FALSE(held.expired());
  queue.pop();
  EXPECT_TRUE(held.expired());
}

TEST(MpscQueue, ClosedRefusesButGivesWhatIsInside) {
  Doorbell bell;
  MpscQueue<Parcel> queue(4, 100, bell);
  Parcel parcel{.number = 5, .weighs = nullptr};
  ASSERT_TRUE(queue.push(parcel, 1));
  queue.close();
  EXPECT_FALSE(queue.finished());
  parcel.number = 6;
  EXPECT_FALSE(queue.push(parcel, 1));
  EXPECT_EQ(parcel.number, 6) << "a refused item stays the caller's";
  ASSERT_NE(queue.front(), nullptr);
  EXPECT_EQ(queue.front()->number, 5);
  queue.pop();
  EXPECT_EQ(queue.front(), nullptr);
  EXPECT_TRUE(queue.finished());
}

TEST(MpscQueue, CloseFreesProducersThatWaitForRoom) {
  Doorbell bell;
  MpscQueue<Parcel> queue(2, 100, bell);
  Parcel first, second;
  ASSERT_TRUE(queue.push(first, 1) && queue.push(second, 1));
  std::atomic<int> refused{0};
  std::vector<std::thread> producers;
  for (int i = 0; i < 3; ++i) {
    producers.emplace_back([&] {
      Parcel parcel;
      if (!queue.push(parcel, 1)) refused.fetch_add(1);
    });
  }
  while (queue.waiting() < 3) std::this_thread::yield();
  queue.close();
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(refused.load(), 3);
}

// Many producers against a small queue: all arrive, each producer's in its order, and the bounds hold.
void contend(std::size_t capacity, std::uint64_t max_weight) {
  constexpr int kProducers = 4, kEach = 20'000;
  Doorbell bell;
  MpscQueue<Parcel> queue(capacity, max_weight, bell);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = 0; i < kEach; ++i) {
        Parcel parcel{p, i, nullptr};
        ASSERT_TRUE(queue.push(parcel, 1 + static_cast<std::uint64_t>(i % 7)));
      }
    });
  }
  std::array<int, kProducers> next{};
  for (int taken = 0; taken < kProducers * kEach;) {
    bell.wait([&] { return queue.front() != nullptr; });
    queue.note_depth();
    while (Parcel* parcel = queue.front()) {
      ASSERT_EQ(parcel->number, next[static_cast<std::size_t>(parcel->producer)]++);
      queue.pop();
      ++taken;
    }
    queue.made_room();
  }
  for (auto& producer : producers) producer.join();
  EXPECT_LE(queue.highest(), queue.capacity());
  EXPECT_EQ(queue.weight(), 0u);
  EXPECT_EQ(queue.depth(), 0u);
}

TEST(MpscQueue, ContendedFewSlots) { contend(2, 1'000'000); }
TEST(MpscQueue, ContendedLittleWeight) { contend(1'024, 10); }
TEST(MpscQueue, ContendedRoomy) { contend(4'096, 1'000'000); }

}  // namespace
}  // namespace halocline
