// The trades: which version of which trade counts, and what its coming or going does to positions.
// docs/semantics.md, "Trades".
#pragma once

#include "catalog/name_memo.h"
#include "engine/engine.h"
#include "engine/risk/exposure.h"
#include "engine/state/changes.h"
#include "engine/state/state.h"
#include "engine/state/trade_effect.h"

namespace halocline {

class TradeBook {
 public:
  TradeBook(State& state, Exposure& exposure, Changes& changes)
      : state_(state), exposure_(exposure), changes_(changes), names_(state.catalog) {}

  // `record` is set to the trade's id in the state when it is known after the command, else kNoId.
  Applied apply(Seq seq, Nanos time, const Trade& trade, const TradeHint& hint, std::uint32_t& record);

  // As Engine's.
  TradeHint look_up(const Trade& trade);
  void fetch(TradeHint& hint) const;
  void fetch_sums(const TradeHint& hint) const;

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
  Holders holders(std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty) const {
    return holders_of(state_, book, trader, counterparty);
  }
  static bool names_missing(const TradeHint& hint) {
    return hint.book == kNoId || hint.trader == kNoId || hint.counterparty == kNoId || hint.instrument == kNoId;
  }
  void find_names(const Trade& trade, TradeHint& hint);
  bool means_the_same(const Trade& trade, const TradeHint& hint, const TradeRecord& known);
  Outcome resolve(const Trade& trade, const TradeHint& hint, Resolved& out);
  Outcome accept_live(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint, std::uint32_t& record);
  Outcome accept_new(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint, const Resolved& names,
                     const TradeEffect& effect, std::uint32_t& record);
  Outcome accept_amend(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const Resolved& names,
                       const TradeEffect& effect, std::uint32_t record);
  Outcome accept_cancel(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint, std::uint32_t& record);
  bool can_create(const Trade& trade) const;
  std::uint32_t source_id(std::string_view source);
  std::uint32_t create(Seq seq, const Trade& trade, std::uint64_t key_hash);
  void store(TradeRecord& stored, Seq seq, const Trade& trade, std::uint64_t content, const Resolved& names);
  void mark_first(std::uint32_t instrument, Nanos time, std::int64_t price);
  Money in_firm_currency(const Resolved& names) const;  // the notional
  void enter(std::uint32_t trade, PositionRecord& of_book);
  void clean(PositionRecord& of_book);
  void set_id(TradeRecord& record, std::string_view id);
  void forget_key(std::uint32_t trade);
  // Before it is changed.
  void note(std::uint32_t trade) {
    if (changes_.wanted) changes_.note_trade(trade, state_.trades[trade]);
  }
  void count_at_nodes(std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty, std::uint32_t instrument,
                      const Tally& tally);

  State& state_;
  Exposure& exposure_;
  Changes& changes_;
  NameMemo names_;
  std::uint32_t last_source_ = kNoId;  // nearly always the next trade's too
};

}  // namespace halocline
