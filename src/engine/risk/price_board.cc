#include "engine/risk/price_board.h"

#include <limits>

#include "engine/state/trade_effect.h"

namespace halocline {
namespace {

constexpr Nanos kNever = std::numeric_limits<Nanos>::max();

}  // namespace

void PriceBoard::instrument_added(std::uint32_t instrument) { armed_.resize(instrument + 1, kNever); }

void PriceBoard::resume() {
  for (std::uint32_t id = 0; id < state_.catalog.instruments.size(); ++id) {
    instrument_added(id);
    arm(id);
  }
}

Outcome PriceBoard::apply(const Price& price) {
  const std::uint32_t id = state_.catalog.find_instrument(price.instrument);
  if (id == kNoId) return Outcome::kUnknownInstrument;
  const InstrumentRecord& known = state_.catalog.instruments[id];
  if (price.price <= 0 && known.kind != InstrumentKind::kFuture) return Outcome::kInvalidPrice;
  if (!price_in_range(price.price, known.multiplier)) return Outcome::kOutOfRange;
  if (price.price_time != 0 && price.price_time < known.price_time) return Outcome::kStale;
  const bool was_stale = known.stale;
  const bool same = known.mark_source == MarkSource::kPrice && known.mark == price.price && !was_stale;
  InstrumentRecord& instrument = state_.catalog.instruments.write(id);
  changes_.note(Changes::Of::kPriced, id);
  instrument.mark_source = MarkSource::kPrice;
  instrument.mark = price.price;
  instrument.mark_time = state_.time;
  instrument.stale = false;
  if (price.price_time != 0) instrument.price_time = price.price_time;
  arm(id);
  if (!same) exposure_.revalue(id, was_stale);
  return Outcome::kAccepted;
}

Outcome PriceBoard::apply(const FxRate& rate) {
  const std::uint32_t id = state_.catalog.find_currency(rate.currency);
  if (id == kNoId) return Outcome::kUnknownCurrency;
  if (!valid_rate(id, rate.rate)) return Outcome::kInvalidRate;
  if (rate.rate_time != 0 && rate.rate_time < state_.catalog.currencies[id].rate_time) return Outcome::kStale;
  if (rate.rate_time != 0) state_.catalog.currencies.write(id).rate_time = rate.rate_time;
  set_rate(id, rate.rate);
  return Outcome::kAccepted;
}

bool PriceBoard::valid_rate(std::uint32_t currency, std::int64_t rate) const {
  if (currency != kNoId && currency == state_.catalog.firm_currency) return rate == limits::kScale;
  return rate > 0 && rate <= limits::kMaxRate;
}

bool PriceBoard::set_rate(std::uint32_t currency, std::int64_t rate) {
  const std::int64_t before = state_.catalog.currencies[currency].rate;
  if (before == rate) return false;
  state_.catalog.currencies.write(currency).rate = rate;
  exposure_.reconvert(currency, before);
  return true;
}

void PriceBoard::set_stale_after(std::uint32_t id, std::int64_t stale_after) {
  InstrumentRecord& instrument = state_.catalog.instruments.write(id);
  const bool was_stale = instrument.stale;
  instrument.stale_after = stale_after;
  instrument.stale = stale_from(id) <= state_.time;
  changes_.note(Changes::Of::kPriced, id);
  if (instrument.stale != was_stale) exposure_.revalue(id, was_stale);
  arm(id);
}

// The instant from which the mark is stale, if no price comes.
Nanos PriceBoard::stale_from(std::uint32_t id) const {
  const InstrumentRecord& instrument = state_.catalog.instruments[id];
  if (instrument.mark_source != MarkSource::kPrice || instrument.stale_after == 0) return kNever;
  Nanos due = 0;
  return __builtin_add_overflow(instrument.mark_time, instrument.stale_after, &due) ? kNever : due;
}

void PriceBoard::arm(std::uint32_t id) {
  if (state_.catalog.instruments[id].stale) return;
  const Nanos due = stale_from(id);
  if (due >= armed_[id]) return;
  armed_[id] = due;
  stale_.push({due, id});
}

void PriceBoard::pass_time() {
  while (!stale_.empty() && stale_.top().time <= state_.time) {
    const Due due = stale_.top();
    stale_.pop();
    if (armed_[due.instrument] != due.time) continue;
    armed_[due.instrument] = kNever;
    if (state_.catalog.instruments[due.instrument].stale) continue;
    if (stale_from(due.instrument) > state_.time) {
      arm(due.instrument);
      continue;
    }
    state_.catalog.instruments.write(due.instrument).stale = true;
    changes_.note(Changes::Of::kPriced, due.instrument);
    exposure_.revalue(due.instrument, false);
  }
}

Nanos PriceBoard::stale_deadline() const { return stale_.empty() ? kNever : stale_.top().time; }

}  // namespace halocline
