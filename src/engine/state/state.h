// The books: every fact the engine keeps, in arrays that are copied in no time (base/cow_array.h). A copy of a State is a snapshot.
// What can be worked out again from it (lists by instrument, watched limits, timers) is kept beside it by the parts of the engine.
// Ids are dense indexes into the arrays; kNoId is "none".
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

#include "base/cow_array.h"
#include "base/cow_index.h"
#include "base/cow_text.h"
#include "base/decimal.h"
#include "catalog/catalog.h"
#include "command/alert.h"
#include "command/command.h"
#include "command/fix.h"

namespace halocline {

// MERGED: the record of a correction that came before its trade and turned out to be of a trade with a record of its own; holds nothing.
enum class TradeStatus : std::uint8_t { kLive = 1, kCancelled = 2, kMerged = 3 };

// A trade's current version: 104 bytes. Its id is the order of its first seq.
struct TradeRecord {
  TradeStatus status;
  Side side;
  std::uint16_t source;
  Action action;  // of the current version, while live
  std::uint8_t id_length;
  std::uint32_t version;
  char id[20];           // the trade id, or, when longer, its Text's offset in the first 4 bytes
  std::uint32_t book;    // nodes; kNoId for a tombstone
  std::uint32_t trader;
  std::uint32_t counterparty;
  std::uint32_t instrument;
  std::int64_t quantity;
  std::int64_t price;
  std::int64_t fees;
  Nanos trade_time;
  Seq seq;
  Seq version_seq;
  std::uint64_t content;  // hash of the fields after the version, as they were sent
};

// What a node holds of an instrument: 96 bytes in two cache lines. Money in the instrument's currency.
struct alignas(32) PositionRecord {
  std::uint32_t node;
  std::uint32_t instrument;
  std::uint32_t bucket;
  std::uint32_t next_of_node;
  std::uint32_t first_entry;  // BOOK positions: list of TradeEntry
  std::uint32_t entries;      // … and how many there are
  std::uint32_t count;        // live trades
  bool split_known;           // cost is that of all live trades
  Int128 quantity;
  Money cash;
  Money value;
  Money cost;

  // It changed otherwise than by its newest trade: its split has to be folded anew by who reads it.
  void forget_split() {
    cost = 0;
    split_known = count == 0;  // of no trades it is zero
  }
};

// A trade in the list of a book's position. A trade that went away leaves its entry behind, and one that came back may have two: who
// walks the list asks State::holds() and drops doubles. TradeBook cleans a list of which most is gone.
struct TradeEntry {
  std::uint32_t trade;
  std::uint32_t next;
};

// The positions of a node in the instruments of one currency, summed up. Two cache lines.
struct alignas(64) BucketRecord {
  std::uint32_t node;
  std::uint32_t currency;
  std::uint32_t next_of_node;
  std::uint32_t largest;  // the position with the largest |value|, kNoId when it must be looked for
  // In the currency.
  Money net, long_exposure;
  Money pnl;  // value and cash of all positions
  Money largest_value;
  Money stale;

  Money short_exposure() const { return long_exposure - net; }
};

struct LimitRecord {
  Text name;
  Text owner;
  NodeKind kind;
  Measure measure;
  bool hard;
  bool removed;
  std::uint32_t node;  // kNoId: a template
  Int128 warn, breach;
  std::int64_t hysteresis;
  std::int64_t escalate_after;
};

// An alert is of a limit and a node, or of a query; the others are kNoId.
struct AlertRecord {
  std::uint32_t limit;
  std::uint32_t node;
  std::uint32_t query;
  Text row;  // a query's: what it read when it came
  std::uint64_t row_key[2];  // … and a hash of the row's key
  AlertLevel level;
  bool acknowledged;
  bool cleared;
  Text by;
  Text note;
  Nanos escalation_due;  // 0: none
  Seq raised_seq;
  Nanos raised_time;
  std::uint64_t last_event;  // event id
};

struct QueryRecord {
  Text name;
  Text sql;
  Text failure;  // why it is worked out no more
  AlertLevel severity;  // kNone: raises no alerts
  bool dropped;
  Seq created_seq;
  Nanos created;
};

struct EventRecord {
  std::uint64_t alert;
  AlertStep step;
  AlertReason reason;
  AlertLevel level;
  Cause cause;
  bool hard;
  std::uint32_t limit;
  std::uint32_t node;
  Text node_name;  // as it was
  Text owner;
  Text by;
  Text note;
  Seq seq;
  Nanos time;
  Int128 value;
  Int128 threshold;
  std::uint32_t cause_id;       // TRADE: the trade's record; PRICE: unused
  std::uint32_t cause_version;
  Text cause_name;              // PRICE: the instrument, FX: the currency
};

// A report that corrected or cancelled a trade: its id leads to the trade.
struct LinkRecord {
  Text id;
  std::uint32_t source;
  std::uint32_t trade;
  std::uint32_t version;        // that it gave the trade
  std::uint32_t next_of_trade;  // the link made before it
  std::uint64_t content;
  Seq seq;
};

// A trade that reports have corrected.
struct ChainRecord {
  std::uint32_t trade;
  std::uint32_t newest_link;
  bool provisional;  // the trade's own first report is not known yet: the id may turn out to be a link
};

// A trade report that waits for its instrument, as the payload of its record.
struct ParkedRecord {
  Seq seq;
  std::uint64_t content;
  std::uint32_t size;
  std::byte payload[628];
};

struct FixSessionRecord {
  Text name;
  std::uint32_t next_in;
  std::uint32_t next_out;
  std::uint32_t last_sent;    // the highest number of a FixSent
  std::uint32_t newest_sent;  // its SentRecord
  std::uint32_t first_unanswered, last_unanswered;
  Nanos created;
};

struct SentRecord {
  std::uint32_t session;
  std::uint32_t number;
  std::uint32_t previous;  // of the session
  Seq seq;
};

struct UnansweredRecord {
  std::uint32_t session;  // kNoId: the place is free
  std::uint32_t number;
  std::uint32_t next, previous;  // of the session; of a free place: the next free one
  std::uint16_t commands;
  ToldOutcome told;
  Seq seq;
};

// The FIX message whose commands are being applied.
struct FixPending {
  std::uint32_t session = kNoId;
  std::uint32_t number = 0;
  std::uint16_t commands = 0, applied = 0;
  FixReply reply = FixReply::kNone;
  ToldOutcome told;
  Seq seq = 0;
};

// Which trades the books have that are EFFECTIVE AT a time (engine/effective.h).
struct Effective {
  Nanos time = 0;
  Seq then = 0;  // the last one by that time: for trades that say no time of their own

  bool holds(const TradeRecord& trade) const {
    return trade.status == TradeStatus::kLive && (trade.trade_time == 0 ? trade.seq <= then : trade.trade_time <= time);
  }
};

class State {
 public:
  Seq seq = 0;
  Nanos time = 0;
  Catalog catalog;
  CowArray<TradeRecord> trades;
  CowIndex trade_index;
  CowArray<Text, 4096> sources;
  CowIndex source_index;
  CowText trade_text;  // long trade ids and sources
  CowArray<PositionRecord, 4096> positions;
  CowArray<TradeEntry> entries;
  std::uint32_t free_entry = kNoId;  // list of entries that are in no position's list
  CowArray<BucketRecord, 4096> buckets;
  CowArray<LimitRecord, 4096> limits;
  CowIndex limit_index;
  CowArray<AlertRecord, 4096> alerts;  // alert id - 1
  CowArray<EventRecord> events;        // event id - 1
  CowArray<QueryRecord, 4096> queries;
  CowIndex query_index;
  CowArray<LinkRecord, 4096> links;
  CowIndex link_index;
  CowArray<ChainRecord, 4096> chains;
  CowIndex chain_index;  // by the trade's record
  CowArray<ParkedRecord> parked;
  CowIndex parked_index;
  std::uint64_t parked_released = 0;  // entered the books with their instrument
  std::uint64_t parked_refused = 0;   // were refused then
  CowArray<FixSessionRecord, 4096> fix_sessions;
  CowIndex fix_session_index;
  CowArray<SentRecord> fix_sent;
  CowArray<UnansweredRecord, 4096> fix_unanswered;
  std::uint32_t free_unanswered = kNoId;
  FixPending fix_pending;
  std::uint64_t live_trades = 0;
  std::uint64_t live_limits = 0;
  std::uint64_t active_alerts = 0;
  std::optional<Effective> effective;  // never of an engine's own books

  // visit(name, array …) for every array there is, and the same one of the other states, if any: all of a state but a few numbers.
  template <class Visit, class... States>
  static void each_array(Visit&& visit, States&... states) {
    Catalog::each_array(within("catalog", visit), states.catalog...);
    visit("trades", states.trades...);
    CowIndex::each_array(within("trade_index", visit), states.trade_index...);
    visit("sources", states.sources...);
    CowIndex::each_array(within("source_index", visit), states.source_index...);
    CowText::each_array(within("trade_text", visit), states.trade_text...);
    visit("positions", states.positions...);
    visit("entries", states.entries...);
    visit("buckets", states.buckets...);
    visit("limits", states.limits...);
    CowIndex::each_array(within("limit_index", visit), states.limit_index...);
    visit("alerts", states.alerts...);
    visit("events", states.events...);
    visit("queries", states.queries...);
    CowIndex::each_array(within("query_index", visit), states.query_index...);
    visit("links", states.links...);
    CowIndex::each_array(within("link_index", visit), states.link_index...);
    visit("chains", states.chains...);
    CowIndex::each_array(within("chain_index", visit), states.chain_index...);
    visit("parked", states.parked...);
    CowIndex::each_array(within("parked_index", visit), states.parked_index...);
    visit("fix_sessions", states.fix_sessions...);
    CowIndex::each_array(within("fix_session_index", visit), states.fix_session_index...);
    visit("fix_sent", states.fix_sent...);
    visit("fix_unanswered", states.fix_unanswered...);
  }

  // visit(name, index …) likewise.
  template <class Visit, class... States>
  static void each_index(Visit&& visit, States&... states) {
    Catalog::each_index(visit, states.catalog...);
    visit("trade_index", states.trade_index...);
    visit("source_index", states.source_index...);
    visit("limit_index", states.limit_index...);
    visit("query_index", states.query_index...);
    visit("link_index", states.link_index...);
    visit("chain_index", states.chain_index...);
    visit("parked_index", states.parked_index...);
    visit("fix_session_index", states.fix_session_index...);
  }

  std::uint32_t find_trade(std::string_view source, std::string_view trade_id) const {
    return find_trade(source, trade_id, trade_hash(source, trade_id));
  }
  std::uint32_t find_trade(std::string_view source, std::string_view trade_id, std::uint64_t hash) const;
  // Books without it (Engine::snapshot_without_index) find no trade.
  bool has_trade_index() const { return trade_index.size() != 0 || trades.empty(); }
  // The link of this id; kNoId when there is none.
  std::uint32_t find_link(std::string_view source, std::string_view id) const;
  std::uint32_t find_chain(std::uint32_t trade) const;
  std::uint32_t find_fix_session(std::string_view name) const;
  std::string_view source_of(const TradeRecord& trade) const { return trade_text[sources[trade.source]]; }
  std::string_view trade_id_of(const TradeRecord& trade) const {
    if (trade.id_length <= sizeof trade.id) return {trade.id, trade.id_length};
    Text text{0, trade.id_length};
    std::memcpy(&text.offset, trade.id, sizeof text.offset);
    return trade_text[text];
  }
  // Walks the node's positions: for readers. The engine finds them in Exposure.
  std::uint32_t find_position(std::uint32_t node, std::uint32_t instrument) const;
  std::uint32_t find_limit(std::string_view name) const;
  std::uint32_t find_query(std::string_view name) const;
  // Whether the trade is one of those these books list.
  bool lists(const TradeRecord& trade) const { return effective ? effective->holds(trade) : trade.status != TradeStatus::kMerged; }
  // Whether the trade is live and one of this book's position.
  bool holds(const PositionRecord& of_book, const TradeRecord& trade) const {
    return trade.status == TradeStatus::kLive && trade.book == of_book.node && trade.instrument == of_book.instrument &&
           (!effective || effective->holds(trade));
  }
  // Adds the trade to the list of its book's position.
  void add_entry(PositionRecord& of_book, std::uint32_t trade);

  // A sum of a node's buckets in the firm's currency, each converted and rounded by itself. Only P&L, whose peak must be known, is
  // kept converted; the exposures are converted for those who look.
  template <class Amount>  // a member of BucketRecord
  Money in_firm_currency(std::uint32_t node, Amount amount) const {
    Money sum = 0;
    for (std::uint32_t id = catalog.nodes[node].first_bucket; id != kNoId;) {
      const BucketRecord& bucket = buckets[id];
      sum += mul_scale(std::invoke(amount, bucket), catalog.currencies[bucket.currency].rate);
      id = bucket.next_of_node;
    }
    return sum;
  }
  Money total_pnl(std::uint32_t node) const { return in_firm_currency(node, &BucketRecord::pnl); }
  Money gross(std::uint32_t node) const {
    Money sum = 0;
    for (std::uint32_t id = catalog.nodes[node].first_bucket; id != kNoId;) {
      const BucketRecord& bucket = buckets[id];
      const std::int64_t rate = catalog.currencies[bucket.currency].rate;
      sum += mul_scale(bucket.long_exposure, rate) + mul_scale(bucket.short_exposure(), rate);
      id = bucket.next_of_node;
    }
    return sum;
  }

  static std::uint64_t trade_hash(std::string_view source, std::string_view trade_id);
};

// An event or alert with all its names.
AlertEvent event_of(const State& state, std::uint64_t event_id);

}  // namespace halocline
