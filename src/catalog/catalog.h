// Reference data: the firm, currencies, instruments and the risk nodes (desks, books, traders, counterparties and so on), with
// dense ids in the order of creation and an index of names. It only keeps and finds; the rules of who may change what are
// the engine's (engine/reference.cc). Copied in no time with the snapshot (base/cow_array.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/cow_array.h"
#include "base/cow_index.h"
#include "base/cow_text.h"
#include "base/limits.h"
#include "command/command.h"

namespace halocline {

inline constexpr std::uint32_t kNoId = CowIndex::kNone;

// A risk node: identity, and the figures that depend on its past. Money in the firm's currency.
// What a trade changes comes first, in two cache lines.
struct alignas(64) NodeRecord {
  Int128 scaled_pnl;  // its buckets' P&L in the firm's currency at scale 1e-16, not rounded, modulo 2^128: see Exposure::look_at_peak
  Int128 peak_at;     // from this one on its day P&L may be a peak
  Money largest_trade;
  std::uint32_t rate_sum;  // of rate_slots
  NodeKind kind;
  bool watched;                // a limit holds for it
  std::uint32_t parent;        // the desk of a book or trader, else kNoId
  std::uint32_t first_bucket;  // list of its BucketRecords, or kNoId
  std::uint32_t rate_slots[limits::kTradeRateSeconds];  // trade commands by second, slot = second % kTradeRateSeconds
  std::uint32_t of;              // for an INSTRUMENT node its instrument, for a CURRENCY node its currency, else kNoId
  std::uint32_t first_position;  // list of its PositionRecords, or kNoId
  Text name;
  Money day_base;
  Money peak_pnl;
};
static_assert(sizeof(NodeRecord) == 192);

struct CurrencyRecord {
  Text code;
  std::int64_t rate;
  Nanos rate_time;
  std::uint32_t node;
};

enum class MarkSource : std::uint8_t { kNone = 0, kTrade = 1, kPrice = 2 };

struct InstrumentRecord {
  InstrumentKind kind;
  MarkSource mark_source;
  bool stale;
  Text symbol;
  Text issuer;
  std::uint32_t currency;
  std::uint32_t node;
  std::uint32_t underlying_node;
  std::uint32_t sector_node;  // kNoId when there is none
  std::uint32_t expiry;
  std::int64_t multiplier;
  std::int64_t stale_after;
  std::int64_t mark;
  Nanos mark_time;   // knowledge time of the mark
  Nanos price_time;  // highest accepted
};

// Hands on to `visit` with "of." before the name.
template <class Visit>
auto within(std::string_view of, Visit& visit) {
  return [of = std::string(of) + '.', &visit](std::string_view name, auto&... arrays) { visit(of + std::string(name), arrays...); };
}

class Catalog {
 public:
  CowArray<NodeRecord, 4096> nodes;
  CowArray<CurrencyRecord, 4096> currencies;
  CowArray<InstrumentRecord, 4096> instruments;
  CowText text;
  std::uint32_t firm_currency = kNoId;  // set with node 0, the firm
  std::uint32_t end_of_day = 0;         // yyyymmdd of the last one

  bool has_firm() const { return firm_currency != kNoId; }

  // The node of this kind and name, kNoId when there is none.
  std::uint32_t find_node(NodeKind kind, std::string_view name) const;
  // Changes whenever a name begins or ceases to mean a node.
  std::uint64_t names_version() const { return names_version_; }
  std::uint32_t find_instrument(std::string_view symbol) const;
  std::uint32_t find_currency(std::string_view code) const;

  std::uint32_t add_node(NodeKind kind, std::string_view name, std::uint32_t parent, std::uint32_t of);
  // The name must not be taken.
  void rename_node(std::uint32_t node, std::string_view name);

  std::string_view name_of(std::uint32_t node) const { return node == kNoId ? std::string_view() : text[nodes[node].name]; }
  // visit(name, array …) for each of its arrays, and the same one of the other catalogs, if any.
  template <class Visit, class... Catalogs>
  static void each_array(Visit&& visit, Catalogs&... catalogs) {
    visit("nodes", catalogs.nodes...);
    visit("currencies", catalogs.currencies...);
    visit("instruments", catalogs.instruments...);
    CowText::each_array(within("text", visit), catalogs.text...);
    CowIndex::each_array(within("names", visit), catalogs.names_...);
  }
  // visit(name, index …) likewise.
  template <class Visit, class... Catalogs>
  static void each_index(Visit&& visit, Catalogs&... catalogs) {
    visit("catalog.names", catalogs.names_...);
  }

  bool can_add_nodes(std::uint32_t count) const { return nodes.size() + count <= limits::kMaxNodes; }

 private:
  CowIndex names_;
  std::uint64_t names_version_ = 0;
};

// Whether a text may be a name: 1 to `most` bytes, none of them a control character.
bool valid_name(std::string_view name, std::size_t most = limits::kMaxName);

}  // namespace halocline
