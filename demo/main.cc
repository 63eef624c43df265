// The demo floor: a calm trading day at many times its speed, and at about ten seconds one trader who bets too much. Trades go over FIX, by
// an order system in a process of its own; prices, reference data and limits over gRPC.
//   floor [--server HOST:PORT] [--fix HOST:PORT] [--once] [--seconds N] [--rate TRADES_PER_S] [--seed N] [--data DIRECTORY]
// Without --once it runs until Ctrl-C. Exit code 0: every promise held; 1: one was broken; 2: usage; 3: the server is away.
#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <optional>

#include "base/decimal.h"
#include "base/histogram.h"
#include "base/limits.h"
#include "client/alert_follower.h"
#include "client/client.h"
#include "client/price_stream.h"
#include "demo/floor_world.h"
#include "demo/order_system.h"
#include "demo/screen.h"

namespace {

using namespace halocline;
using namespace halocline::demo;

std::atomic<bool> interrupted{false};

std::int64_t now_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
std::int64_t wall_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

struct Options {
  std::string server = "127.0.0.1:7117";
  std::string fix = "127.0.0.1:7120";
  std::string history = "demo/data/sp500_prices.csv.gz";
  std::string data = "data/demo";
  bool once = false;
  double seconds = 25;
  int rate = 2'000;
  std::uint64_t seed = 1;
};

// One message sent and what is known of it. Tokens are indexes.
struct Sent {
  std::int64_t at = 0;  // when it left the order system, monotonic
  v1::Outcome expected = v1::OUTCOME_UNSPECIFIED;
  std::uint8_t answers_due = 0;  // an execution that is taken has none
  std::uint8_t answers = 0;
};

// The hot trader's buys, in order.
struct HotTrade {
  std::string id;
  std::int64_t quantity = 0;
  std::uint64_t token = 0;
};

// The traders as the server told them at a seq.
struct Told {
  std::uint64_t seq = 0;
  double seconds = 0;  // of the floor
  std::vector<v1::Node> traders;
};

// What a server's counters say of its trades, but for the accepted ones: those count other commands, too.
std::map<v1::Outcome, std::uint64_t> told_by(const v1::Status& status) {
  std::map<v1::Outcome, std::uint64_t> counts;
  for (const v1::Counter& counter : status.counters()) {
    for (const v1::Outcome outcome : {v1::DUPLICATE, v1::STALE, v1::CONFLICT}) {
      if (counter.name() == v1::Outcome_Name(outcome)) counts[outcome] = counter.value();
    }
  }
  return counts;
}

class Floor {
 public:
  Floor(const Options& options, const PriceHistory& history, std::string run, std::uint32_t after_date)
      : options_(options), run_(std::move(run)), world_(history, options.seed, run_, after_date), client_(options.server, std::chrono::seconds(10)) {}

  // Everything before the first trade. False: it said why.
  bool prepare();
  int play();

 private:
  void left(std::uint64_t token, std::int64_t at);
  void answered(std::uint64_t token, std::int64_t at, std::string_view text);
  void priced(std::span<const StreamAck> acks);
  void alerted(const v1::AlertEvent& event);
  void refresh(View& view, double seconds);
  Status list_traders(std::uint64_t as_of, Told& told);
  std::string look_back(const Told& then, double seconds);
  int summary();
  void promise(bool held, const std::string& what);
  std::int64_t hot_alert_latency() const;
  bool hot_alert_is_right() const;
  bool outcomes_are_right();
  bool positions_are_right();

  const Options options_;
  const std::string run_;
  FloorWorld world_;
  Client client_;
  Screen screen_{isatty(STDOUT_FILENO) == 1 && std::getenv("TERM") != nullptr && std::strcmp(std::getenv("TERM"), "dumb") != 0};
  std::map<std::pair<std::string, std::string>, Int128> baseline_;
  std::map<v1::Outcome, std::uint64_t> told_before_;
  std::uint64_t first_event_ = 0;

  mutable std::mutex mutex_;
  std::vector<Sent> sent_;
  std::vector<HotTrade> hot_trades_;
  std::vector<std::pair<std::int64_t, std::uint64_t>> hot_share_prices_;  // price, seq once answered; token = index + 1
  std::uint64_t prices_sent_ = 0, answered_ = 0, wrong_ = 0;
  std::uint64_t by_outcome_[64] = {};
  std::string first_wrong_;
  Histogram ack_latency_;
  std::vector<std::string> alerts_;
  std::optional<v1::AlertEvent> hot_alert_;
  std::int64_t hot_alert_at_ = 0;
  OrderSystem::Settled settled_;
  std::uint64_t events_ = 0;
  std::string notice_;
  std::deque<Told> told_;  // newest last
  std::future<std::string> looking_back_;
  double next_look_back_ = 0;
  std::atomic<std::size_t> looked_back_{0}, same_as_told_{0};
  bool all_held_ = true;
};

std::string event_line(const v1::AlertEvent& e) {
  const std::string what = v1::AlertStep_Name(e.step()) + " " + (e.level() == v1::NONE ? "" : v1::AlertLevel_Name(e.level()));
  return what + "  " + e.node() + "  " + e.limit() + "  " + grouped(e.value()) + " against " + grouped(e.threshold()) + "  seq " +
         std::to_string(e.seq());
}

bool Floor::prepare() {
  auto fail = [](const std::string& what) {
    std::fprintf(stderr, "floor: %s\n", what.c_str());
    return false;
  };
  v1::UpsertRequest request;
  std::vector<v1::ReferenceItem> items = world_.reference();
  for (std::size_t i = 0; i < items.size(); ++i) {
    *request.add_items() = items[i];
    if (request.items_size() < 500 && i + 1 < items.size()) continue;
    const Result<v1::UpsertResponse> response = client_.upsert(request);
    if (!response.ok()) return fail(response.status().message());
    for (const v1::Ack& ack : response.value().acks()) {
      if (ack.outcome() >= v1::CONFLICT) return fail("reference data was refused: " + ack.detail());
    }
    request.clear_items();
  }
  for (const v1::Limit& limit : world_.limits()) {
    const Result<v1::Ack> ack = client_.set_limit(limit);
    if (!ack.ok()) return fail(ack.status().message());
    if (ack.value().outcome() >= v1::CONFLICT) return fail("a limit was refused: " + ack.value().detail());
  }
  const Result<v1::PriceAcks> prices = client_.publish_prices(world_.first_prices());
  if (!prices.ok()) return fail(prices.status().message());
  v1::ListPositionsRequest books;
  books.set_kind(v1::BOOK);
  const Status listed = client_.list_positions(books, [this](const v1::PositionsPage& page) {
    for (const v1::Position& p : page.positions()) baseline_[{p.node(), p.instrument()}] = parse_decimal128(p.quantity()).value_or(0);
  });
  if (!listed.ok()) return fail(listed.message());
  const Result<v1::Status> status = client_.status();
  if (!status.ok()) return fail(status.status().message());
  first_event_ = status.value().last_event_id();
  told_before_ = told_by(status.value());
  return true;
}

void Floor::left(std::uint64_t token, std::int64_t at) {
  std::lock_guard lock(mutex_);
  sent_[token].at = at;
}

void Floor::answered(std::uint64_t token, std::int64_t at, std::string_view text) {
  // The outcome stands first, and nothing at all when there is nothing to say of it.
  const std::string name(text.substr(0, text.find(':')));
  v1::Outcome outcome = v1::ACCEPTED;
  if (!name.empty() && !v1::Outcome_Parse(name, &outcome)) outcome = v1::OUTCOME_UNSPECIFIED;
  std::lock_guard lock(mutex_);
  Sent& sent = sent_[token];
  ++answered_;
  ++sent.answers;
  ++by_outcome_[static_cast<std::size_t>(outcome) % 64];
  if (sent.answers == 1 && sent.at != 0) ack_latency_.record(at - sent.at);
  if (outcome != sent.expected && wrong_++ == 0) {
    first_wrong_ = "message " + std::to_string(token) + " got \"" + std::string(text) + "\", not " + v1::Outcome_Name(sent.expected);
  }
}

void Floor::priced(std::span<const StreamAck> acks) {
  std::lock_guard lock(mutex_);
  for (const StreamAck& ack : acks) {
    if (ack.token != 0) hot_share_prices_[ack.token - 1].second = ack.seq;
  }
}

void Floor::alerted(const v1::AlertEvent& event) {
  const std::int64_t at = now_ns();
  std::lock_guard lock(mutex_);
  ++events_;
  alerts_.push_back(event_line(event));
  if (alerts_.size() > 6) alerts_.erase(alerts_.begin());
  const bool hot = event.node() == FloorWorld::kHotTrader && event.limit() == FloorWorld::kHotLimit && event.level() == v1::BREACH &&
                   (event.step() == v1::RAISED || event.step() == v1::ESCALATED) && event.cause() == v1::CAUSE_TRADE;
  if (!hot || hot_alert_ || !event.cause_trade_id().starts_with(run_)) return;
  hot_alert_ = event;
  hot_alert_at_ = at;
}

// As they are, or as they were at a seq.
Status Floor::list_traders(std::uint64_t as_of, Told& told) {
  v1::ListNodesRequest request;
  request.set_kind(v1::TRADER);
  if (as_of != 0) request.mutable_as_of()->set_seq(as_of);
  return client_.list_nodes(request, [&told](const v1::NodesPage& page) {
    told.seq = page.seq();
    told.traders.insert(told.traders.end(), page.nodes().begin(), page.nodes().end());
  });
}

// Asks for the books as they were some seconds ago, compares them with what was told then, and says so.
std::string Floor::look_back(const Told& then, double seconds) {
  const std::int64_t asked = now_ns();
  Told again;
  const Status listed = list_traders(then.seq, again);
  const std::int64_t took = now_ns() - asked;
  if (!listed.ok()) return "the past: " + listed.message();
  const bool same = std::equal(then.traders.begin(), then.traders.end(), again.traders.begin(), again.traders.end(),
                               [](const v1::Node& a, const v1::Node& b) { return a.SerializeAsString() == b.SerializeAsString(); });
  ++looked_back_;
  same_as_told_ += same;
  const auto first = std::max_element(again.traders.begin(), again.traders.end(), [](const v1::Node& a, const v1::Node& b) {
    return std::atof(a.gross().c_str()) < std::atof(b.gross().c_str());
  });
  return "the books " + std::to_string(static_cast<int>(seconds - then.seconds)) + " s ago, as of seq " + grouped(std::to_string(then.seq)) + ": " +
         (first == again.traders.end() ? "no traders" : first->name() + " led with " + grouped(first->gross()) + " gross") +
         (same ? ", as told then" : ", NOT AS TOLD THEN") + "; answered in " + duration(took);
}

void Floor::refresh(View& view, double seconds) {
  const Result<v1::Status> status = client_.status();
  Told told;
  told.seconds = seconds;
  const Status listed = list_traders(0, told);
  if (listed.ok()) told_.push_back(told);
  constexpr double kBack = 10, kEvery = 5;
  while (told_.size() > 1 && told_[1].seconds <= seconds - kBack) told_.pop_front();
  if (looking_back_.valid() && looking_back_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) view.past = looking_back_.get();
  if (!looking_back_.valid() && !told_.empty() && told_.front().seconds <= seconds - kBack && seconds >= next_look_back_) {
    next_look_back_ = seconds + kEvery;
    looking_back_ = std::async(std::launch::async, [this, then = told_.front(), seconds] { return look_back(then, seconds); });
  }
  std::vector<v1::Node> nodes = std::move(told.traders);
  std::lock_guard lock(mutex_);
  notice_ = status.ok() && listed.ok() ? "" : "the server is away: " + (status.ok() ? listed : status.status()).message();
  if (status.ok()) view.server = status.value();
  auto gross = [](const v1::Node& n) { return std::atof(n.gross().c_str()); };
  std::sort(nodes.begin(), nodes.end(), [&](const v1::Node& a, const v1::Node& b) { return gross(a) > gross(b); });
  nodes.resize(std::min<std::size_t>(nodes.size(), 6));
  view.top_traders = std::move(nodes);
  view.replay_date = world_.date_at(seconds);
}

int Floor::play() {
  sent_.reserve(1 << 20);
  AlertFollower::Options follow;
  follow.after_event_id = first_event_;
  follow.give_up_after = std::chrono::seconds(20);
  AlertFollower follower(options_.server, follow, [this](const v1::AlertEvent& event) { alerted(event); });
  StreamOptions stream_options;
  stream_options.give_up_after = std::chrono::seconds(20);
  OrderSystem orders(options_.fix, options_.data,
                     {[this](std::uint64_t token, std::int64_t at) { left(token, at); },
                      [this](std::uint64_t token, std::int64_t at, std::string_view text) { answered(token, at, text); }});
  if (const Status started = orders.start(); !started.ok()) {
    screen_.say("floor: " + started.message());
    return 3;
  }
  PriceStream prices(options_.server, stream_options, [this](std::span<const StreamAck> acks) { priced(acks); });

  const std::int64_t start = now_ns();
  View view;
  v1::Trade trade;
  v1::PriceBatch batch;
  std::uint64_t sent = 0;
  std::int64_t next_refresh = start, next_draw = start, next_hot = start + 9'000'000'000;
  std::uint32_t day = world_.date_at(0);
  bool shown = false, acknowledged = false;
  std::int64_t ends = options_.once ? start + static_cast<std::int64_t>(options_.seconds * 1e9) : INT64_MAX;
  Status failure = ok_status();
  std::mutex tick_mutex;
  std::condition_variable tick;
  while (!interrupted && now_ns() < ends) {
    const double seconds = static_cast<double>(now_ns() - start) / 1e9;
    auto submit = [&](v1::Outcome expected) {
      const bool due = OrderSystem::is_capture(trade) || expected == v1::CONFLICT;
      {
        std::lock_guard lock(mutex_);
        sent_.push_back({0, expected, static_cast<std::uint8_t>(due), 0});
      }
      failure = orders.submit(trade, sent++);
    };
    const auto due = static_cast<std::uint64_t>(seconds * options_.rate);
    while (sent < due && failure.ok()) submit(world_.next_trade(wall_ns(), trade));
    if (now_ns() >= next_hot && failure.ok()) {
      bool broken = false;
      {
        std::lock_guard lock(mutex_);
        broken = hot_alert_.has_value();
      }
      world_.next_hot_trade(wall_ns(), trade);
      {
        std::lock_guard lock(mutex_);
        hot_trades_.push_back({trade.trade_id(), trade.quantity_e8(), sent});
      }
      submit(v1::ACCEPTED);
      next_hot = broken ? INT64_MAX : now_ns() + 250'000'000;  // he is stopped
    }
    batch.Clear();
    world_.move_prices(seconds, 5, batch);
    for (const v1::Price& price : batch.prices()) {
      std::uint64_t token = 0;
      if (price.instrument() == FloorWorld::kHotShare) {
        std::lock_guard lock(mutex_);
        hot_share_prices_.emplace_back(price.price_e8(), 0);
        token = hot_share_prices_.size();
      }
      if (failure.ok()) failure = prices.publish(price, token);
      ++prices_sent_;
    }
    if (!failure.ok()) break;
    if (world_.date_at(seconds) != day) {
      (void)client_.end_of_day(day);  // STALE on a server that has seen this day: just as well
      day = world_.date_at(seconds);
    }
    const std::int64_t at = now_ns();
    if (at >= next_refresh) {
      refresh(view, seconds);
      next_refresh = at + 1'000'000'000;
    }
    std::optional<v1::AlertEvent> hot;
    if (at >= next_draw) {
      std::lock_guard lock(mutex_);
      view.seconds = seconds;
      view.trades_per_second = static_cast<double>(sent) / std::max(seconds, 0.001);
      view.prices_per_second = static_cast<double>(prices_sent_) / std::max(seconds, 0.001);
      view.trades_sent = sent;
      view.trades_answered = answered_;
      view.accepted = by_outcome_[v1::ACCEPTED];
      view.duplicates = by_outcome_[v1::DUPLICATE];
      view.stale = by_outcome_[v1::STALE];
      view.conflicts = by_outcome_[v1::CONFLICT];
      view.wrong = wrong_;
      view.ack_p50 = ack_latency_.percentile(50);
      view.ack_p99 = ack_latency_.percentile(99);
      view.alerts = alerts_;
      view.notice = notice_;
      hot = hot_alert_;
    }
    if (at >= next_draw) {
      if (hot && !shown && hot_alert_latency() != 0) {
        shown = true;
        screen_.say("\n>>> ALERT at " + std::to_string(static_cast<int>(seconds)) + " s: trader " + hot->node() + " breaks " + hot->limit() + ": gross " +
                    grouped(hot->value()) + " USD, level " + grouped(hot->threshold()) + " (" + v1::AlertLevel_Name(hot->level()) + ", hard)\n    by trade " +
                    hot->cause_source() + "/" + hot->cause_trade_id() + " version " + std::to_string(hot->cause_version()) + ", seq " +
                    std::to_string(hot->seq()) + "; " + duration(hot_alert_latency()) + " from the trade leaving the FIX client to the durable alert arriving\n");
      }
      screen_.show(view);
      next_draw = at + 250'000'000;
    }
    if (shown && !acknowledged && seconds > 14) {
      v1::AckAlertRequest request;
      request.set_alert_id(hot_alert_->alert_id());
      request.set_by("risk-desk");
      request.set_note("trader stopped, position to be reduced");
      (void)client_.ack_alert(request);
      acknowledged = true;
    }
    std::unique_lock lock(tick_mutex);
    tick.wait_for(lock, std::chrono::milliseconds(10), [] { return interrupted.load(); });
  }
  if (failure.ok()) {
    const Result<OrderSystem::Settled> settled = orders.close();
    failure = settled.status();
    if (settled.ok()) settled_ = settled.value();
  }
  if (failure.ok()) failure = prices.close(std::chrono::seconds(20));
  if (!failure.ok()) {
    screen_.say("floor: " + failure.message());
    return 3;
  }
  // Everything is answered, so every alert of it is durable; those still on their way get a moment.
  const Result<v1::Status> status = client_.status();
  const std::int64_t patience = now_ns() + 5'000'000'000;
  while (status.ok() && follower.bookmark() < status.value().last_event_id() && now_ns() < patience) {
    std::unique_lock lock(tick_mutex);
    tick.wait_for(lock, std::chrono::milliseconds(5));
  }
  promise(status.ok() && follower.bookmark() >= status.value().last_event_id(), "every alert event arrived, in order and without a gap");
  const Status followed = follower.stop();
  promise(followed.ok(), "the alerts could be followed throughout" + (followed.ok() ? "" : ": " + followed.message()));
  return summary();
}

void Floor::promise(bool held, const std::string& what) {
  all_held_ = all_held_ && held;
  screen_.say(std::string(held ? "  kept    " : "  BROKEN  ") + what);
}

std::int64_t Floor::hot_alert_latency() const {
  std::lock_guard lock(mutex_);
  for (const HotTrade& trade : hot_trades_) {
    if (hot_alert_ && trade.id == hot_alert_->cause_trade_id() && sent_[trade.token].at != 0) return hot_alert_at_ - sent_[trade.token].at;
  }
  return 0;
}

// The alert's value, worked out from what was sent: the trader holds one share, so it is |quantity| at the mark of that seq.
bool Floor::hot_alert_is_right() const {
  Int128 quantity = 0;
  std::int64_t mark = 0;
  std::uint64_t mark_seq = 0;
  bool caused = false;
  for (const HotTrade& trade : hot_trades_) {
    quantity += trade.quantity;
    caused = trade.id == hot_alert_->cause_trade_id();
    if (caused) break;
  }
  for (const auto& [price, seq] : hot_share_prices_) {
    if (seq == 0 || seq > hot_alert_->seq() || seq < mark_seq) continue;
    mark = price;
    mark_seq = seq;
  }
  return caused && to_decimal(value_of(quantity, mark, limits::kScale)) == hot_alert_->value();
}

bool Floor::positions_are_right() {
  std::map<std::pair<std::string, std::string>, Int128> expected = baseline_;
  for (const auto& [key, quantity] : world_.book_quantities()) expected[key] += quantity;
  std::size_t listed = 0, nonzero = 0;
  bool right = true;
  v1::ListPositionsRequest books;
  books.set_kind(v1::BOOK);
  const Status status = client_.list_positions(books, [&](const v1::PositionsPage& page) {
    for (const v1::Position& p : page.positions()) {
      const auto found = expected.find({p.node(), p.instrument()});
      right = right && found != expected.end() && to_decimal(found->second) == p.quantity();
      listed += p.quantity() != "0";
    }
  });
  for (const auto& [key, quantity] : expected) nonzero += quantity != 0;
  return status.ok() && right && listed == nonzero;
}

// Executions that are taken are not answered, so what became of all is read from the server's own counters.
bool Floor::outcomes_are_right() {
  const Result<v1::Status> status = client_.status();
  if (!status.ok()) return false;
  std::map<v1::Outcome, std::uint64_t> told = told_by(status.value()), expected = told_before_;
  for (const Sent& sent : sent_) {
    if (sent.expected != v1::ACCEPTED) ++expected[sent.expected];
  }
  return told == expected;
}

int Floor::summary() {
  std::uint64_t astray = 0;
  for (const Sent& sent : sent_) astray += sent.answers != sent.answers_due;
  promise(settled_.messages == sent_.size(), grouped(std::to_string(settled_.messages)) + " trade messages were taken over " +
                                                 std::to_string(settled_.logons) + " FIX logons, " + std::to_string(settled_.resent) +
                                                 " of them asked for again");
  promise(astray == 0, "each capture and each refused execution was answered exactly once, and nothing else was");
  promise(wrong_ == 0, "each answer had the outcome it must have" + (wrong_ == 0 ? "" : ": " + first_wrong_));
  promise(outcomes_are_right(), "the server counts just the duplicates, stale ones and conflicts that were sent");
  promise(positions_are_right(), "every book's positions equal what the floor counted itself");
  if (looking_back_.valid()) static_cast<void>(looking_back_.get());
  if (looked_back_ > 0 || options_.once) {
    promise(looked_back_ > 0 && same_as_told_ == looked_back_, "the books as of " + std::to_string(looked_back_) +
                                                                   " earlier seqs are, trader by trader, what was told at the time");
  }
  if (hot_alert_) {
    promise(hot_alert_is_right(), "the alert names the trade that broke the limit, with the value worked out independently (baseline of a new server)");
    screen_.say("  first alert " + duration(hot_alert_latency()) + " after its trade left the FIX client");
  } else if (options_.once) {
    promise(false, "an alert for the trader who bets too much");
  }
  screen_.say("  capture to durable acknowledgement: p50 " + duration(ack_latency_.percentile(50)) + ", p99 " + duration(ack_latency_.percentile(99)) + ", max " +
              duration(ack_latency_.max()));
  // The server ends with the floor: what can be tried needs the data only.
  screen_.say("\nWhat to try next (the data stay in " + options_.data + "):");
  screen_.say("  build/release/halocline serve --set server.data_directory=" + options_.data + " &  # the same books again, then:");
  const std::string from = hot_alert_ ? std::to_string(hot_alert_->seq()) : "1";
  screen_.say("  build/release/halocline nodes trader:" + std::string(FloorWorld::kHotTrader) + " --as-of 'SEQ " + from + "'  # what he had on when the alert came");
  screen_.say("  build/release/halocline journal inspect " + options_.data + " --limit 1 --from " + from + "  # what broke the limit, as it is recorded");
  return all_held_ ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--once") {
      options.once = true;
      continue;
    }
    if (i + 1 == argc || (name != "--server" && name != "--fix" && name != "--seconds" && name != "--rate" && name != "--seed" && name != "--data")) {
      std::fprintf(stderr, "floor: unknown option or missing value: %s (see the head of demo/main.cc)\n", argv[i]);
      return 2;
    }
    const char* value = argv[++i];
    if (name == "--server") options.server = value;
    if (name == "--fix") options.fix = value;
    if (name == "--data") options.data = value;
    if (name == "--seconds") options.seconds = std::atof(value);
    if (name == "--rate") options.rate = std::clamp(std::atoi(value), 1, 100'000);
    if (name == "--seed") options.seed = std::strtoull(value, nullptr, 10);
  }
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  Result<PriceHistory> history = read_price_history(options.history);
  if (!history.ok()) {
    std::fprintf(stderr, "floor: %s\n", history.status().message().c_str());
    return 2;
  }
  std::uint32_t end_of_day = 0;
  Client client(options.server, std::chrono::seconds(10));
  const Status listed = client.list_reference({}, [&end_of_day](const v1::ReferencePage& page) { end_of_day = std::max(end_of_day, page.end_of_day()); });
  if (!listed.ok()) {
    std::fprintf(stderr, "floor: %s\n", listed.message().c_str());
    return 3;
  }
  char run[24];
  std::snprintf(run, sizeof run, "%llx", static_cast<unsigned long long>(wall_ns() / 1'000'000));
  Floor floor(options, history.value(), run, end_of_day);
  if (!floor.prepare()) return 3;
  return floor.play();
}
