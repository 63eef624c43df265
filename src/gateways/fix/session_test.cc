// A session with its counterparty, message by message, over a journal that becomes durable when the test says so; and what is left of it
// after a crash.
#include "gateways/fix/session.h"

#include <gtest/gtest.h>

#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "command/codec.h"
#include "gateways/fix/fix_text.h"
#include "gateways/fix/scripted_core.h"

namespace halocline::fix {
namespace {

std::string now_text(int seconds_off = 0) {
  const std::time_t now = std::time(nullptr) + seconds_off;
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H:%M:%S", &utc);
  return text;
}

FixSessionTerms usual_terms() {
  FixSessionTerms terms;
  terms.name = "oms";
  terms.machine = {"FIX.4.4", "HALOCLINE", "OMS"};
  terms.rules.source = "OMS";
  terms.rules.book = TagRule::parse("1").take();
  terms.rules.trader = TagRule::parse("50").take();
  terms.rules.counterparty = TagRule::parse("49").take();
  terms.rules.instrument = TagRule::parse("55").take();
  return terms;
}

class SessionTest : public ::testing::Test, public Outlet {
 protected:
  SessionTest() { start(); }

  void start() { session = std::make_unique<Session>(terms, core, clock, core.ledger); }
  // The process dies: what was not durable is gone. A new one begins from the journal.
  void crash() {
    out.clear();
    session.reset();
    core.waiting.clear();
    core.wanted = {0, 0};
    const FixLedgerRow ledger = core.ledger;
    start();
    session->answer_what_is_left(ledger);
  }

  void connect() {
    connected = true;
    session->attach(*this, "127.0.0.1:1", false);
  }
  // A message from the counterparty, from 35= on, and the end of a read.
  void receive(const std::string& type, std::uint32_t number, const std::string& body = "", bool flush = true) {
    const std::string text = whole_message(terms.machine.begin_string, "35=" + type + "|34=" + std::to_string(number) +
        "|49=OMS|50=anna|56=HALOCLINE|52=" +
                                                                           now_text() + "|" + body);
    session->receive(text, 1);
    if (flush) session->flush();
  }
  void log_on(std::uint32_t number = 1) {
    connect();
    receive("A", number, "98=0|108=30|");
    core.settle(*session);
  }
  void execution(std::uint32_t number, const std::string& id, const std::string& head = "") {
    receive("8", number, head + "17=" + id + "|150=F|1=eq1|55=AAPL|54=1|32=100|31=10|");
  }
  void capture(std::uint32_t number, const std::string& id, const std::string& head = "") {
    receive("AE", number, head + "571=" + id + "|55=AAPL|32=100|31=10|552=1|54=1|1=eq1|");
  }
  // Types and numbers of what has left, as "A1 0-2 …", and forgets them.
  std::string left() {
    std::string all;
    for (const auto& [text, gate] : out) {
      if (gate > session->durable_batch()) break;
      Message message;
      EXPECT_TRUE(message.parse(text)) << text;
      all += (all.empty() ? "" : " ") + std::string(message.type()) + std::to_string(message.number());
      last = text;
    }
    while (!out.empty() && out.front().second <= session->durable_batch()) out.pop_front();
    return all;
  }
  std::string last_value(int tag) {
    Message message;
    EXPECT_TRUE(message.parse(last));
    return std::string(value_of(message.fields(), tag));
  }

  // Outlet
  void send(std::string text, std::uint64_t gate) override { out.emplace_back(std::move(text), gate); }
  void close() override { connected = false; }
  void resume() override {}
  bool backed_up() const override { return full; }

  FixSessionTerms terms = usual_terms();
  SystemClock clock;
  ScriptedCore core;
  std::unique_ptr<Session> session;
  std::deque<std::pair<std::string, std::uint64_t>> out;
  std::string last;
  bool connected = false, full = false;
};

TEST_F(SessionTest, AReportAndItsNumberAreOneSubmission) {
  log_on();
  EXPECT_EQ(left(), "A1");
  execution(2, "E1");
  ASSERT_EQ(core.waiting.size(), 1u);
  EXPECT_EQ(core.waiting[0].count, 2u);
  EXPECT_EQ(session->row().next_in, 3u);
  EXPECT_EQ(session->row().durable_in, 2u);
  core.settle(*session);
  EXPECT_EQ(session->row().durable_in, 3u);
  EXPECT_EQ(core.trades, std::vector<std::string>{"E1"});
  EXPECT_EQ(left(), "") << "a drop copy has no answer";
}

TEST_F(SessionTest, WhatOneReadBringsIsOneSubmission) {
  log_on();
  for (std::uint32_t i = 2; i < 102; ++i) {
    receive("8", i, "17=E" + std::to_string(i) + "|150=F|1=eq1|55=AAPL|54=1|32=100|31=10|", false);
  }
  session->flush();
  ASSERT_EQ(core.waiting.size(), 1u);
  EXPECT_EQ(core.waiting[0].count, 200u);
}

TEST_F(SessionTest, AnAcknowledgementLeavesWhenItIsDurable) {
  log_on();
  left();
  capture(2, "R1");
  EXPECT_EQ(left(), "");
  core.settle(*session, 1);  // the trade
  EXPECT_EQ(left(), "") << "the answer is not in the journal yet";
  ASSERT_EQ(core.waiting.size(), 1u);
  core.settle(*session, 1);  // the answer
  EXPECT_EQ(left(), "AR2");
  EXPECT_EQ(last_value(571), "R1");
  EXPECT_EQ(last_value(939), "0");
  EXPECT_EQ(core.sent.count(2), 1u);
  EXPECT_TRUE(core.ledger.unanswered.empty());
}

TEST_F(SessionTest, AHeartbeatBehindAnAcknowledgementWaitsForIt) {
  log_on();
  left();
  capture(2, "R1");
  core.settle(*session, 1);
  receive("1", 3, "112=x|");
  EXPECT_EQ(left(), "") << "numbers leave in order";
  core.settle(*session);
  EXPECT_EQ(left(), "AR2 03");
}

TEST_F(SessionTest, AfterACrashItExpectsWhatIsNotDurable) {
  log_on();
  execution(2, "E1");
  core.settle(*session);
  execution(3, "E2");
  execution(4, "E3");
  crash();
  log_on(5);
  const std::string sent = left();
  EXPECT_NE(sent.find(" 2"), std::string::npos) << sent;
  EXPECT_EQ(last_value(7), "3");
  execution(3, "E2", "43=Y|122=" + now_text() + "|");
  execution(4, "E3", "43=Y|122=" + now_text() + "|");
  receive("4", 5, "43=Y|122=" + now_text() + "|123=Y|36=6|");
  core.settle(*session);
  EXPECT_EQ(session->row().next_in, 6u);
  EXPECT_EQ(core.trades, (std::vector<std::string>{"E1", "E2", "E3"}));
}

TEST_F(SessionTest, OutgoingNumbersAreNeverUsedTwice) {
  log_on();
  receive("1", 2, "112=x|");
  EXPECT_EQ(left(), "A1 02");
  crash();
  log_on(3);
  Message message;
  ASSERT_FALSE(out.empty());
  ASSERT_TRUE(message.parse(out[0].first));
  EXPECT_GT(message.number(), 500u) << "behind what was reserved";
}

TEST_F(SessionTest, AReplyThatWasNotJournaledIsMadeAfterTheCrash) {
  log_on();
  capture(2, "R1");
  core.settle(*session, 1);
  crash();
  EXPECT_EQ(core.ledger.unanswered.size(), 1u);
  core.settle(*session);
  EXPECT_TRUE(core.ledger.unanswered.empty());
  ASSERT_EQ(core.sent.size(), 1u);
  // It is asked for when the counterparty sees that a number is missing.
  log_on(3);
  left();
  receive("2", 4, "7=2|16=0|");
  core.settle(*session);
  const std::string sent = left();
  EXPECT_NE(sent.find("AR" + std::to_string(core.sent.begin()->first)), std::string::npos) << sent;
}

TEST_F(SessionTest, AResendHasTheSameContent) {
  log_on();
  left();
  capture(2, "R1");
  capture(3, "R2");
  receive("1", 4, "112=x|");
  core.settle(*session);
  EXPECT_EQ(left(), "02 AR3 AR4");
  const std::string was = core.sent[3];
  receive("2", 5, "7=1|16=0|");
  core.settle(*session);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(left(), "41 AR3 AR4") << "session messages are filled";
  Message original;
  ASSERT_TRUE(original.parse(was));
  last = core.sent[4];
  EXPECT_EQ(last_value(571), "R2");
}

TEST_F(SessionTest, ALongResendWaitsForTheCounterpartyToRead) {
  log_on();
  for (std::uint32_t number = 2; number < 602; ++number) {
    capture(number, "R" + std::to_string(number));
    core.settle(*session);
  }
  left();
  full = true;
  receive("2", 602, "7=1|16=0|");
  core.settle(*session);
  EXPECT_EQ(out.size(), 251u) << "the Logon's place and a part of the answers";
  EXPECT_FALSE(session->takes_message());
  session->drained();
  core.settle(*session);
  EXPECT_EQ(out.size(), 501u);
  full = false;
  session->drained();
  core.settle(*session);
  EXPECT_EQ(out.size(), 601u);
  EXPECT_TRUE(session->takes_message());
  EXPECT_EQ(session->row().next_in, 603u);
}

TEST_F(SessionTest, ARefusedExecutionIsAnswered) {
  log_on();
  left();
  core.outcome = Outcome::kUnknownBook;
  execution(2, "E1");
  core.settle(*session);
  EXPECT_EQ(left(), "j2");
  EXPECT_EQ(last_value(45), "2");
  EXPECT_EQ(last_value(379), "E1");
  EXPECT_EQ(last_value(380), "1");
  EXPECT_EQ(core.counters["fix_refused"], 1u);
  EXPECT_EQ(session->row().last_error.substr(0, 12), "UNKNOWN_BOOK");
}

TEST_F(SessionTest, BadContentIsAnsweredAndCounts) {
  log_on();
  left();
  receive("8", 2, "17=E1|150=F|1=eq1|55=AAPL|54=1|31=10|");
  receive("8", 3, "17=E2|150=F|1=eq1|55=AAPL|54=1|32=x|31=10|");
  receive("8", 4, "17=E3|150=4|");
  receive("V", 5, "262=r|");
  core.settle(*session);
  EXPECT_EQ(left(), "j2 33 j4");
  EXPECT_EQ(session->row().durable_in, 6u);
  EXPECT_EQ(session->row().ignored, 1u);
  EXPECT_EQ(core.trades.size(), 0u);
}

TEST_F(SessionTest, ARefusedMessageAndItsReplyAreOneSubmission) {
  log_on();
  for (std::uint32_t number = 2; number < 20'002; ++number) {
    receive("8", number, "17=E" + std::string(number / 500, '1') + "|150=F|1=eq1|55=AAPL|54=1|31=10|", false);
  }
  session->flush();
  EXPECT_GT(core.waiting.size(), 2u);
  int replies = 0;
  for (const ScriptedCore::Waiting& one : core.waiting) {
    EXPECT_LE(one.records.size(), limits::kMaxSubmissionBytes);
    int unanswered = 0;
    for (std::span<const std::byte> rest(one.records); !rest.empty();) {
      const FramedCommand next = first_command(rest);
      unanswered += std::holds_alternative<FixReceived>(next.command);
      if (std::holds_alternative<FixSent>(next.command)) --unanswered, ++replies;
      rest = rest.subspan(next.bytes);
    }
    EXPECT_EQ(unanswered, 0);
  }
  EXPECT_EQ(replies, 20'000);
}

TEST_F(SessionTest, APossDupOfWhatIsKnownChangesNothing) {
  log_on();
  execution(2, "E1");
  execution(2, "E1", "43=Y|122=" + now_text() + "|");
  core.settle(*session);
  EXPECT_EQ(core.trades.size(), 1u);
  EXPECT_EQ(session->row().next_in, 3u);
}

TEST_F(SessionTest, AGapIsAskedForAndWhatCameEarlyIsTakenOnce) {
  log_on();
  left();
  execution(4, "E3");
  execution(5, "E4");
  EXPECT_EQ(left(), "22");
  EXPECT_EQ(last_value(7), "2");
  for (const auto& [number, id] : {std::pair{2u, "E1"}, {3u, "E2"}, {4u, "E3"}, {5u, "E4"}}) execution(number, id, "43=Y|122=" +
      now_text() + "|");
  core.settle(*session);
  EXPECT_EQ(core.trades, (std::vector<std::string>{"E1", "E2", "E3", "E4"}));
  EXPECT_EQ(session->row().next_in, 6u);
}

TEST_F(SessionTest, ALogonIsLookedAt) {
  terms.username = "oms", terms.password = "secret";
  start();
  connect();
  receive("A", 1, "98=0|108=30|553=oms|554=wrong|");
  core.settle(*session);
  EXPECT_EQ(left(), "51");
  EXPECT_FALSE(connected);
  connect();
  receive("A", 1, "98=0|108=30|553=oms|554=secret|");
  core.settle(*session);
  EXPECT_EQ(left(), "A2");
  EXPECT_EQ(session->row().state, "logged on");
  EXPECT_NE(session->refusal(), "") << "one connection at a time";
}

TEST_F(SessionTest, ALogonOutOfOrderIsToldWhyAndDoesNotKeepTheConnection) {
  connect();
  receive("A", 1, "98=0|");
  core.settle(*session);
  EXPECT_EQ(left(), "51");
  EXPECT_NE(last_value(58).find("108"), std::string::npos) << last_value(58);
  EXPECT_FALSE(connected);
  EXPECT_EQ(core.counters["fix_logon_refused"], 1u);
  EXPECT_NE(session->row().last_error.find("108"), std::string::npos);
  EXPECT_EQ(session->refusal(), "") << "the next may log on";
  connect();
  receive("A", 1, "98=1|108=30|");
  core.settle(*session);
  EXPECT_EQ(left(), "52");
  EXPECT_NE(last_value(58).find("98"), std::string::npos) << last_value(58);
  log_on();
  EXPECT_EQ(left(), "A3");
}

TEST_F(SessionTest, ANumberThatNoIntHoldsIsNotReadAsAnother) {
  connect();
  receive("A", 1, "98=0|108=4294967326|");  // 30, if only 32 bits were looked at
  core.settle(*session);
  EXPECT_EQ(left(), "51");
  log_on(1);
  left();
  receive("4", 2, "36=4294967306|");  // 10
  core.settle(*session);
  EXPECT_EQ(left(), "33");
  EXPECT_EQ(last_value(371), "36");
  EXPECT_EQ(session->row().next_in, 2u) << "a SequenceReset that is rejected does not count";
  receive("2", 2, "7=4294967297|16=0|");
  core.settle(*session);
  EXPECT_EQ(left(), "34");
  EXPECT_EQ(last_value(371), "7");
}

TEST_F(SessionTest, AResetBeginsAtOneInBothDirections) {
  log_on();
  execution(2, "E1");
  core.settle(*session);
  bool done = false;
  session->reset([&](const Status& status) { done = status.ok(); });
  core.settle(*session);
  EXPECT_TRUE(done);
  EXPECT_FALSE(connected);
  EXPECT_EQ(core.ledger.next_in, 1u);
  left();
  log_on(1);
  EXPECT_EQ(left(), "A1");
  EXPECT_EQ(session->row().next_in, 2u);
}

TEST_F(SessionTest, ACleanEndLeavesExactNumbers) {
  log_on();
  left();
  session->stop_taking();
  EXPECT_FALSE(session->takes_message());
  session->log_out_for_good();
  core.settle(*session);
  EXPECT_EQ(left(), "52");
  EXPECT_TRUE(session->takes_message()) << "their Logout";
  receive("5", 2);
  core.settle(*session);
  EXPECT_FALSE(connected);
  session->settle_numbers();
  core.settle(*session);
  EXPECT_EQ(core.ledger.next_in, 3u);
  EXPECT_EQ(core.ledger.next_out, 3u);
}

TEST_F(SessionTest, ManyUnansweredReportsStopTheReading) {
  log_on();
  std::uint32_t number = 2;
  while (session->takes_message() && number < 5'000) capture(number, "R" + std::to_string(number)), ++number;
  EXPECT_EQ(number, 2u + 1'024u);
  core.settle(*session);
  EXPECT_TRUE(session->takes_message());
  EXPECT_EQ(core.trades.size(), 1'024u);
}

}  // namespace
}  // namespace halocline::fix
