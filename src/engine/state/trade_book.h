// The trades: which version of which trade counts, and what its coming or going does to positions.
// docs/semantics.md, "Trades".
#pragma once

#include "catalog/name_memo.h"
#include "engine/engine.h"
#include "engine/risk/exposure.h"
#include "engine/state/state.h"

namespace halocline {

class TradeBook {
 public:
  TradeBook(State& state, Exposure& exposure) : state_(state), exposure_(exposure), names_(state.catalog) {}

  // `record` is set to the trade's id in the state when it is known after the command, else kNoId.
  Applied apply(Seq seq, Nanos time, const Trade& trade, std::uint32_t& record);

  // Fetches ahead for apply(): see Engine::prefetch.
  void prefetch(const Trade& trade) const;

  // What a version says, as a number: see TradeRecord::content.
  static std::uint64_t content_of(const Trade& trade);

  // The trade's key becomes (its source, id), which no trade has; its version goes up by `versions`. TOO_MANY: no room for the id.
  Outcome rename(std::uint32_t trade, std::string_view id, std::uint32_t versions);
  // Two records are one trade: `from`, whose version counts as `version`, is merged into `into`; the higher version's content stays.
  // OUT_OF_RANGE (nothing done) when a position would be out of bound.
  Outcome merge(std::uint32_t into, std::uint32_t from, std::uint32_t version);

  // A book's positions leave one desk and enter another. False (nothing done) when a position of the new desk would be out of bound.
  bool move_book(std::uint32_t book, std::uint32_t from_desk, std::uint32_t to_desk);

 private:
  struct Resolved {
    std::uint32_t book, trader, counterparty, instrument;
    Money notional;
  };
  bool means_the_same(const Trade& trade, const TradeRecord& known);
  Outcome resolve(const Trade& trade, Resolved& out);
  Outcome accept_live(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, std::uint32_t& record);
  Outcome accept_cancel(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, std::uint32_t& record);
  bool can_create(const Trade& trade) const;
  std::uint32_t create(Seq seq, const Trade& trade);
  void set_id(TradeRecord& record, std::string_view id);
  void forget_key(std::uint32_t trade);
  void link(std::uint32_t trade, std::uint32_t book_position);
  void unlink(std::uint32_t trade);
  void count_at_nodes(std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty, std::uint32_t instrument,
                      Nanos time, Money largest);

  State& state_;
  Exposure& exposure_;
  NameMemo names_;
};

}  // namespace halocline
