#include "server/live_effects.h"

#include <gtest/gtest.h>

namespace halocline {
namespace {

std::shared_ptr<const AlertEvent> event_at(Seq seq, std::uint64_t id) {
  auto event = std::make_shared<AlertEvent>();
  event->seq = seq, event->event_id = id;
  return event;
}

std::vector<std::uint64_t> ids(const std::vector<AlertEvent>& events) {
  std::vector<std::uint64_t> ids;
  for (const AlertEvent& event : events) ids.push_back(event.event_id);
  return ids;
}

// Applies a block of so many commands, each of which was refused.
void refuse(LiveEffects& effects, Seq first, Seq last) {
  for (Seq seq = first; seq <= last; ++seq) effects.note(seq, {Outcome::kUnknownBook});
  effects.end_block(last);
}

TEST(LiveEffects, TellsWhatEachCommandCameTo) {
  LiveEffects effects(10, {});
  effects.note(11, {Outcome::kAccepted});
  effects.note(12, {Outcome::kDuplicate, 3});
  effects.note(13, {Outcome::kAccepted});
  effects.note(14, {Outcome::kUnknownBook});
  effects.note(event_at(11, 1)), effects.note(event_at(11, 2)), effects.note(event_at(14, 3));
  effects.end_block(14);
  EXPECT_FALSE(effects.tells(10, 14));
  EXPECT_TRUE(effects.tells(11, 14));
  std::vector<AlertEvent> events;
  EXPECT_EQ(effects.take(11, events).outcome, Outcome::kAccepted);
  EXPECT_EQ(ids(events), (std::vector<std::uint64_t>{1, 2}));
  events.clear();
  const Applied twelfth = effects.take(12, events);
  EXPECT_EQ(twelfth.outcome, Outcome::kDuplicate);
  EXPECT_EQ(twelfth.first_seq, 3u);
  EXPECT_EQ(effects.take(13, events).outcome, Outcome::kAccepted);
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(effects.take(14, events).outcome, Outcome::kUnknownBook);
  EXPECT_EQ(ids(events), std::vector<std::uint64_t>{3});
  EXPECT_FALSE(effects.tells(14, 14)) << "what was taken is gone";
}

TEST(LiveEffects, WhatIsDroppedIsNotToldAndTheRestIs) {
  LiveEffects effects(0, {});
  refuse(effects, 1, 5);
  effects.note(event_at(2, 1)), effects.note(event_at(4, 2));
  effects.drop(3);
  EXPECT_FALSE(effects.tells(3, 5));
  EXPECT_TRUE(effects.tells(4, 5));
  std::vector<AlertEvent> events;
  EXPECT_EQ(effects.take(4, events).outcome, Outcome::kUnknownBook);
  EXPECT_EQ(ids(events), std::vector<std::uint64_t>{2});
}

TEST(LiveEffects, EndsWhereItIsFullAndGoesOnWhenAsked) {
  for (const bool of_events : {false, true}) {
    LiveEffects effects(0, {of_events ? 100u : 3u, of_events ? 3u : 100u});
    const auto fill = [&](Seq first, Seq last) {
      if (!of_events) return refuse(effects, first, last);
      for (Seq seq = first; seq <= last; ++seq) effects.note(event_at(seq, seq));
      effects.end_block(last);
    };
    fill(1, 3);
    EXPECT_TRUE(effects.tells(1, 3));
    fill(4, 6);  // a block is told whole
    EXPECT_TRUE(effects.tells(1, 6));
    fill(7, 8);
    EXPECT_FALSE(effects.tells(1, 8));
    std::vector<AlertEvent> events;
    EXPECT_EQ(effects.take(1, events).outcome, of_events ? Outcome::kAccepted : Outcome::kUnknownBook);
    effects.go_on();
    EXPECT_FALSE(effects.tells(2, 8)) << "the engine has not heard of it";
    effects.end_block(9);
    EXPECT_FALSE(effects.tells(9, 9));
    EXPECT_TRUE(effects.tells(10, 10));
    fill(10, 10);
    effects.drop(9);
    events.clear();
    EXPECT_EQ(effects.take(10, events).outcome, of_events ? Outcome::kAccepted : Outcome::kUnknownBook);
    EXPECT_EQ(events.size(), of_events ? 1u : 0u);
  }
}

}  // namespace
}  // namespace halocline
