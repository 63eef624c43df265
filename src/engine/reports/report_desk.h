// Trade reports: which trade a report is about, and at which version, from the ids that reports name; and the reports that wait for
// their instrument. docs/semantics.md, "Trade reports".
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/state/state.h"
#include "engine/state/trade_book.h"

namespace halocline {

// A parked report as it was sent; a view of the record.
TradeReport report_of(const ParkedRecord& parked);

class ReportDesk {
 public:
  ReportDesk(State& state, TradeBook& trades) : state_(state), trades_(trades) {}

  // As TradeBook::apply.
  Applied apply(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record);

  // An instrument of this name is there now: the reports that wait for it enter the books, in the order they came.
  void release(Seq seq, Nanos time, std::string_view symbol);
  // Those of them that were refused, since the last call.
  std::vector<RefusedRelease> take_refused() { return std::exchange(refused_, {}); }

 private:
  Applied apply_new(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record);
  Applied apply_correction(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record);
  Applied apply_to_itself(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record);
  Applied take_root(Seq seq, const TradeReport& report, std::uint32_t provisional);
  Applied enter(Seq seq, Nanos time, const TradeReport& report, Trade trade, std::uint32_t& record);
  Outcome contradiction(const TradeReport& report) const;
  std::uint32_t find(std::string_view source, std::string_view id) const;
  std::uint32_t chain_of(std::uint32_t trade, bool provisional);
  void add_link(const TradeReport& report, std::uint32_t trade, std::uint32_t version, Seq seq);
  void move_links(std::uint32_t from_chain, std::uint32_t to_trade, std::uint32_t versions);

  static std::uint64_t content_of(const TradeReport& report);
  std::uint32_t find_parked(std::string_view source, std::string_view id) const;
  Outcome park(Seq seq, const TradeReport& report);

  State& state_;
  TradeBook& trades_;
  std::vector<RefusedRelease> refused_;
};

}  // namespace halocline
