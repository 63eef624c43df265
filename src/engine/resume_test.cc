// An engine that goes on from the books of another does what the other does: the same outcomes, alerts and books, for ever after.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/limits.h"
#include "bench/floor_workload.h"
#include "command/codec.h"
#include "engine/checkpoint/columns.h"
#include "engine/checkpoint/state_codec.h"
#include "engine/engine.h"
#include "engine/running_index.h"
#include "engine/views.h"

namespace halocline {
namespace {

constexpr Nanos kStart = 1'700'000'000'000'000'000, kSecond = 1'000'000'000;
constexpr std::int64_t kOne = limits::kScale;
constexpr bench::FloorSize kFloor{2, 4, 6, 3, 8, 2};

// Commands of all kinds, right and wrong ones, the same for the same seed.
class Story {
 public:
  explicit Story(std::uint64_t seed) : floor_(seed, kFloor), reference_(floor_.reference()) {}

  // The record of the next command; `time` moves on now and then.
  std::vector<std::byte> next(Nanos& time) {
    if (below(3) == 0) time += static_cast<Nanos>(below(4'000)) * kSecond / 1'000;
    std::vector<std::byte> record;
    if (told_ < reference_.size()) {
      append_record(reference_[told_++], record);
    } else {
      texts_.clear();
      texts_.reserve(8);
      tell(record);
    }
    return record;
  }

 private:
  std::uint32_t below(std::uint32_t n) { return floor_.below(n); }
  const std::string& one_of(const std::vector<std::string>& names) { return names[below(static_cast<std::uint32_t>(names.size()))]; }
  const std::string& text(std::string value) { return texts_.emplace_back(std::move(value)); }

  void tell(std::vector<std::byte>& record) {
    const std::uint32_t what = below(100);
    if (what < 45) return append_record(trade(), record);
    if (what < 60) return append_record(Price{one_of(floor_.instruments), static_cast<std::int64_t>(1 + below(500)) * kOne, 0}, record);
    if (what < 63) return append_record(FxRate{"EUR", static_cast<std::int64_t>(50 + below(100)) * 1'000'000, 0}, record);
    if (what < 68) return append_record(limit(), record);
    if (what < 70) return append_record(LimitRemove{text("limit" + std::to_string(below(12)))}, record);
    if (what < 74) return append_record(AlertAck{1 + below(200), "risk", "seen"}, record);
    if (what < 77) return append_record(QueryCreate{query_name(), static_cast<AlertLevel>(below(3)), query()}, record);
    if (what < 79) return append_record(QueryDrop{query_name(), below(3) != 0}, record);
    if (what < 81) return append_record(Book{one_of(floor_.books), one_of(floor_.desks)}, record);
    if (what < 83) return append_record(instrument(), record);
    if (what < 84) return append_record(EndOfDay{20'230'101 + below(28) + 100 * below(12)}, record);
    if (what < 92) return append_record(report(), record);
    if (what < 94) return append_record(FixReceived{"s1", ++received_, 1, FixReply::kAlways, "D", ""}, record);
    if (what < 96) return append_record(FixSent{"s1", ++sent_, 1 + below(1'000), "8=FIX"}, record);
    append_record(Timer{}, record);
  }

  Trade trade() {
    Trade trade = floor_.next_trade(texts_.emplace_back());
    if (below(3) != 0) return trade;
    trade.trade_id = text("t" + std::to_string(below(200)));
    trade.version = 1 + below(5);
    trade.action = below(3) == 0 ? Action::kCancel : Action::kAmend;
    return trade;
  }
  TradeReport report() {
    TradeReport report;
    report.trade = floor_.next_trade(texts_.emplace_back());
    report.trade.source = "oms";
    report.trade.trade_id = text("r" + std::to_string(below(60)));
    report.trade.action = static_cast<Action>(1 + below(3));
    if (report.trade.action != Action::kNew) report.reference = text("r" + std::to_string(below(60)));
    if (below(8) == 0) report.trade.instrument = text("LATE" + std::to_string(below(4)));
    report.park = true;
    return report;
  }
  Instrument instrument() {
    Instrument instrument;
    instrument.symbol = below(3) == 0 ? text("LATE" + std::to_string(below(4))) : one_of(floor_.instruments);
    instrument.currency = "USD", instrument.multiplier = kOne;
    instrument.sector = one_of(floor_.sectors);
    instrument.stale_after = static_cast<std::int64_t>(below(5)) * kSecond;
    return instrument;
  }
  Limit limit() {
    Limit limit;
    limit.name = text("limit" + std::to_string(below(12)));
    limit.kind = below(2) == 0 ? NodeKind::kTrader : NodeKind::kBook;
    limit.node = below(3) == 0 ? std::string_view("*") : limit.kind == NodeKind::kTrader ? one_of(floor_.traders) : one_of(floor_.books);
    limit.measure = static_cast<Measure>(1 + below(11));
    limit.breach = static_cast<Int128>(1 + below(200'000)) * kOne;
    limit.warn = below(2) == 0 ? 0 : limit.breach / 2;
    limit.hysteresis = kOne / 20;
    limit.hard = below(2) == 0;
    limit.escalate_after = static_cast<std::int64_t>(below(4)) * kSecond;
    return limit;
  }
  std::string_view query_name() { return text("q" + std::to_string(below(10))); }
  std::string_view query() {
    switch (below(5)) {
      case 0: return "SELECT trade_id, price FROM trades WHERE live AND price > 400";
      case 1: return "SELECT trader, SUM(notional) AS n FROM trades WHERE live GROUP BY trader HAVING SUM(notional) > 5000000";
      case 2: return "SELECT name, trade_rate FROM nodes WHERE kind = 'trader' AND trade_rate > 3";
      case 3: return "SELECT trade_id FROM trades WHERE live ORDER BY quantity DESC LIMIT 3";
      default: return "SELECT instrument, mark_time FROM prices WHERE mark_time > NOW() - INTERVAL '2 seconds'";
    }
  }

  bench::FloorWorkload floor_;
  std::vector<Command> reference_;
  std::size_t told_ = 0;
  std::vector<std::string> texts_;
  std::uint32_t received_ = 0, sent_ = 0;
};

std::string text_of(const std::vector<AlertEvent>& events) {
  std::string text;
  for (const AlertEvent& event : events) {
    text += std::to_string(event.event_id) + " " + std::to_string(event.alert_id) + " " +
            std::to_string(static_cast<int>(event.step)) + " " + std::to_string(static_cast<int>(event.reason)) + " " +
            std::to_string(event.time) + " " + event.limit + event.query + " " +
            event.node + event.row + " " + to_digits(event.value) + " " + std::to_string(static_cast<int>(event.cause)) + "\n";
  }
  return text;
}

std::uint64_t pieces_of(const Snapshot& books) {
  std::uint64_t pieces = 0;
  EXPECT_TRUE(checkpoint::each_piece(*books, [&](const checkpoint::Piece&) { return ++pieces, ok_status(); }).ok());
  return pieces;
}

// Written down and taken up again.
Snapshot through_bytes(const Snapshot& books) {
  checkpoint::Loader loader;
  EXPECT_TRUE(loader.begin(checkpoint::outline_of(*books), pieces_of(books)).ok());
  const Status taken = checkpoint::each_piece(*books, [&](const checkpoint::Piece& piece) { return loader.fill(piece); });
  EXPECT_TRUE(taken.ok()) << taken.message();
  return loader.finish().take();
}

TEST(Resume, GoesOnAsIfItHadAppliedEverythingItself) {
  std::uint64_t query_alerts = 0, limit_alerts = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Story story(seed);
    Engine engine;
    auto resumed = std::make_unique<Engine>();
    RunningIndex index;
    std::vector<AlertEvent> events, again;
    Nanos time = kStart;
    for (Seq seq = 1; seq <= 1'500; ++seq) {
      const std::vector<std::byte> record = story.next(time);
      std::uint16_t type = 0;
      std::memcpy(&type, record.data() + 4, sizeof type);
      const auto payload = std::span(record).subspan(kRecordHeaderBytes);
      events.clear(), again.clear();
      const Applied first = engine.apply(seq, time, static_cast<CommandType>(type), payload, events);
      const Applied second = resumed->apply(seq, time, static_cast<CommandType>(type), payload, again);
      ASSERT_EQ(first.outcome, second.outcome) << "seed " << seed << ", seq " << seq;
      ASSERT_EQ(first.first_seq, second.first_seq);
      ASSERT_EQ(text_of(events), text_of(again)) << "seed " << seed << ", seq " << seq;
      for (const AlertEvent& event : events) ++(event.query.empty() ? limit_alerts : query_alerts);
      if (seq % 7 != 0) continue;
      ASSERT_EQ(views::state_digest(*engine.snapshot()), views::state_digest(*resumed->snapshot())) << "seed " << seed << ", seq " << seq;
      if (seq % 35 != 0) continue;
      const Snapshot books = seq % 3 == 0 ? resumed->snapshot() : index.complete(resumed->snapshot_without_index(), nullptr);
      Result<std::unique_ptr<Engine>> next = Engine::resume(seq % 2 == 0 ? *through_bytes(books) : *books);
      ASSERT_TRUE(next.ok()) << next.status().message();
      resumed = next.take();
    }
  }
  EXPECT_GT(query_alerts, 300u);
  EXPECT_GT(limit_alerts, 300u);
}

// Whatever becomes of trades between one snapshot and the next, each is found by its key, and nothing else is.
TEST(RunningIndex, FindsWhatTheEnginesOwnFinds) {
  std::uint64_t merged = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Story story(seed);
    Engine engine;
    RunningIndex index;
    std::vector<AlertEvent> events;
    Nanos time = kStart;
    for (Seq seq = 1; seq <= 3'000; ++seq) {
      const std::vector<std::byte> record = story.next(time);
      std::uint16_t type = 0;
      std::memcpy(&type, record.data() + 4, sizeof type);
      engine.apply(seq, time, static_cast<CommandType>(type), std::span(record).subspan(kRecordHeaderBytes), events);
      if (seq % 50 != 0) continue;
      const Snapshot whole = engine.snapshot(), again = index.complete(engine.snapshot_without_index(), nullptr);
      ASSERT_TRUE(again->has_trade_index() || again->trades.empty());
      ASSERT_EQ(again->trade_index.size(), whole->trade_index.size()) << "seed " << seed << ", seq " << seq;
      merged += whole->trades.size() - whole->trade_index.size();
      for (std::uint32_t id = 0; id < whole->trades.size(); ++id) {
        const TradeRecord& trade = whole->trades[id];
        const std::string_view source = whole->source_of(trade), name = whole->trade_id_of(trade);
        ASSERT_EQ(again->find_trade(source, name), whole->find_trade(source, name)) << "seed " << seed << ", seq " << seq << ", " << name;
      }
    }
  }
  EXPECT_GT(merged, 100u);
}

// Arrays of more than one piece, of sizes around the ends of chunks and pieces.
TEST(Checkpoint, KeepsLargeBooks) {
  bench::FloorWorkload floor(5);
  Engine engine;
  std::vector<AlertEvent> events;
  for (const Command& command : floor.reference()) engine.apply(engine.last_seq() + 1, kStart, command, events);
  for (int i = 0; i < 30'000; ++i) {
    std::string id;
    const Trade trade = floor.next_trade(id);
    engine.apply(engine.last_seq() + 1, kStart + i, trade, events);
  }
  const Snapshot books = engine.snapshot(), again = through_bytes(books);
  EXPECT_EQ(views::state_digest(*books), views::state_digest(*again));
  EXPECT_EQ(views::trade(*again, "bench", "t29999")->seq, engine.last_seq());
  EXPECT_EQ(views::trade(*again, "bench", "t30000"), std::nullopt);
}

TEST(Checkpoint, WhatDoesNotFitIsRefused) {
  Engine engine;
  std::vector<AlertEvent> events;
  bench::FloorWorkload floor(5, kFloor);
  for (const Command& command : floor.reference()) engine.apply(engine.last_seq() + 1, kStart, command, events);
  const Snapshot books = engine.snapshot();
  const std::string outline = checkpoint::outline_of(*books);
  const std::uint64_t pieces = pieces_of(books);
  const auto begin = [&](const std::string& text) { return checkpoint::Loader().begin(text, pieces).code(); };
  EXPECT_EQ(begin(outline + "part more 4 4 0\n"), Code::kUnsupported);
  EXPECT_EQ(begin(outline.substr(outline.find('\n') + 1)), Code::kUnsupported);
  EXPECT_EQ(begin(outline + "what is this\n"), Code::kDataLoss);
  EXPECT_EQ(begin("number seq x\n"), Code::kDataLoss);
  EXPECT_EQ(checkpoint::Loader().begin(outline, pieces - 1).code(), Code::kDataLoss);
  checkpoint::Loader half;
  ASSERT_TRUE(half.begin(outline, pieces).ok());
  EXPECT_EQ(half.finish().status().code(), Code::kDataLoss);
  checkpoint::Loader loader;
  ASSERT_TRUE(loader.begin(outline, pieces).ok());
  const std::vector<std::byte> bytes(100);
  EXPECT_EQ(loader.fill({0, 0, 1, bytes}).code(), Code::kDataLoss);
  EXPECT_EQ(loader.fill({0, 3, 1, bytes}).code(), Code::kDataLoss);
  EXPECT_EQ(loader.fill({1'000, 0, 1, bytes}).code(), Code::kDataLoss);
}

// Nothing is made that the file's pieces cannot fill: an outline that says so is refused before.
TEST(Checkpoint, AnOutlineOfMoreThanThereIsIsRefused) {
  const Snapshot books = Engine().snapshot();
  const std::string outline = checkpoint::outline_of(*books);
  const std::size_t number = outline.rfind(' ', outline.find('\n', outline.find("part trade_index.segments "))) + 1;
  std::string larger = outline;
  larger.replace(number, 1, "4000000000");  // 30 TB
  const Status refused = checkpoint::Loader().begin(larger, pieces_of(books));
  EXPECT_EQ(refused.code(), Code::kDataLoss) << refused.message();
}

TEST(Checkpoint, APieceIsThereOnce) {
  const Snapshot books = Engine().snapshot();
  checkpoint::Loader loader;
  ASSERT_TRUE(loader.begin(checkpoint::outline_of(*books), pieces_of(books)).ok());
  const auto twice = [&](const checkpoint::Piece& piece) {
    EXPECT_TRUE(loader.fill(piece).ok());
    return loader.fill(piece);
  };
  EXPECT_EQ(checkpoint::each_piece(*books, twice).code(), Code::kDataLoss);
}

TEST(Checkpoint, AnIndexThatIsNoneIsRefused) {
  const Snapshot books = Engine().snapshot();
  for (const char* shape : {"1 0", "40 0", "-1 0"}) {
    std::string outline = checkpoint::outline_of(*books);
    const std::string line = "index trade_index ";
    outline.replace(outline.find(line) + line.size(), 3, shape);
    checkpoint::Loader loader;
    ASSERT_TRUE(loader.begin(outline, pieces_of(books)).ok());
    ASSERT_TRUE(checkpoint::each_piece(*books, [&](const checkpoint::Piece& piece) { return loader.fill(piece); }).ok());
    EXPECT_EQ(loader.finish().status().code(), Code::kDataLoss) << shape;
  }
}

// A field that is added to a record and not to its columns would be lost: all of a record but what lies between its fields is kept.
TEST(Checkpoint, KeepsEveryFieldOfEveryRecord) {
  using namespace checkpoint;
  const std::pair<std::size_t, std::size_t> kept[] = {
      {sizeof(NodeRecord) - bytes_of(Fields<NodeRecord>::columns()), 42},
      {sizeof(CurrencyRecord) - bytes_of(Fields<CurrencyRecord>::columns()), 4},
      {sizeof(InstrumentRecord) - bytes_of(Fields<InstrumentRecord>::columns()), 1},
      {sizeof(TradeRecord) - bytes_of(Fields<TradeRecord>::columns()), 2},
      {sizeof(PositionRecord) - bytes_of(Fields<PositionRecord>::columns()), 3},
      {sizeof(BucketRecord) - bytes_of(Fields<BucketRecord>::columns()), 32},
      {sizeof(LimitRecord) - bytes_of(Fields<LimitRecord>::columns()), 8},
      {sizeof(AlertRecord) - bytes_of(Fields<AlertRecord>::columns()), 9},
      {sizeof(EventRecord) - bytes_of(Fields<EventRecord>::columns()), 11},
      {sizeof(QueryRecord) - bytes_of(Fields<QueryRecord>::columns()), 6},
      {sizeof(LinkRecord) - bytes_of(Fields<LinkRecord>::columns()), 0},
      {sizeof(ChainRecord) - bytes_of(Fields<ChainRecord>::columns()), 3},
      {sizeof(ParkedRecord) - bytes_of(Fields<ParkedRecord>::columns()), 0},
      {sizeof(FixSessionRecord) - bytes_of(Fields<FixSessionRecord>::columns()), 0},
      {sizeof(SentRecord) - bytes_of(Fields<SentRecord>::columns()), 4},
      {sizeof(UnansweredRecord) - bytes_of(Fields<UnansweredRecord>::columns()), 2},
  };
  for (std::size_t i = 0; i < std::size(kept); ++i) EXPECT_EQ(kept[i].first, kept[i].second) << "record " << i;
}

}  // namespace
}  // namespace halocline
