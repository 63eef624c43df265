#include "engine/queries/preparation.h"

#include <algorithm>
#include <utility>

namespace halocline::queries {

Preparation::Preparation(std::vector<LiveQueries::PutOff> queries) : live_(books_, changes_) {
  for (LiveQueries::PutOff& query : queries) queries_.push_back({std::move(query)});
}

NotedChanges Preparation::nothing_noted() const {
  const auto reads = [this](Source source) {
    return std::any_of(queries_.begin(), queries_.end(), [&](const One& one) {
      const auto& tables = one.query.plan->tables;
      return std::any_of(tables.begin(), tables.end(), [&](const Table* table) { return table->source == source; });
    });
  };
  return NotedChanges(reads(Source::kTrades), reads(Source::kPositions), reads(Source::kNodes));
}

void Preparation::read() {
  std::vector<std::shared_ptr<const Plan>> plans;
  for (const One& one : queries_) plans.push_back(one.query.plan);
  const std::vector<Result<LiveQueries::Id>> added = live_.add(plans);
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    added[i].ok() ? void(queries_[i].aside = added[i].value()) : void(queries_[i].status = added[i].status());
  }
}

void Preparation::catch_up(const State& books, NotedChanges changed) {
  if (!std::exchange(begun_, true)) {
    books_ = books;
    return read();
  }
  const State before = std::exchange(books_, books);
  changes_.replace(changed.take());
  for (Changes::ChangedTrade& one : changes_.trades) {
    if (one.trade >= before.trades.size()) continue;
    one.before = static_cast<std::uint32_t>(changes_.trades_before.size());
    changes_.trades_before.push_back(before.trades[one.trade]);
  }
  if (changes_.reshaped) changes_.before = std::make_shared<const State>(before);
  live_.pass_time();
  live_.settle();
  changes_.clear();
  for (const LiveEvents& told : live_.take()) {
    if (told.failure == nullptr) continue;
    std::find_if(queries_.begin(), queries_.end(), [&](const One& one) { return one.aside == told.query; })->status = *told.failure;
  }
}

void Preparation::give_up(const Status& why) {
  for (One& one : queries_) one.status = why;
}

}  // namespace halocline::queries
