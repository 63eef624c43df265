// Any bytes as a query: text → plan → answer over a small floor. What must hold beside the sanitizers:
//   - a text that is no query is refused with one sentence, and where it has a place, the place is in the text and a caret stands under it;
//   - a query that is taken never fails by its meaning, only by a bound: each row reads as its columns say, to its last byte;
//   - the same query over the same books gives the same answer; with LIMIT n it has at most n rows;
//   - a condition and its parts: the rows where it holds, does not, and is unknown are all rows there are.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "engine/queries/run.h"

namespace {

using namespace halocline;

constexpr std::int64_t kOne = limits::kScale;
constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kStart = 1'790'000'000 * kSecond;

// Something of everything a source can show: both sides, an amended, a cancelled and an unseen trade, a stale price, limits, alerts.
Snapshot floor() {
  Engine engine;
  std::vector<AlertEvent> events;
  Nanos time = kStart;
  const auto trade = [](std::string_view id, std::uint32_t version, Action action, Side side, std::int64_t quantity, std::string_view instrument,
                        std::string_view trader) {
    return Trade{"s", id, version, action, "b", trader, "p", instrument, side, quantity * kOne, 3 * kOne, kOne / 100, kStart};
  };
  for (const Command& command : std::vector<Command>{
           Firm{"f", "USD"}, Currency{"EUR", 110'000'000}, Desk{"d"}, Desk{"e"}, Book{"b", "d"}, Book{"c", "e"}, Trader{"t", "d"}, Trader{"u", ""},
           Counterparty{"p"}, Instrument{"i", InstrumentKind::kEquity, "USD", kOne, "", "s", "", 0, kSecond},
           Instrument{"j", InstrumentKind::kFuture, "EUR", 50 * kOne, "i", "", "x", 20261218, 0},
           Limit{"l", NodeKind::kTrader, "*", Measure::kGross, 10 * kOne, 20 * kOne, 0, false, "o", 0},
           Limit{"m", NodeKind::kDesk, "d", Measure::kNet, 0, 1000 * kOne, 0, true, "", kSecond}, Price{"i", 4 * kOne, 0},
           trade("1", 1, Action::kNew, Side::kBuy, 10, "i", "t"), trade("2", 1, Action::kNew, Side::kSell, 4, "j", "u"),
           trade("3", 1, Action::kNew, Side::kBuy, 1, "i", "u"), trade("3", 2, Action::kAmend, Side::kBuy, 2, "i", "u"),
           trade("4", 1, Action::kNew, Side::kSell, 5, "i", "t"), trade("4", 2, Action::kCancel, Side::kSell, 0, "i", "t"),
           trade("5", 7, Action::kCancel, Side::kBuy, 0, "i", "t"), AlertAck{1, "me", "n"}, Timer{}}) {
    const Applied applied = engine.apply(engine.last_seq() + 1, time += kSecond / 4, command, events);
    CHECK(applied.outcome == Outcome::kAccepted || applied.outcome == Outcome::kTombstone, "the floor's command %llu: %d",
          static_cast<unsigned long long>(engine.last_seq()), static_cast<int>(applied.outcome));
  }
  return engine.snapshot();
}

QueryParameters parameters() {
  return {{"1", {ValueType::kInt, 1, {}, false}}, {"2", {ValueType::kText, 0, "t", false}}, {"3", {ValueType::kDecimal, kOne / 2, {}, false}},
          {"4", {ValueType::kTimestamp, kStart, {}, false}}, {"5", {}}};
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

// How many trades there are for a condition; nothing when it is none.
std::optional<std::size_t> count(const std::string& condition, const QueryParameters& given, const State& books) {
  const Result<queries::Plan> plan = queries::prepare("SELECT source FROM trades WHERE " + condition, given);
  if (!plan.ok()) return std::nullopt;
  const std::optional<QueryRows> rows = answer(plan.value(), books);
  return rows ? std::optional(rows->rows.size()) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Snapshot kBooks = floor();
  static const QueryParameters kParameters = parameters();
  const std::string sql(reinterpret_cast<const char*>(data), size);

  QueryParameters given;  // all must be used, so only those that stand in the text
  for (const auto& [name, value] : kParameters) {
    if (sql.find("$" + name) != std::string::npos) given.emplace(name, value);
  }
  const Result<queries::Plan> plan = queries::prepare(sql, given);
  if (!plan.ok()) {
    expect_sentence(sql, plan.status());
  } else if (const std::optional<QueryRows> rows = answer(plan.value(), *kBooks)) {
    expect_rows(*rows);
    CHECK(plan.value().explain || !plan.value().limit || rows->rows.size() <= *plan.value().limit, "more rows than LIMIT says");
    const Result<queries::Plan> same = queries::prepare(sql, given);
    CHECK(same.ok(), "the same text is refused the second time");
    CHECK(answer(same.value(), *kBooks)->rows == rows->rows, "the same query has two answers");
  }

  // The whole text as a condition, for inputs that are one.
  const std::optional<std::size_t> holds = count("(" + sql + "\n) IS TRUE", given, *kBooks);
  if (!holds) return 0;
  const std::optional<std::size_t> not_so = count("(" + sql + "\n) IS FALSE", given, *kBooks), unknown = count("(" + sql + "\n) IS NULL", given, *kBooks);
  CHECK(not_so && unknown, "a condition that cannot be turned round");
  CHECK(*holds + *not_so + *unknown == kBooks->trades.size(), "%zu trades where it holds, %zu where not, %zu unknown, of %zu", *holds, *not_so,
        *unknown, kBooks->trades.size());
  const std::optional<std::size_t> as_condition = count("(" + sql + "\n)", given, *kBooks);
  CHECK(as_condition == holds, "a condition holds where it is not true");
  return 0;
}
