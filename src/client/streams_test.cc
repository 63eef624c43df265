// The client against a server that breaks where it hurts: nothing lost, nothing double, order kept.
#include <gtest/gtest.h>

#include <condition_variable>

#include "client/alert_follower.h"
#include "client/client.h"
#include "client/price_stream.h"
#include "client/scripted_server_test.h"
#include "client/trade_stream.h"
#include "base/utf8.h"

namespace halocline {
namespace {

using namespace std::chrono_literals;
constexpr auto kLong = 30s;  // a bound for a hang, never waited for in a good run

v1::Trade trade_number(int i) {
  v1::Trade trade;
  trade.set_source("test");
  trade.set_trade_id("T" + std::to_string(i));
  trade.set_version(1);
  return trade;
}

// Collects the answers.
struct Answers {
  struct Answer {
    std::uint64_t token, seq, first_seq;
    v1::Outcome outcome;
    std::string detail;
    bool superseded;
  };
  std::mutex mutex;
  std::vector<Answer> all;

  BatchStream::AckCallback callback() {
    return [this](std::span<const StreamAck> acks) {
      std::lock_guard lock(mutex);
      for (const StreamAck& ack : acks) {
        all.push_back({ack.token, ack.seq, ack.first_seq, ack.outcome, std::string(ack.detail), ack.superseded});
      }
    };
  }
};

// One answer a trade in order of submission; one trade a key at the server, in the same order.
void expect_nothing_lost_nothing_double(const ScriptedServer& server, const Answers& answers, int trades) {
  ASSERT_EQ(answers.all.size(), static_cast<std::size_t>(trades));
  for (int i = 0; i < trades; ++i) {
    EXPECT_EQ(answers.all[static_cast<std::size_t>(i)].token, static_cast<std::uint64_t>(i));
  }
  const std::vector<v1::Trade> taken = server.taken();
  ASSERT_EQ(taken.size(), static_cast<std::size_t>(trades));
  for (int i = 0; i < trades; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i)].trade_id(), "T" + std::to_string(i));
}

TEST(TradeStream, AnswersEachTradeOnceAndInOrder) {
  ScriptedServer server;
  Answers answers;
  TradeStream stream(server.address(), {}, answers.callback());
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
  const Status closed = stream.close(kLong);
  ASSERT_TRUE(closed.ok()) << closed.message();
  expect_nothing_lost_nothing_double(server, answers, 10'000);
  for (std::size_t i = 0; i < answers.all.size(); ++i) {
    EXPECT_EQ(answers.all[i].outcome, v1::ACCEPTED);
    EXPECT_EQ(answers.all[i].seq, i + 1);
  }
  EXPECT_EQ(stream.counts().unanswered, 0u);
  EXPECT_EQ(stream.submit(trade_number(1), 1).code(), Code::kFailedPrecondition);
}

TEST(TradeStream, TradesKeepCompanyUntilAQuickAnswerComes) {
  ScriptedServer server;
  std::unique_lock gate(server.gate);
  Answers answers;
  TradeStream::Options options;
  options.late_answer = 1h;
  TradeStream stream(server.address(), options, answers.callback());
  ASSERT_TRUE(stream.submit(trade_number(0), 0).ok());
  server.wait_until_taken(1);
  for (int i = 1; i < 100; ++i) ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
  gate.unlock();
  const Status closed = stream.close(kLong);
  ASSERT_TRUE(closed.ok()) << closed.message();
  expect_nothing_lost_nothing_double(server, answers, 100);
  EXPECT_EQ(stream.counts().batches, 2u);
}

TEST(TradeStream, TradesDoNotWaitForADistantServer) {
  ScriptedServer server;
  server.hold_answers = true;
  TradeStream::Options options;
  options.quick_answer = -1ns;  // as if answers had taken long
  options.eager_batches = 5;
  TradeStream stream(server.address(), options, {});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stream.submit(trade_number(i), 0).ok());
    server.wait_until_taken(static_cast<std::size_t>(i) + 1);
  }
  EXPECT_EQ(stream.counts().batches, 5u);
}

TEST(TradeStream, TradesDoNotWaitForAnAnswerThatIsLate) {
  ScriptedServer server;
  TradeStream stream(server.address(), {}, {});
  ASSERT_TRUE(stream.submit(trade_number(0), 0).ok());
  ASSERT_TRUE(stream.flush(kLong).ok());
  server.hold_answers = true;
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(stream.submit(trade_number(i), 0).ok());
    server.wait_until_taken(static_cast<std::size_t>(i) + 1);
  }
  EXPECT_EQ(stream.counts().batches, 5u);
}

TEST(TradeStream, ABusyServerGetsABatchAtATimeAndNotSoonAfterTheLast) {
  ScriptedServer server;
  TradeStream::Options options;
  options.quick_answer = 1h;
  options.late_answer = 40ms;
  TradeStream stream(server.address(), options, {});
  ASSERT_TRUE(stream.submit(trade_number(0), 0).ok());
  ASSERT_TRUE(stream.flush(kLong).ok());
  server.hold_answers = true;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(stream.submit(trade_number(i), 0).ok());
    server.wait_until_taken(static_cast<std::size_t>(i) + 1);
    EXPECT_GE(std::chrono::steady_clock::now() - start, (i - 1) * options.late_answer);
  }
}

TEST(TradeStream, ResendsAfterEveryBreakAndSaysWhatWasDuplicate) {
  ScriptedServer server;
  server.break_after_batches = 3;  // the third batch of every connection is taken, and its answer lost
  Answers answers;
  std::atomic<int> breaks = 0;
  TradeStream::Options options;
  options.max_batch_items = 7;
  options.first_backoff = 1ms;
  options.on_break = [&](const Status& why) {
    ++breaks;
    EXPECT_NE(why.message().find("broken by the script"), std::string::npos) << why.message();
  };
  TradeStream stream(server.address(), options, answers.callback());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
  const Status closed = stream.close(kLong);
  ASSERT_TRUE(closed.ok()) << closed.message();
  expect_nothing_lost_nothing_double(server, answers, 500);
  EXPECT_GT(breaks, 10);
  int duplicates = 0;
  for (const Answers::Answer& answer : answers.all) {
    if (answer.outcome != v1::DUPLICATE) continue;
    ++duplicates;
    EXPECT_GT(answer.first_seq, 0u);
    EXPECT_LT(answer.first_seq, answer.seq);
  }
  EXPECT_GT(duplicates, 0);
  EXPECT_GT(stream.counts().resent, 0u);
}

TEST(TradeStream, SurvivesRestartsOfTheServer) {
  ScriptedServer server;
  Answers answers;
  TradeStream::Options options;
  options.max_unanswered = 500;
  options.max_batch_items = 20;
  TradeStream stream(server.address(), options, answers.callback());
  std::atomic<bool> done = false;
  std::thread sender([&] {
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
    done = true;
  });
  for (int i = 0; i < 4 && !done; ++i) {
    const std::uint64_t before = stream.counts().answered;
    while (!done && stream.counts().answered < before + 1'000) std::this_thread::yield();
    server.restart();
  }
  sender.join();
  const Status closed = stream.close(kLong);
  ASSERT_TRUE(closed.ok()) << closed.message();
  expect_nothing_lost_nothing_double(server, answers, 20'000);
}

TEST(TradeStream, SeesInItsQuietThatTheServerWentAway) {
  ScriptedServer server;
  Answers answers;
  TradeStream stream(server.address(), {}, answers.callback());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
    ASSERT_TRUE(stream.flush(kLong).ok());
  }
  server.restart();
  while (stream.counts().breaks == 0) std::this_thread::yield();
  ASSERT_TRUE(stream.submit(trade_number(10), 10).ok());
  const Status closed = stream.close(kLong);
  ASSERT_TRUE(closed.ok()) << closed.message();
  expect_nothing_lost_nothing_double(server, answers, 11);
}

TEST(TradeStream, IsBoundedWhenTheServerDoesNotAnswer) {
  ScriptedServer server;
  server.hold_answers = true;
  TradeStream::Options options;
  options.max_unanswered = 100;
  options.first_backoff = 1ms;
  Answers answers;
  TradeStream stream(server.address(), options, answers.callback());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stream.try_submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
  EXPECT_EQ(stream.try_submit(trade_number(100), 100).code(), Code::kResourceExhausted);
  EXPECT_EQ(stream.flush(1ms).code(), Code::kUnavailable);
  server.hold_answers = false;
  server.restart();
  ASSERT_TRUE(stream.submit(trade_number(100), 100).ok());  // waits for room
  ASSERT_TRUE(stream.close(kLong).ok());
  expect_nothing_lost_nothing_double(server, answers, 101);
}

TEST(TradeStream, WaitsForAServerThatComesLate) {
  ScriptedServer server;
  server.stop();
  Answers answers;
  std::atomic<int> breaks = 0;
  TradeStream::Options options;
  options.on_break = [&](const Status& why) {
    ++breaks;
    EXPECT_EQ(why.code(), Code::kUnavailable);
  };
  TradeStream stream(server.address(), options, answers.callback());
  ASSERT_TRUE(stream.submit(trade_number(0), 0).ok());
  while (breaks == 0) std::this_thread::yield();
  server.restart();
  ASSERT_TRUE(stream.close(kLong).ok());
  expect_nothing_lost_nothing_double(server, answers, 1);
}

TEST(TradeStream, GivesUpWhenToldTo) {
  TradeStream::Options options;
  options.give_up_after = 50ms;
  options.first_backoff = 1ms;
  TradeStream stream("127.0.0.1:1", options, {});
  ASSERT_TRUE(stream.submit(trade_number(0), 0).ok());
  const Status failed = stream.flush(kLong);
  EXPECT_EQ(failed.code(), Code::kUnavailable);
  EXPECT_NE(failed.message().find("127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(stream.submit(trade_number(1), 1).code(), Code::kUnavailable);
  EXPECT_EQ(stream.counts().unanswered, 1u);
}

TEST(TradeStream, StopsWhenTheServerRefusesForGoodOrAnswersNonsense) {
  ScriptedServer server;
  server.refuse_for_good = true;
  {
    TradeStream stream(server.address(), {}, {});
    static_cast<void>(stream.submit(trade_number(0), 0));
    EXPECT_EQ(stream.flush(kLong).code(), Code::kFailedPrecondition);
  }
  server.refuse_for_good = false;
  server.wrong_batch_id = true;
  TradeStream stream(server.address(), {}, {});
  static_cast<void>(stream.submit(trade_number(0), 0));
  EXPECT_EQ(stream.flush(kLong).code(), Code::kInternal);
}

TEST(TradeStream, GivesSeqsToWhatBecameACommandOnly) {
  ScriptedServer server;
  Answers answers;
  TradeStream::Options options;
  options.linger = 1h;  // one batch
  TradeStream stream(server.address(), options, answers.callback());
  v1::Trade nameless;
  static_cast<void>(stream.submit(nameless, 0));
  static_cast<void>(stream.submit(trade_number(1), 1));
  static_cast<void>(stream.submit(nameless, 2));
  static_cast<void>(stream.submit(trade_number(1), 3));
  static_cast<void>(stream.submit(trade_number(2), 4));
  ASSERT_TRUE(stream.close(kLong).ok());
  ASSERT_EQ(answers.all.size(), 5u);
  EXPECT_EQ(answers.all[0].seq, 0u);
  EXPECT_EQ(answers.all[0].detail, "source is empty");
  EXPECT_EQ(answers.all[1].seq, 1u);
  EXPECT_EQ(answers.all[2].seq, 0u);
  EXPECT_EQ(answers.all[3].outcome, v1::DUPLICATE);
  EXPECT_EQ(answers.all[3].seq, 2u);
  EXPECT_EQ(answers.all[3].first_seq, 1u);
  EXPECT_EQ(answers.all[4].seq, 3u);
  EXPECT_EQ(stream.counts().batches, 1u);
}

TEST(TradeStream, LingersAndThenSends) {
  ScriptedServer server;
  Answers answers;
  TradeStream::Options options;
  options.linger = 5ms;
  TradeStream stream(server.address(), options, answers.callback());
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(stream.submit(trade_number(i), static_cast<std::uint64_t>(i)).ok());
    if (i % 10 != 9) continue;
    while (stream.counts().unanswered > 0) std::this_thread::yield();  // no flush: the linger alone sends it
  }
  ASSERT_TRUE(stream.close(kLong).ok());
  expect_nothing_lost_nothing_double(server, answers, 30);
}

TEST(TradeStream, RefusesWhatCannotTravel) {
  ScriptedServer server;
  TradeStream stream(server.address(), {}, {});
  v1::Trade trade = trade_number(0);
  trade.set_book("\xff");
  EXPECT_EQ(stream.submit(trade, 0).message(), "book is not UTF-8 text");
  trade.set_book(std::string(3'000, 'x'));
  EXPECT_EQ(stream.submit(trade, 0).code(), Code::kInvalidArgument);
  EXPECT_EQ(stream.counts().added, 0u);
}

TEST(TradeStream, CanBeDroppedAtAnyMoment) {
  ScriptedServer server;
  for (int i = 0; i < 50; ++i) {
    TradeStream stream(server.address(), {}, {});
    for (int t = 0; t < i; ++t) static_cast<void>(stream.submit(trade_number(t), 0));
  }
}

v1::Price price(const std::string& instrument, std::int64_t value) {
  v1::Price message;
  message.set_instrument(instrument);
  message.set_price_e8(value);
  return message;
}

TEST(PriceStream, SendsOnlyTheLatestAgainAfterABreak) {
  ScriptedServer server;
  server.hold_answers = true;
  Answers answers;
  PriceStream::Options options;
  options.first_backoff = 1ms;
  options.max_batch_items = 4;
  PriceStream stream(server.address(), options, answers.callback());
  std::uint64_t token = 0;
  for (int round = 1; round <= 5; ++round) {
    for (const char* name : {"A", "B", "C"}) ASSERT_TRUE(stream.publish(price(name, round), token++).ok());
  }
  v1::FxRate rate;
  rate.set_currency("A");  // of the same name as an instrument: not the same thing
  ASSERT_TRUE(stream.publish(rate, token++).ok());
  while (server.prices().size() < 15) std::this_thread::yield();
  server.hold_answers = false;
  server.restart();
  ASSERT_TRUE(stream.close(kLong).ok());

  const std::vector<v1::Price> taken = server.prices();
  ASSERT_EQ(taken.size(), 18u);
  for (std::size_t i = 15; i < 18; ++i) EXPECT_EQ(taken[i].price_e8(), 5);
  ASSERT_EQ(answers.all.size(), 16u);
  std::vector<bool> answered(16), superseded(16);
  for (const Answers::Answer& answer : answers.all) {
    EXPECT_FALSE(answered[answer.token]) << "token " << answer.token << " answered twice";
    answered[answer.token] = true;
    superseded[answer.token] = answer.superseded;
  }
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(superseded[i], i < 12) << i;
}

struct Events {
  std::mutex mutex;
  std::condition_variable more;
  std::vector<std::uint64_t> ids;

  std::function<void(const v1::AlertEvent&)> callback() {
    return [this](const v1::AlertEvent& event) {
      std::lock_guard lock(mutex);
      ids.push_back(event.event_id());
      more.notify_all();
    };
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return more.wait_for(lock, kLong, [&] { return ids.size() >= count; });
  }
  void expect_all_from(std::uint64_t first) {
    for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], first + i);
  }
};

TEST(AlertFollower, ResumesAfterCutsAndRestartsWithoutGapOrDouble) {
  ScriptedServer server;
  server.events = 1'000;
  server.cut_after_events = 37;
  Events events;
  AlertFollower::Options options;
  options.after_event_id = 10;
  options.first_backoff = 1ms;
  AlertFollower follower(server.address(), options, events.callback());
  ASSERT_TRUE(events.wait_for(500));
  server.restart();
  ASSERT_TRUE(events.wait_for(990));
  server.cut_after_events = 0;
  server.events = 1'500;
  ASSERT_TRUE(events.wait_for(1'490));
  EXPECT_TRUE(follower.stop().ok());
  events.expect_all_from(11);
  EXPECT_EQ(follower.bookmark(), 1'500u);
  EXPECT_GT(follower.breaks(), 20u);
}

TEST(AlertFollower, FromNowStaysOverABreak) {
  ScriptedServer server;
  server.events = 100;
  Events events;
  std::mutex mutex;
  std::condition_variable progressed;
  std::uint64_t progress = 0;
  AlertFollower::Options options;
  options.from_now = true;
  options.on_progress = [&](std::uint64_t event_id, std::uint64_t) {
    std::lock_guard lock(mutex);
    progress = event_id;
    progressed.notify_all();
  };
  AlertFollower follower(server.address(), options, events.callback());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(progressed.wait_for(lock, kLong, [&] { return progress == 100; }));
  }
  server.stop();
  server.events = 103;  // while we were away
  server.restart();
  ASSERT_TRUE(events.wait_for(3));
  EXPECT_TRUE(follower.stop().ok());
  EXPECT_EQ(events.ids, (std::vector<std::uint64_t>{101, 102, 103}));
}

TEST(AlertFollower, StopsRatherThanLeaveAGap) {
  ScriptedServer server;
  server.events = 10;
  server.leave_out_event = 5;
  Events events;
  AlertFollower follower(server.address(), {}, events.callback());
  EXPECT_EQ(follower.wait(kLong).code(), Code::kDataLoss);
  EXPECT_EQ(follower.bookmark(), 4u);
}

TEST(AlertFollower, SaysWhenTheBookmarkIsOutOfRange) {
  ScriptedServer server;
  AlertFollower::Options options;
  options.after_event_id = 7;
  AlertFollower follower(server.address(), options, [](const v1::AlertEvent&) {});
  EXPECT_EQ(follower.wait(kLong).code(), Code::kOutOfRange);
}

TEST(AlertFollower, GivesUpWhenToldTo) {
  AlertFollower::Options options;
  options.give_up_after = 50ms;
  options.first_backoff = 1ms;
  AlertFollower follower("127.0.0.1:1", options, [](const v1::AlertEvent&) {});
  EXPECT_EQ(follower.wait(kLong).code(), Code::kUnavailable);
}

TEST(Client, SaysWhichFieldWasWrong) {
  ScriptedServer server;
  Client client(server.address());
  const Result<v1::TradeState> answer = client.get_trade({});
  EXPECT_EQ(answer.status().code(), Code::kInvalidArgument);
  EXPECT_EQ(answer.status().message(), "not a trade's key; source: is longer than 32 bytes");
  EXPECT_EQ(client.status().status().code(), Code::kUnsupported);
}

TEST(Client, SaysWhenNobodyIsThere) {
  Client client("127.0.0.1:1");
  const Result<v1::Status> answer = client.status();
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_NE(answer.status().message().find("cannot reach 127.0.0.1:1"), std::string::npos);
}

TEST(Utf8, KnowsGoodFromBad) {
  for (const char* good : {"", "plain", "long enough for a word", "Zürich", "日本", "\U0001F600", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "abc\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xE0\x80\x80", "12345678\xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace halocline
