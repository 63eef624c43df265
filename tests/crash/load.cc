// The load of the crash test: a small floor, then seeded random trades, prices, limits and acknowledgements at a bounded rate, over
// any number of crashes of the server, over the client library only. What the server said is printed as JSON lines:
//
//   {"ready":true}                                    the floor is loaded, trades begin
//   {"ack":token,"source":…,"id":…,"version":…,"action":…,"outcome":"ACCEPTED","seq":…,"first_seq":…}
//   {"event":id,"alert":…,…}                          an alert event, complete, in the model's fields (value and threshold as decimal text)
//   {"change":"limit","outcome":…,"seq":…}            the answer to another change
//   {"break":"trades"|"alerts"}                       a connection was lost
//   {"end":true,"acks":n,"events":n,"last_event_id":n,"resent":n,"breaks":n}
//
// It goes on until its standard input ends, then waits for all answers, and for all events the server knows of, and exits 0. Answers
// that are lost, double or out of order, and gaps between events, end it at once with 1 and a sentence on standard error.
//
//   crash_load SERVER SEED TRADES_PER_SECOND
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "client/alert_follower.h"
#include "client/client.h"
#include "client/trade_stream.h"

namespace {

using namespace halocline;
using std::chrono::seconds;

constexpr std::int64_t kOne = 100'000'000;  // 1.0 at e8
constexpr int kKeys = 240;                  // few enough for a model that recomputes everything after each command
constexpr int kBooks = 6, kTraders = 10, kInstruments = 12, kLimits = 5;
constexpr auto kPatience = seconds(60);     // for answers at the end: the server is up then

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "crash_load: %s\n", what.c_str());
  std::_Exit(1);
}

// Printed whole and at once, from any thread: the test counts them while it runs.
void print(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string field(const char* name, const std::string& value) { return std::string(",\"") + name + "\":" + value; }
std::string text_field(const char* name, const std::string& value) { return field(name, quoted(value)); }
std::string number_field(const char* name, std::int64_t value) { return field(name, std::to_string(value)); }

std::string event_line(const v1::AlertEvent& e) {
  std::string key = e.cause_name();
  if (e.cause() == v1::CAUSE_TRADE) key = e.cause_source() + "/" + e.cause_trade_id() + "/" + std::to_string(e.cause_version());
  return "{\"event\":" + std::to_string(e.event_id()) + number_field("alert", static_cast<std::int64_t>(e.alert_id())) +
         number_field("step", e.step()) + number_field("reason", e.reason()) + number_field("seq", static_cast<std::int64_t>(e.seq())) +
         number_field("time", e.time_ns()) + text_field("limit", e.limit()) + number_field("node_kind", e.kind()) +
         text_field("node", e.node()) + number_field("measure", e.measure()) + number_field("level", e.level()) +
         text_field("value", e.value()) + text_field("threshold", e.threshold()) + field("hard", e.hard() ? "true" : "false") +
         text_field("owner", e.owner()) + text_field("by", e.by()) + text_field("note", e.note()) +
         text_field("cause", v1::Cause_Name(e.cause()).substr(6)) + text_field("cause_key", key) + "}";
}

// -- the floor

std::string name(const char* what, int i) { return what + std::to_string(i); }

// As long as a name may be, so that segments fill up soon.
std::string long_name(const char* what, int i) {
  const std::string plain = name(what, i);
  return plain + std::string(64 - plain.size(), '.');
}

v1::UpsertRequest floor_request() {
  v1::UpsertRequest request;
  request.add_items()->mutable_firm()->set_name("crash");
  request.mutable_items(0)->mutable_firm()->set_currency("USD");
  auto currency = [&](const char* code, std::int64_t rate) {
    v1::CurrencyItem& item = *request.add_items()->mutable_currency();
    item.set_code(code);
    item.set_rate_e8(rate);
  };
  currency("EUR", 108'000'000);
  currency("JPY", 650'000);
  for (int i = 0; i < 2; ++i) request.add_items()->mutable_desk()->set_name(name("desk", i));
  for (int i = 0; i < kBooks; ++i) {
    v1::BookItem& item = *request.add_items()->mutable_book();
    item.set_name(long_name("book", i));
    item.set_desk(name("desk", i % 2));
  }
  for (int i = 0; i < kTraders; ++i) request.add_items()->mutable_trader()->set_name(name("trader", i));
  for (int i = 0; i < 3; ++i) request.add_items()->mutable_counterparty()->set_name(long_name("bank", i));
  for (int i = 0; i < kInstruments; ++i) {
    v1::InstrumentItem& item = *request.add_items()->mutable_instrument();
    item.set_symbol(name("STOCK", i));
    item.set_kind(i % 4 == 3 ? v1::FUTURE : v1::EQUITY);
    item.set_currency(i % 3 == 0 ? "USD" : i % 3 == 1 ? "EUR" : "JPY");
    item.set_multiplier_e8(i % 4 == 3 ? 50 * kOne : kOne);
    item.set_sector(name("sector", i % 3));
    item.set_stale_after_ns(i % 5 == 0 ? 2'000'000'000 : 0);
  }
  return request;
}

// Limits whose levels random trades keep crossing, in both directions.
v1::Limit limit(int i, std::int64_t per_mille) {
  static constexpr struct {
    v1::NodeKind kind;
    const char* node;
    v1::Measure measure;
    std::int64_t breach;
  } kPlan[kLimits] = {{v1::TRADER, "*", v1::GROSS, 60'000},
                      {v1::TRADER, "trader1", v1::NET, 20'000},
                      {v1::BOOK, "*", v1::NET, 70'000},
                      {v1::FIRM, "crash", v1::TRADE_RATE, 1'000},
                      {v1::DESK, "*", v1::DAY_LOSS, 15'000}};
  v1::Limit to;
  to.set_name(name("limit", i));
  to.set_kind(kPlan[i].kind);
  to.set_node(kPlan[i].node);
  to.set_measure(kPlan[i].measure);
  to.set_warn(std::to_string(kPlan[i].breach * per_mille * 8 / 10'000));
  to.set_breach(std::to_string(kPlan[i].breach * per_mille / 1'000));
  to.set_hysteresis_e8(kOne / 20);
  to.set_hard(i % 2 == 0);
  to.set_owner("risk");
  to.set_escalate_after_ns(i % 2 == 0 ? 1'500'000'000 : 0);
  return to;
}

// A server that goes down may still say why, when its journal's disk is full.
bool goes_down(const Status& status) {
  return status.code() == Code::kUnavailable || status.message().find("the server stops") != std::string::npos;
}

// A change that is asked for until there is an answer. Each may so be made twice; all of them say the second time that it holds already.
template <class Call>
auto until_answered(const char* what, const Call& call) {
  for (;;) {
    auto result = call();
    if (result.ok()) return result.take();
    if (!goes_down(result.status())) fail(std::string(what) + ": " + result.status().to_string());
  }
}

void print_change(const char* what, v1::Outcome outcome, std::uint64_t seq) {
  print(std::string("{\"change\":\"") + what + "\"" + text_field("outcome", v1::Outcome_Name(outcome)) +
        number_field("seq", static_cast<std::int64_t>(seq)) + "}");
}

// -- trades

// What was sent and not answered, in the order of the answers.
class Ledger {
 public:
  std::uint64_t sent(const v1::Trade& trade) {
    const std::lock_guard lock(mutex_);
    open_.push_back({trade.source(), trade.trade_id(), trade.version(), trade.action()});
    return next_token_++;
  }

  void answered(std::span<const StreamAck> acks) {
    for (const StreamAck& ack : acks) {
      Sent trade;
      {
        const std::lock_guard lock(mutex_);
        const std::uint64_t expected = next_token_ - open_.size();
        if (open_.empty() || ack.token != expected) {
          fail("an answer for trade " + std::to_string(ack.token) + ", when " + std::to_string(expected) + " was next: lost, double or out of order");
        }
        trade = open_.front();
        open_.pop_front();
      }
      if (ack.superseded || ack.outcome == v1::OUTCOME_UNSPECIFIED || ack.seq == 0) {
        fail("trade " + std::to_string(ack.token) + " was answered without an outcome or a seq: " + std::string(ack.detail));
      }
      print("{\"ack\":" + std::to_string(ack.token) + text_field("source", trade.source) + text_field("id", trade.id) +
            number_field("version", trade.version) + number_field("action", trade.action) +
            text_field("outcome", v1::Outcome_Name(ack.outcome)) + number_field("seq", static_cast<std::int64_t>(ack.seq)) +
            number_field("first_seq", static_cast<std::int64_t>(ack.first_seq)) + "}");
    }
  }

  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return next_token_ - 1;
  }

 private:
  struct Sent {
    std::string source, id;
    std::uint32_t version = 0;
    int action = 0;
  };
  mutable std::mutex mutex_;
  std::deque<Sent> open_;
  std::uint64_t next_token_ = 1;
};

class Trades {
 public:
  explicit Trades(std::uint64_t seed) : random_(seed), last_(kKeys) {}

  int draw(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }

  // New versions mostly; one in eight something that must change nothing: the same again, an older version, another content.
  const v1::Trade& next() {
    v1::Trade& last = last_[static_cast<std::size_t>(draw(kKeys))];
    const int what = draw(100);
    if (last.version() > 0 && what < 6) return last;
    if (last.version() > 1 && what < 10) {
      odd_ = last;
      odd_.set_version(last.version() - 1);
      return odd_;
    }
    if (last.version() > 0 && what < 12) {
      odd_ = last;
      odd_.set_quantity_e8(last.quantity_e8() + 1);
      return odd_;
    }
    fill(last);
    return last;
  }

 private:
  void fill(v1::Trade& trade) {
    const int key = static_cast<int>(&trade - last_.data());
    const bool first = trade.version() == 0;
    trade.set_source(name("feed", key % 4));
    trade.set_trade_id(long_name("T", key));
    trade.set_version(trade.version() + 1 + static_cast<std::uint32_t>(draw(10) == 0));
    const bool cancel = draw(100) < 12;
    trade.set_action(cancel ? v1::CANCEL : first ? v1::NEW : v1::AMEND);
    if (cancel) return;
    const int instrument = draw(kInstruments);
    trade.set_book(long_name("book", draw(kBooks)));
    trade.set_trader(name("trader", draw(kTraders)));
    trade.set_counterparty(long_name("bank", draw(3)));
    trade.set_instrument(draw(60) == 0 ? "NOTHING" : name("STOCK", instrument));
    trade.set_side(draw(2) == 0 ? v1::BUY : v1::SELL);
    trade.set_quantity_e8((1 + draw(instrument % 4 == 3 ? 4 : 100)) * kOne + draw(1000));
    trade.set_price_e8((20 + draw(180)) * kOne + draw(100'000'000));
    trade.set_fees_e8(draw(3) * 1'234'567);
    trade.set_trade_time_ns(1'790'000'000'000'000'000 + static_cast<std::int64_t>(key) * 1'000'000);
  }

  std::mt19937_64 random_;
  std::vector<v1::Trade> last_;  // the newest version of each key as it was sent
  v1::Trade odd_;
};

// -- the run

bool input_ended() {
  pollfd in{STDIN_FILENO, POLLIN, 0};
  if (::poll(&in, 1, 0) <= 0) return false;
  char byte;
  return ::read(STDIN_FILENO, &byte, 1) <= 0;
}

// The rate is a property of the load, not a way to wait for something.
void pace(std::int64_t nanos) {
  timespec t{nanos / 1'000'000'000, nanos % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {
  }
}

// The events handed to the follower's callback, and waiting for one of them.
struct Events {
  std::mutex mutex;
  std::condition_variable more;
  std::uint64_t last = 0;
  std::vector<std::uint64_t> to_acknowledge;  // alerts that were raised lately

  void take(const v1::AlertEvent& event) {
    print(event_line(event));
    const std::lock_guard lock(mutex);
    if (event.event_id() != last + 1) fail("event " + std::to_string(event.event_id()) + " came after " + std::to_string(last));
    last = event.event_id();
    if (event.step() == v1::RAISED) to_acknowledge.push_back(event.alert_id());
    more.notify_all();
  }
};

// One change that is not a trade, now and then.
void change_something(Client& client, Trades& random, Events& events) {
  const int what = random.draw(10);
  if (what < 5) {
    v1::PriceBatch batch;
    v1::Price& price = *batch.add_prices();
    price.set_instrument(name("STOCK", random.draw(kInstruments)));
    price.set_price_e8((20 + random.draw(180)) * kOne);
    if (random.draw(3) == 0) {
      v1::FxRate& rate = *batch.add_rates();
      rate.set_currency("EUR");
      rate.set_rate_e8(100'000'000 + random.draw(16'000'000));
    }
    const v1::PriceAcks acks = until_answered("prices", [&] { return client.publish_prices(batch); });
    print_change("price", acks.exceptions_size() == 0 ? v1::ACCEPTED : acks.exceptions(0).ack().outcome(), acks.first_seq());
  } else if (what < 8) {
    const v1::Limit to = limit(random.draw(kLimits), 500 + random.draw(1'000));
    const v1::Ack ack = until_answered("limit", [&] { return client.set_limit(to); });
    print_change("limit", ack.outcome(), ack.seq());
  } else {
    v1::AckAlertRequest request;
    {
      const std::lock_guard lock(events.mutex);
      if (events.to_acknowledge.empty()) return;
      request.set_alert_id(events.to_acknowledge.back());
      events.to_acknowledge.pop_back();
    }
    request.set_by("crash test");
    request.set_note("seen");
    const v1::Ack ack = until_answered("acknowledgement", [&] { return client.ack_alert(request); });
    print_change("ack", ack.outcome(), ack.seq());
  }
}

void load_floor(Client& client) {
  const v1::UpsertRequest request = floor_request();
  const v1::UpsertResponse response = until_answered("reference data", [&] { return client.upsert(request); });
  for (const v1::Ack& ack : response.acks()) {
    if (ack.outcome() >= v1::CONFLICT && ack.outcome() != v1::ALREADY_SET) fail("reference data: " + ack.detail());
  }
  for (int i = 0; i < kLimits; ++i) {
    const v1::Limit to = limit(i, 1'000);
    const v1::Ack ack = until_answered("limit", [&] { return client.set_limit(to); });
    if (ack.outcome() >= v1::CONFLICT) fail("limit: " + ack.detail());
  }
}

void run(const std::string& server, std::uint64_t seed, std::int64_t rate) {
  Trades trades(seed);
  Ledger ledger;
  Events events;
  Client client(server, seconds(5));
  load_floor(client);

  AlertFollower::Options follow;
  follow.last_backoff = std::chrono::milliseconds(100);
  follow.on_break = [](const Status&) { print("{\"break\":\"alerts\"}"); };
  AlertFollower follower(server, follow, [&](const v1::AlertEvent& event) { events.take(event); });

  TradeStream::Options options;
  options.max_unanswered = 128;  // what a crash makes it send again, and what fits into a tiny segment
  options.max_batch_items = 64;
  options.last_backoff = std::chrono::milliseconds(100);
  options.on_break = [](const Status&) { print("{\"break\":\"trades\"}"); };
  TradeStream stream(server, options, [&](std::span<const StreamAck> acks) { ledger.answered(acks); });
  print("{\"ready\":true}");

  while (!input_ended()) {
    const int burst = trades.draw(5) == 0 ? 1 + trades.draw(16) : 1;
    for (int i = 0; i < burst; ++i) {
      const v1::Trade& trade = trades.next();
      const std::uint64_t token = ledger.sent(trade);
      if (Status status = stream.submit(trade, token); !status.ok()) fail("submit: " + status.to_string());
    }
    if (trades.draw(12) == 0) change_something(client, trades, events);
    if (Status status = follower.wait(std::chrono::nanoseconds(0)); !status.ok()) fail("alerts: " + status.to_string());
    pace(burst * 1'000'000'000 / rate);
  }

  if (Status status = stream.close(kPatience); !status.ok()) fail("at the end: " + status.to_string());
  const StreamCounts counts = stream.counts();
  if (counts.answered != ledger.count()) fail("the stream counts " + std::to_string(counts.answered) + " answers of " + std::to_string(ledger.count()));
  const v1::Status status = until_answered("status", [&] { return client.status(); });
  {
    std::unique_lock lock(events.mutex);
    if (!events.more.wait_for(lock, kPatience, [&] { return events.last >= status.last_event_id(); })) {
      fail("event " + std::to_string(status.last_event_id()) + " did not come, the last one is " + std::to_string(events.last));
    }
  }
  if (Status ended = follower.stop(); !ended.ok()) fail("alerts: " + ended.to_string());
  print("{\"end\":true" + number_field("acks", static_cast<std::int64_t>(counts.answered)) +
        number_field("events", static_cast<std::int64_t>(events.last)) +
        number_field("last_event_id", static_cast<std::int64_t>(status.last_event_id())) +
        number_field("resent", static_cast<std::int64_t>(counts.resent)) +
        number_field("breaks", static_cast<std::int64_t>(counts.breaks)) + "}");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: crash_load SERVER SEED TRADES_PER_SECOND");
  run(argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoll(argv[3], nullptr, 10));
  return 0;
}
