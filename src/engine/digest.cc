// The digest of docs/semantics.md: canonical lines, and SHA-256 over them.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/copy_bytes.h"
#include "base/prefetch.h"
#include "base/sha256.h"
#include "base/sha256_many.h"
#include "engine/changed_items.h"
#include "engine/running_digest.h"
#include "engine/state/state.h"
#include "engine/views.h"

namespace halocline::views {
namespace {

constexpr char kBetween = 0x1f;
constexpr std::size_t kTradesInABlock = 64;
constexpr std::size_t kBlocksBetween = 32;

// Builds one line behind the other. To a sink it hands on what it has whenever that is so many bytes.
class Lines {
 public:
  using Sink = void (*)(void* context, std::string_view text);
  Lines() = default;
  Lines(Sink sink, void* context, std::size_t at_least) : sink_(sink), context_(context), at_least_(at_least) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  // What was not handed on.
  std::string_view rest() const { return {text_.data(), size()}; }
  void clear() { to_ = text_.data(); }

  Lines& start(std::string_view kind) {
    to_ = copy_bytes(kind, room(kind.size()));
    return *this;
  }
  Lines& text(std::string_view value) {
    char* const to = room(1 + value.size());
    *to = kBetween;
    to_ = copy_bytes(value, to + 1);
    return *this;
  }
  Lines& number(std::int64_t value) {
    constexpr std::size_t kMost = 24;
    char* const to = room(kMost);
    *to = kBetween;
    to_ = std::to_chars(to + 1, to + kMost, value).ptr;
    return *this;
  }
  Lines& wide(Int128 value) {
    if (value == static_cast<std::int64_t>(value)) return number(static_cast<std::int64_t>(value));
    return text(to_digits(value));
  }
  Lines& unsigned_number(std::uint64_t value) { return wide(static_cast<Int128>(value)); }
  Lines& flag(bool value) { return text(value ? "1" : "0"); }
  template <class Enum>
  Lines& code(Enum value) {
    return number(static_cast<std::int64_t>(value));
  }
  void end() {
    *room(1) = '\n';
    ++to_;
    if (size() < at_least_) return;
    sink_(context_, rest());
    clear();
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(to_ - text_.data()); }
  char* room(std::size_t bytes) {
    if (text_.size() - size() < bytes) [[unlikely]] {
      const std::size_t used = size();
      text_.resize(std::max(2 * text_.size(), used + bytes));
      to_ = text_.data() + used;
    }
    return to_;
  }

  const Sink sink_ = nullptr;
  void* const context_ = nullptr;
  const std::size_t at_least_ = SIZE_MAX;
  std::vector<char> text_ = std::vector<char>(1'024);
  char* to_ = text_.data();
};

void firm_line(const State& state, Lines& lines) {
  lines.start("firm").text(firm_name(state)).text(firm_currency(state)).number(state.catalog.end_of_day).end();
}

void node_lines(const State& state, Lines& lines) {
  const Catalog& catalog = state.catalog;
  for (std::uint32_t id = 0; id < catalog.nodes.size(); ++id) {
    const NodeRecord& node = catalog.nodes[id];
    lines.start("node").number(id).code(node.kind).text(catalog.name_of(id)).text(catalog.name_of(node.parent)).end();
  }
}

void currency_lines(const State& state, Lines& lines) {
  const Catalog& catalog = state.catalog;
  std::vector<std::uint32_t> ids(catalog.currencies.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  auto code = [&](std::uint32_t id) { return catalog.text[catalog.currencies[id].code]; };
  std::sort(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) { return code(a) < code(b); });
  for (const std::uint32_t id : ids) {
    const CurrencyRecord& currency = catalog.currencies[id];
    lines.start("currency").text(code(id)).number(currency.rate).number(currency.rate_time).end();
  }
}

// The instruments by symbol.
std::vector<std::uint32_t> sorted_instruments(const Catalog& catalog) {
  std::vector<std::uint32_t> ids(catalog.instruments.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  auto symbol = [&](std::uint32_t id) { return catalog.text[catalog.instruments[id].symbol]; };
  std::sort(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) { return symbol(a) < symbol(b); });
  return ids;
}

void instrument_lines(const State& state, Lines& lines) {
  const Catalog& catalog = state.catalog;
  for (const std::uint32_t id : sorted_instruments(catalog)) {
    const InstrumentRecord& i = catalog.instruments[id];
    lines.start("instrument").text(catalog.text[i.symbol]).code(i.kind).text(catalog.text[catalog.currencies[i.currency].code]);
    lines.number(i.multiplier).text(catalog.name_of(i.underlying_node)).text(catalog.name_of(i.sector_node));
    lines.text(catalog.text[i.issuer]).number(i.expiry).number(i.stale_after).number(i.mark).code(i.mark_source);
    lines.number(i.mark_time).number(i.price_time).flag(i.stale).end();
  }
}

void trade_lines(const State& state, Lines& lines, bool seqs, std::size_t from, std::size_t to) {
  const Catalog& catalog = state.catalog;
  for (std::size_t id = from; id < to; ++id) {
    const TradeRecord& t = state.trades[id];
    const bool fields = t.book != kNoId;
    lines.start("trade");
    if (seqs) lines.unsigned_number(t.seq).unsigned_number(t.version_seq);
    lines.text(state.source_of(t)).text(state.trade_id_of(t)).number(t.version).code(t.status);
    lines.text(catalog.name_of(t.book)).text(catalog.name_of(t.trader)).text(catalog.name_of(t.counterparty));
    lines.text(fields ? catalog.text[catalog.instruments[t.instrument].symbol] : std::string_view());
    lines.code(t.side).number(t.quantity).number(t.price).number(t.fees).number(t.trade_time).end();
  }
}

void position_lines(const State& state, Lines& lines) {
  const Catalog& catalog = state.catalog;
  const std::vector<std::uint32_t> sorted = sorted_instruments(catalog);
  std::vector<std::uint32_t> places(sorted.size());
  for (std::uint32_t place = 0; place < sorted.size(); ++place) places[sorted[place]] = place;
  // By node and the place of the instrument; found as they lie in memory, and fetched ahead when they are read in their order.
  struct Found {
    std::uint64_t order;
    std::uint32_t position;
  };
  std::vector<Found> found;
  for (std::uint32_t id = 0; id < state.positions.size(); ++id) {
    const PositionRecord& p = state.positions[id];
    if (p.count != 0) found.push_back({std::uint64_t{p.node} << 32 | places[p.instrument], id});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.order < b.order; });
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i + kAhead < found.size()) prefetch_all(&state.positions[found[i + kAhead].position]);
    const PositionRecord& p = state.positions[found[i].position];
    lines.start("position").code(catalog.nodes[p.node].kind).text(catalog.name_of(p.node));
    lines.text(catalog.text[catalog.instruments[p.instrument].symbol]);
    lines.wide(p.quantity).wide(p.cash).number(p.count).wide(p.value).end();
  }
}

void measure_lines(const State& state, Lines& lines) {
  for (std::uint32_t id = 0; id < state.catalog.nodes.size(); ++id) {
    const NodeRecord& node = state.catalog.nodes[id];
    lines.start("measures").number(id).wide(state.in_firm_currency(id, &BucketRecord::net));
    lines.wide(state.in_firm_currency(id, &BucketRecord::long_exposure));
    lines.wide(state.in_firm_currency(id, &BucketRecord::short_exposure))
        .wide(state.total_pnl(id))
        .wide(node.day_base)
        .wide(node.peak_pnl)
        .wide(node.largest_trade);
    lines.wide(static_cast<Int128>(node.rate_sum) * halocline::limits::kScale).wide(state.in_firm_currency(id, &BucketRecord::stale)).end();
  }
}

void limit_lines(const State& state, Lines& lines) {
  for (const LimitRow& l : views::limits(state)) {
    lines.start("limit").text(l.name).code(l.kind).text(l.node).code(l.measure).wide(l.warn).wide(l.breach);
    lines.number(l.hysteresis).flag(l.hard).text(l.owner).number(l.escalate_after).end();
  }
}

void alert_lines(const State& state, Lines& lines) {
  for (std::uint64_t id = 1; id <= state.alerts.size(); ++id) {
    const AlertRecord& a = state.alerts[id - 1];
    if (a.limit != kNoId) {
      const LimitRecord& limit = state.limits[a.limit];
      lines.start("alert").unsigned_number(id).text(state.catalog.text[limit.name]).number(a.node).code(limit.measure);
    } else {
      lines.start("query_alert").unsigned_number(id).number(a.query).text(state.catalog.text[a.row]);
    }
    lines.code(a.level).flag(a.acknowledged).flag(a.cleared).unsigned_number(a.raised_seq).unsigned_number(a.last_event).end();
  }
}

void report_lines(const State& state, Lines& lines) {
  for (std::size_t id = 0; id < state.chains.size(); ++id) {
    const ChainRecord& c = state.chains[id];
    lines.start("chain").unsigned_number(state.trades[c.trade].seq).flag(c.provisional).end();
  }
  for (std::size_t id = 0; id < state.links.size(); ++id) {
    const LinkRecord& l = state.links[id];
    lines.start("link").unsigned_number(l.seq).text(state.trade_text[state.sources[l.source]]).text(state.trade_text[l.id]);
    lines.unsigned_number(state.trades[l.trade].seq).number(l.version).end();
  }
  for (std::size_t at = 0; at < state.parked.size(); ++at) {
    lines.start("parked").unsigned_number(state.parked[at].seq).end();
  }
  lines.start("released").unsigned_number(state.parked_released).unsigned_number(state.parked_refused).end();
}

void fix_lines(const State& state, Lines& lines) {
  for (std::size_t id = 0; id < state.fix_sessions.size(); ++id) {
    const FixSessionRecord& s = state.fix_sessions[id];
    lines.start("fix").text(state.trade_text[s.name]).number(s.next_in).number(s.next_out).number(s.last_sent).number(s.created).end();
    for (std::uint32_t at = s.first_unanswered; at != kNoId; at = state.fix_unanswered[at].next) {
      const UnansweredRecord& u = state.fix_unanswered[at];
      lines.start("unanswered").unsigned_number(u.seq).number(u.number).code(u.told.outcome).number(u.told.index).end();
    }
  }
  for (std::size_t id = 0; id < state.fix_sent.size(); ++id) {
    const SentRecord& s = state.fix_sent[id];
    lines.start("sent").unsigned_number(s.seq).number(s.session).number(s.number).end();
  }
}

void query_lines(const State& state, Lines& lines) {
  for (std::size_t id = 0; id < state.queries.size(); ++id) {
    const QueryRecord& q = state.queries[id];
    lines.start("query").unsigned_number(id).text(state.catalog.text[q.name]).code(q.severity).text(state.catalog.text[q.sql]);
    lines.unsigned_number(q.created_seq).flag(q.dropped).text(state.catalog.text[q.failure]).end();
  }
}

// Of lines, without keeping all of them.
class LinesHash {
 public:
  Lines& lines() { return lines_; }
  std::string finish() {
    hash_.update(lines_.rest());
    return hex(hash_.finish());
  }

 private:
  static constexpr std::size_t kTogether = 16 << 10;

  Sha256 hash_;
  Lines lines_{[](void* hash, std::string_view text) { static_cast<Sha256*>(hash)->update(text); }, &hash_, kTogether};
};

void lines_before_trades(const State& state, Lines& lines) {
  firm_line(state, lines);
  node_lines(state, lines);
  currency_lines(state, lines);
  instrument_lines(state, lines);
}

void lines_after_trades(const State& state, Lines& lines) {
  position_lines(state, lines);
  measure_lines(state, lines);
  limit_lines(state, lines);
  alert_lines(state, lines);
  report_lines(state, lines);
  fix_lines(state, lines);
  query_lines(state, lines);
}

std::size_t blocks_of(std::size_t trades) { return (trades + kTradesInABlock - 1) / kTradesInABlock; }

// Works out the digests of blocks of trades, some side by side.
class BlockDigests {
 public:
  // Into `digests`, by the number of the block.
  BlockDigests(const State& state, std::vector<Digest>& digests) : state_(state), digests_(digests) {}

  void add(std::size_t block) {
    const std::size_t from = block * kTradesInABlock;
    trade_lines(state_, texts_[blocks_.size()], true, from, std::min(from + kTradesInABlock, state_.trades.size()));
    blocks_.push_back(block);
    if (blocks_.size() == kTogether) flush();
  }
  // What was added last, too.
  void flush() {
    std::array<std::span<const std::byte>, kTogether> messages;
    std::array<Digest, kTogether> digests;
    const std::size_t count = blocks_.size();
    for (std::size_t i = 0; i < count; ++i) messages[i] = std::as_bytes(std::span(texts_[i].rest()));
    sha256_each(std::span(messages).first(count), std::span(digests).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      digests_[blocks_[i]] = digests[i];
      texts_[i].clear();
    }
    blocks_.clear();
  }

 private:
  static constexpr std::size_t kTogether = 16;

  const State& state_;
  std::vector<Digest>& digests_;
  std::vector<std::size_t> blocks_;
  std::array<Lines, kTogether> texts_;
};

// Of the state whose blocks of trades have these digests.
std::string digest_over(const State& state, std::span<const Digest> blocks) {
  LinesHash hash;
  Lines& lines = hash.lines();
  lines_before_trades(state, lines);
  lines.start("trades").unsigned_number(state.trades.size()).text(hex(sha256(std::as_bytes(blocks)))).end();
  lines_after_trades(state, lines);
  return hash.finish();
}

// Whether what had a name before has the same now.
bool same_names(const Catalog& now, const Catalog& before) {
  for (std::uint32_t id = 0; id < before.nodes.size(); ++id) {
    if (now.name_of(id) != before.name_of(id)) return false;
  }
  for (std::uint32_t id = 0; id < before.instruments.size(); ++id) {
    if (now.text[now.instruments[id].symbol] != before.text[before.instruments[id].symbol]) return false;
  }
  return true;
}

}  // namespace

void digest_lines(const State& state, void (*line)(void* context, std::string_view text), void* context) {
  Lines lines(line, context, 1);
  lines_before_trades(state, lines);
  trade_lines(state, lines, true, 0, state.trades.size());
  lines_after_trades(state, lines);
}

std::string state_digest(const State& state, void (*between)()) {
  std::vector<Digest> blocks(blocks_of(state.trades.size()));
  BlockDigests digests(state, blocks);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    if (between != nullptr && block % kBlocksBetween == 0) between();
    digests.add(block);
  }
  digests.flush();
  return digest_over(state, blocks);
}

std::string RunningDigest::of(Snapshot books) {
  if (before_ != nullptr && before_->seq == books->seq) return text_;
  const State& now = *books;
  const bool goes_on = before_ != nullptr && same_names(now.catalog, before_->catalog);
  blocks_.resize(blocks_of(now.trades.size()));
  BlockDigests digests(now, blocks_);
  std::optional<std::size_t> last;
  for_each_changed(now.trades, goes_on ? &before_->trades : nullptr, [&](std::size_t trade) {
    const std::size_t block = trade / kTradesInABlock;
    if (block != last) digests.add(block);
    last = block;
  });
  digests.flush();
  text_ = digest_over(now, blocks_);
  before_ = std::move(books);
  return text_;
}

std::string trades_digest(const State& state) {
  LinesHash hash;
  trade_lines(state, hash.lines(), false, 0, state.trades.size());
  position_lines(state, hash.lines());
  return hash.finish();
}

}  // namespace halocline::views
