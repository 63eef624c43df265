// The digest of docs/semantics.md: canonical lines, and SHA-256 over them.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

// Builds one line after the other and hands each on.
class Lines {
 public:
  using Sink = void (*)(void* context, std::string_view text);
  Lines(Sink sink, void* context) : sink_(sink), context_(context) {}

  Lines& start(std::string_view kind) {
    line_ = kind;
    return *this;
  }
  Lines& text(std::string_view value) {
    line_ += kBetween;
    line_ += value;
    return *this;
  }
  Lines& number(std::int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return text({digits, static_cast<std::size_t>(end - digits)});
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
    line_ += '\n';
    sink_(context_, line_);
  }

 private:
  Sink sink_;
  void* context_;
  std::string line_;
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
  std::vector<std::pair<std::uint32_t, std::uint32_t>> found;  // of a node: place of the instrument, position
  for (std::uint32_t node = 0; node < catalog.nodes.size(); ++node) {
    found.clear();
    for (std::uint32_t p = catalog.nodes[node].first_position; p != kNoId; p = state.positions[p].next_of_node) {
      if (state.positions[p].count != 0) found.emplace_back(places[state.positions[p].instrument], p);
    }
    std::sort(found.begin(), found.end());
    for (const auto& [place, id] : found) {
      const PositionRecord& p = state.positions[id];
      lines.start("position").code(catalog.nodes[node].kind).text(catalog.name_of(node));
      lines.text(catalog.text[catalog.instruments[p.instrument].symbol]);
      lines.wide(p.quantity).wide(p.cash).number(p.count).wide(p.value).end();
    }
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

void hash_line(void* context, std::string_view text) {
  static_cast<Sha256*>(context)->update(text);
}

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

void append_line(void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); }

// Works out the digests of blocks of trades, some side by side.
class BlockDigests {
 public:
  // Into `digests`, by the number of the block.
  BlockDigests(const State& state, std::vector<Digest>& digests) : state_(state), digests_(digests) {}

  void add(std::size_t block) {
    const std::size_t from = block * kTradesInABlock;
    Lines lines(append_line, &texts_[blocks_.size()]);
    trade_lines(state_, lines, true, from, std::min(from + kTradesInABlock, state_.trades.size()));
    blocks_.push_back(block);
    if (blocks_.size() == kTogether) flush();
  }
  // What was added last, too.
  void flush() {
    std::array<std::span<const std::byte>, kTogether> messages;
    std::array<Digest, kTogether> digests;
    const std::size_t count = blocks_.size();
    for (std::size_t i = 0; i < count; ++i) messages[i] = std::as_bytes(std::span(texts_[i]));
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
  std::array<std::string, kTogether> texts_;
};

// Of the state whose blocks of trades have these digests.
std::string digest_over(const State& state, std::span<const Digest> blocks) {
  Sha256 hash;
  Lines lines(hash_line, &hash);
  lines_before_trades(state, lines);
  lines.start("trades").unsigned_number(state.trades.size()).text(hex(sha256(std::as_bytes(blocks)))).end();
  lines_after_trades(state, lines);
  return hex(hash.finish());
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
  Lines lines(line, context);
  lines_before_trades(state, lines);
  trade_lines(state, lines, true, 0, state.trades.size());
  lines_after_trades(state, lines);
}

std::string state_digest(const State& state) {
  std::vector<Digest> blocks(blocks_of(state.trades.size()));
  BlockDigests digests(state, blocks);
  for (std::size_t block = 0; block < blocks.size(); ++block) digests.add(block);
  digests.flush();
  return digest_over(state, blocks);
}

std::string RunningDigest::of(Snapshot books) {
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
  before_ = std::move(books);
  return digest_over(now, blocks_);
}

std::string trades_digest(const State& state) {
  Sha256 hash;
  Lines lines(hash_line, &hash);
  trade_lines(state, lines, false, 0, state.trades.size());
  position_lines(state, lines);
  return hex(hash.finish());
}

}  // namespace halocline::views
