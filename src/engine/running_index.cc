#include "engine/running_index.h"

#include <array>
#include <cstddef>

#include "engine/changed_items.h"
#include "engine/state/state.h"

namespace halocline {
namespace {

// Adds ids to an index, some together so that their places are fetched meanwhile.
class Adding {
 public:
  Adding(CowIndex& index, void (*between)()) : index_(index), between_(between) {}

  void add(std::uint64_t hash, std::uint32_t id) {
    index_.prefetch(hash);
    waiting_[count_++] = {hash, id};
    if (count_ == waiting_.size()) flush();
  }
  void flush() {
    for (std::size_t i = 0; i < count_; ++i) index_.insert(waiting_[i].hash, waiting_[i].id);
    count_ = 0;
    if (between_ != nullptr) between_();
  }

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t id;
  };

  CowIndex& index_;
  void (*const between_)();
  std::array<Entry, 64> waiting_;
  std::size_t count_ = 0;
};

}  // namespace

RunningIndex::RunningIndex() : indexed_(std::make_unique<State>()) {}
RunningIndex::~RunningIndex() = default;

Snapshot RunningIndex::complete(const Snapshot& books, void (*between)()) {
  const State& now = *books;
  CowArray<TradeRecord>& before = indexed_->trades;
  CowIndex& index = indexed_->trade_index;
  if (now.has_trade_index()) {
    before = now.trades, index = now.trade_index;
    return books;
  }
  // Texts are only added to, so those of an earlier record are among these.
  const auto hash_of = [&](const TradeRecord& trade) { return State::trade_hash(now.source_of(trade), now.trade_id_of(trade)); };
  Adding adding(index, between);
  views::for_each_changed(now.trades, &before, [&](std::size_t place) {
    const auto id = static_cast<std::uint32_t>(place);
    const TradeRecord& trade = now.trades[id];
    const bool known = id < before.size() && before[id].status != TradeStatus::kMerged, there = trade.status != TradeStatus::kMerged;
    const std::uint64_t hash = hash_of(trade);
    if (known) {
      const std::uint64_t old = hash_of(before[id]);
      if (there && old == hash) return;
      index.erase(old, id);
    }
    if (there) adding.add(hash, id);
  });
  adding.flush();
  before = now.trades;
  auto whole = std::make_shared<State>(now);
  whole->trade_index = index;
  return whole;
}

}  // namespace halocline
