// The sources a query reads and their columns: names, types, units, and where each value is in the state. docs/queries.md is written
// from this table, so they cannot disagree.
//
// A row of a source is an id: of the trade, position, node, limit, alert, instrument or currency in the state. Not every id is a
// row (positions without a live trade, removed limits are none). Loading a value allocates nothing; texts are views into the state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "command/packing.h"
#include "command/query.h"
#include "engine/figures.h"
#include "engine/state/state.h"

namespace halocline::queries {

// What expressions are evaluated against.
struct Reader {
  const State& state;
  Splits& splits;
  Nanos now;
  const TradeRecord* trade = nullptr;  // read instead of the row of trades, whatever its id: how the trade was before
};

struct Column {
  using Ids = void (*)(const Reader& reader, std::span<const std::uint32_t> rows, std::span<const std::uint32_t> places,
                       std::uint32_t* out);

  // `Loads` is a function without a state (a lambda, or Calls), so that what calls it has it in place.
  template <class Loads>
  constexpr Column(std::string_view called, ValueType of, std::string_view in, std::string_view means, Loads, Ids names = nullptr)
      : name(called), type(of), unit(in), meaning(means), load(load_by<Loads>),
        load_all(load_all_by<Loads>), write(of == ValueType::kText ? write_by<Loads, ValueType::kText> : write_by<Loads, ValueType::kInt>),
        ids(names) {}

  std::string_view name;
  ValueType type;
  std::string_view unit;  // "" where the type says it
  std::string_view meaning;
  Value (*load)(const Reader& reader, std::uint32_t row);
  // The same of many rows; there is room for as many values.
  void (*load_all)(const Reader& reader, std::span<const std::uint32_t> rows, Value* out);
  // Writes what load() gives as the next value of a packed row, and gives the end; nullptr where that may take more than there is.
  char* (*write)(const Reader& reader, std::uint32_t row, char* to, const char* limit);
  // Of some texts: what the rows at these places name, kNoId for nothing. Rows with the same id have the same text while no name changes.
  Ids ids;
  bool is_exposure = false;  // of a node: moves no further than Changes::moved says

  std::uint32_t id(const Reader& reader, std::uint32_t row) const {
    constexpr std::uint32_t kFirst = 0;
    std::uint32_t id = 0;
    ids(reader, {&row, 1}, {&kFirst, 1}, &id);
    return id;
  }

 private:
  template <class Loads>
  static Value load_by(const Reader& reader, std::uint32_t row) {
    static_assert(std::is_empty_v<Loads>);
    return Loads{}(reader, row);
  }
  template <class Loads>
  static void load_all_by(const Reader& reader, std::span<const std::uint32_t> rows, Value* out) {
    for (const std::uint32_t row : rows) *out++ = Loads{}(reader, row);
  }
  template <class Loads, ValueType type>
  static char* write_by(const Reader& reader, std::uint32_t row, char* to, const char* limit) {
    const Value value = Loads{}(reader, row);
    if (static_cast<std::size_t>(limit - to) < packing::most_of(value, type)) return nullptr;
    return value.null ? packing::write(value, type, false, false, to) : packing::write_present(value, type, to);
  }
};

// A function as a type.
template <Value (*function)(const Reader&, std::uint32_t)>
struct Calls {
  Value operator()(const Reader& reader, std::uint32_t row) const { return function(reader, row); }
};

enum class Source : std::uint8_t { kTrades, kPositions, kNodes, kLimits, kAlerts, kPrices, kInstruments, kBooks, kCurrencies, kQueries };

struct Table {
  std::string_view name;
  Source source;
  std::string_view key;      // the columns that tell its rows apart
  std::string_view meaning;  // a sentence
  std::size_t (*size)(const State& state);  // ids are below it
  bool (*exists)(const State& state, std::uint32_t row);
  std::span<const Column> columns;
};

std::span<const Table> tables();
const Table* find_table(std::string_view name);  // nullptr when there is none
const Table& table_of(Source source);

// The part of docs/queries.md that lists sources and columns.
std::string sources_page();

}  // namespace halocline::queries
