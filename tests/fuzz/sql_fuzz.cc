// Any bytes as a query: text → plan → answer over a small floor. What must hold beside the sanitizers:
//   - a text that is no query is refused with one sentence, and where it has a place, the place is in the text and a caret stands under it;
//   - a query that is taken never fails by its meaning, only by a bound: each row reads as its columns say, to its last byte;
//   - the same query over the same books gives the same answer; with LIMIT n it has at most n rows;
//   - a condition and its parts: the rows where it holds, does not, and is unknown are all rows there are;
//   - watched while the floor trades, its answer after each command is the one asked anew, and what its events make of the one before.
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"
#include "engine/queries/run.h"

namespace {

using namespace halocline;

constexpr std::int64_t kOne = limits::kScale;
constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kStart = 1'790'000'000 * kSecond;

// A floor that plays its day step by step.
struct Floor {
  // One command, a moment later.
  void play(const Command& command) {
    const Applied applied = engine.apply(engine.last_seq() + 1, time += kSecond / 4, command, events);
    CHECK(applied.outcome == Outcome::kAccepted || applied.outcome == Outcome::kTombstone, "the floor's command %llu: %d",
          static_cast<unsigned long long>(engine.last_seq()), static_cast<int>(applied.outcome));
  }

  Engine engine;
  std::vector<AlertEvent> events;
  Nanos time = kStart;
};

// Something of everything a source can show: both sides, an amended, a moved, a cancelled and an unseen trade, a stale price, limits
// and alerts.
std::vector<Command> day() {
  const auto trade = [](std::string_view id, std::uint32_t version, Action action, Side side, std::int64_t quantity,
                        std::string_view instrument, std::string_view trader) {
    return Trade{"s", id, version, action, "b", trader, "p", instrument, side, quantity * kOne, 3 * kOne, kOne / 100, kStart};
  };
  return {Firm{"f", "USD"}, Currency{"EUR", 110'000'000}, Desk{"d"}, Desk{"e"}, Book{"b", "d"}, Book{"c", "e"}, Trader{"t", "d"},
          Trader{"u", ""}, Counterparty{"p"}, Instrument{"i", InstrumentKind::kEquity, "USD", kOne, "", "s", "", 0, kSecond},
          Instrument{"j", InstrumentKind::kFuture, "EUR", 50 * kOne, "i", "", "x", 20261218, 0},
          Limit{"l", NodeKind::kTrader, "*", Measure::kGross, 10 * kOne, 20 * kOne, 0, false, "o", 0},
          Limit{"m", NodeKind::kDesk, "d", Measure::kNet, 0, 1000 * kOne, 0, true, "", kSecond}, Price{"i", 4 * kOne, 0},
          trade("1", 1, Action::kNew, Side::kBuy, 10, "i", "t"), trade("2", 1, Action::kNew, Side::kSell, 4, "j", "u"),
          trade("3", 1, Action::kNew, Side::kBuy, 1, "i", "u"), trade("3", 2, Action::kAmend, Side::kBuy, 2, "i", "u"),
          trade("4", 1, Action::kNew, Side::kSell, 5, "i", "t"), trade("4", 2, Action::kCancel, Side::kSell, 0, "i", "t"),
          trade("5", 7, Action::kCancel, Side::kBuy, 0, "i", "t"), AlertAck{1, "me", "n"}, FxRate{"EUR", 120'000'000, 0},
          trade("2", 2, Action::kAmend, Side::kSell, 6, "i", "t"), Rename{NodeKind::kTrader, "u", "v"}, Book{"b", "e"},
          Price{"i", 5 * kOne, 0}, LimitRemove{"m"}, trade("6", 1, Action::kNew, Side::kBuy, 3, "j", "v"), Timer{}};
}

QueryParameters parameters() {
  return {{"1", {ValueType::kInt, 1, {}, false}}, {"2", {ValueType::kText, 0, "t", false}},
          {"3", {ValueType::kDecimal, kOne / 2, {}, false}}, {"4", {ValueType::kTimestamp, kStart, {}, false}}, {"5", {}}};
}

std::size_t lines_of(std::string_view text) {
  std::size_t lines = 1;
  for (const char c : text) lines += c == '\n';
  return lines;
}

void expect_sentence(std::string_view sql, const Status& refusal) {
  CHECK(refusal.code() == Code::kInvalidArgument, "refused with code %d", static_cast<int>(refusal.code()));
  const std::string& message = refusal.message();
  unsigned line = 0, column = 0;
  if (std::sscanf(message.c_str(), "line %u, column %u: ", &line, &column) != 2) {
    CHECK(!message.empty(), "refused without a reason");
    return;
  }
  CHECK(line >= 1 && line <= lines_of(sql), "line %u of a text of %zu", line, lines_of(sql));
  CHECK(column >= 1 && column <= sql.size() + 1, "column %u of a text of %zu bytes", column, sql.size());
  CHECK(message.back() == '^' && lines_of(message) == 3, "a refusal that shows no place: %s", message.c_str());
}

// The rows of the answer; nothing when it is beyond a bound.
std::optional<QueryRows> answer(const queries::Plan& plan, const State& books) {
  Result<QueryRows> rows = queries::run(plan, books);
  if (!rows.ok()) {
    CHECK(rows.status().code() == Code::kResourceExhausted, "a query that was taken failed: %s", rows.status().message().c_str());
    return std::nullopt;
  }
  return rows.take();
}

void expect_rows(const QueryRows& answer) {
  for (const std::string& row : answer.rows) {
    PackedReader reader(row);
    std::string again;
    for (const ColumnType& column : answer.columns) {
      const Value value = reader.next(column.type);
      CHECK(value.null || !value_text(value, column.type).empty() || column.type == ValueType::kText, "a value without a text");
      pack(value, column.type, again);
    }
    CHECK(again == row, "a row that reads as %zu bytes has %zu", again.size(), row.size());
  }
}

// Watches from the first trade on.
void watch(const std::shared_ptr<const queries::Plan>& plan, const std::vector<Command>& commands) {
  Floor floor;
  std::optional<queries::LiveQueries::Id> id;
  std::map<std::string, std::string> told;  // what somebody knows who had the first answer and every event
  for (const Command& command : commands) {
    if (!id && std::holds_alternative<Trade>(command)) {
      const Result<queries::LiveQueries::Id> added = floor.engine.queries().add(plan);
      if (!added.ok()) return;  // it can be asked once only
      id = added.value();
      for (const KeptRow& one : floor.engine.queries().rows(*id)) CHECK(told.emplace(one.key, one.row).second, "two rows of one key");
    }
    floor.play(command);
    if (!id) continue;
    for (const queries::LiveEvents& of_seq : floor.engine.queries().take()) {
      if (of_seq.events == nullptr) {
        CHECK(of_seq.failure->code() == Code::kResourceExhausted, "%s", of_seq.failure->message().c_str());
        return;
      }
      for (const RowEvent& event : of_seq.events->rows) {
        const auto at = told.find(std::string(event.key));
        CHECK((event.kind == RowEvent::Kind::kInsert) == (at == told.end()), "an event of kind %d", static_cast<int>(event.kind));
        CHECK(at == told.end() || at->second == event.before, "an event that tells another row than there was");
        event.kind == RowEvent::Kind::kDelete ? void(told.erase(at)) : void(told[std::string(event.key)] = event.after);
      }
    }
    const Result<QueryRows> anew = queries::run(*plan, *floor.engine.snapshot());
    CHECK(anew.ok(), "a watched query cannot be asked: %s", anew.status().message().c_str());
    const auto watched = floor.engine.queries().rows(*id);
    CHECK(watched.size() == anew.value().rows.size() && told.size() == watched.size(), "%zu rows watched, %zu told, %zu asked anew",
          watched.size(), told.size(), anew.value().rows.size());
    for (std::size_t i = 0; i < watched.size(); ++i) {
      CHECK(watched[i].row == anew.value().rows[i], "row %zu is another when asked anew, at seq %llu", i,
            static_cast<unsigned long long>(floor.engine.last_seq()));
      CHECK(told.at(watched[i].key) == watched[i].row, "row %zu is another as it was told", i);
    }
  }
}

// How many trades there are for a condition; nothing when it is none.
std::optional<std::size_t> count(const std::string& condition, const QueryParameters& given, const State& books) {
  const Result<queries::Plan> plan = queries::prepare("SELECT source FROM trades WHERE " + condition, given);
  if (!plan.ok()) return std::nullopt;
  const std::optional<QueryRows> rows = answer(plan.value(), books);
  return rows ? std::optional(rows->rows.size()) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Command> kDay = day();
  static const Snapshot kBooks = [] {
    Floor floor;
    for (const Command& command : kDay) floor.play(command);
    return floor.engine.snapshot();
  }();
  static const QueryParameters kParameters = parameters();
  const std::string sql(reinterpret_cast<const char*>(data), size);

  QueryParameters given;  // all must be used, so only those that stand in the text
  for (const auto& [name, value] : kParameters) {
    if (sql.find("$" + name) != std::string::npos) given.emplace(name, value);
  }
  Result<queries::Plan> plan = queries::prepare(sql, given);
  if (!plan.ok()) {
    expect_sentence(sql, plan.status());
  } else if (const std::optional<QueryRows> rows = answer(plan.value(), *kBooks)) {
    expect_rows(*rows);
    CHECK(plan.value().explain || !plan.value().limit || rows->rows.size() <= *plan.value().limit, "more rows than LIMIT says");
    const Result<queries::Plan> same = queries::prepare(sql, given);
    CHECK(same.ok(), "the same text is refused the second time");
    CHECK(answer(same.value(), *kBooks)->rows == rows->rows, "the same query has two answers");
    watch(std::make_shared<const queries::Plan>(plan.take()), kDay);
  }

  // The whole text as a condition, for inputs that are one.
  const std::optional<std::size_t> holds = count("(" + sql + "\n) IS TRUE", given, *kBooks);
  if (!holds) return 0;
  const std::optional<std::size_t> not_so = count("(" + sql + "\n) IS FALSE", given, *kBooks);
  const std::optional<std::size_t> unknown = count("(" + sql + "\n) IS NULL", given, *kBooks);
  CHECK(not_so && unknown, "a condition that cannot be turned round");
  CHECK(*holds + *not_so + *unknown == kBooks->trades.size(), "%zu trades where it holds, %zu where not, %zu unknown, of %zu", *holds,
        *not_so, *unknown, kBooks->trades.size());
  const std::optional<std::size_t> as_condition = count("(" + sql + "\n)", given, *kBooks);
  CHECK(as_condition == holds, "a condition holds where it is not true");
  return 0;
}
