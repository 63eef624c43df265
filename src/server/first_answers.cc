#include "server/first_answers.h"

#include <algorithm>
#include <utility>

#include "base/background_thread.h"
#include "base/log.h"
#include "engine/engine.h"

namespace halocline {
namespace {

constexpr int kNiceness = 10;
constexpr std::size_t kMostPrepared = 1'024;  // queries at a time: the engine takes them over at once
// What the engine's own thread looks at to take over: so many changed rows, and rows times queries, both for each round there was, since
// they do not become fewer for ever; of rows never more than the most.
constexpr std::size_t kFewLooks = 8'192;
constexpr std::size_t kFewRows = 512;
constexpr std::size_t kMostRows = 4'096;
// Rounds.
constexpr int kMostRounds = 32;
// Where so many answers come from one reading of the books more are on their way: they are waited for as long as some readings take.
constexpr std::size_t kVeryMany = 64;
constexpr int kGatherFor = 3;
constexpr std::chrono::milliseconds kLongestGathering{50};

}  // namespace

void FirstAnswers::attend(Block& block, Engine& engine) {
  std::erase_if(block.watches, [this](const std::shared_ptr<Watch>& watch) {
    if (watch->begun != Watch::Begun::kPutOff) return false;
    put_off_[watch->query].push_back(watch);
    return true;
  });
  for (const std::shared_ptr<AsideRound>& round : block.rounds) {
    if (round->preparation != nullptr) {
      take_over(*round, block, engine);
    } else {
      reading_ = false;
    }
  }
  for (const std::shared_ptr<Watch>& watch : block.watches) {
    if (watch->begun == Watch::Begun::kReadAside) to_read_.push_back(watch);
  }
  if (!preparing_) begin_preparing(engine);
  if (!reading_ && !to_read_.empty()) begin_reading(block);
}

// What is prepared up to the block's end, or on to the next round.
void FirstAnswers::take_over(AsideRound& round, Block& block, Engine& engine) {
  queries::LiveQueries& live = engine.queries();
  queries::Preparation& preparation = *round.preparation;
  queries::NotedChanges changed = live.take_noted();
  const auto number = static_cast<std::size_t>(round.number);
  const bool few = !changed.everything() && changed.size() <= std::min(kMostRows, kFewRows * number) &&
                   changed.size() * preparation.size() <= kFewLooks * number;
  if (!few && round.number < kMostRounds) {
    auto next = std::make_shared<AsideRound>();
    next->preparation = std::move(round.preparation);
    next->changed = std::move(changed);
    next->number = round.number + 1;
    next->books = engine.snapshot();
    live.note_for(*next->preparation);
    post([this, next = std::move(next)] {
      next->preparation->catch_up(*next->books, std::move(next->changed));
      next->books.reset();
      come_back_(next);
    });
    return;
  }
  if (few) {
    preparation.catch_up(*engine.snapshot(), std::move(changed));
  } else {
    preparation.give_up(Status(Code::kResourceExhausted, "the books change faster than the answer of the query can be worked out; "
                                                         "subscribe again when less comes in, or to fewer queries at a time"));
  }
  for (const auto& [id, status] : live.adopt(preparation)) {
    const auto at = put_off_.find(id);
    if (at == put_off_.end()) continue;  // a query with a name that nobody watches
    for (std::shared_ptr<Watch>& watch : at->second) {
      watches_.begin_prepared(*watch, status, engine);
      block.watches.push_back(std::move(watch));
    }
    put_off_.erase(at);
  }
  discard(std::move(round.preparation));
  preparing_ = false;
}

void FirstAnswers::begin_preparing(Engine& engine) {
  queries::LiveQueries& live = engine.queries();
  std::vector<queries::LiveQueries::PutOff> queries = live.take_put_off(kMostPrepared);
  if (queries.empty()) return;
  preparing_ = true;
  auto round = std::make_shared<AsideRound>();
  round->preparation = std::make_unique<queries::Preparation>(std::move(queries));
  round->books = engine.snapshot();
  live.note_for(*round->preparation);
  post([this, round = std::move(round)] {
    round->preparation->catch_up(*round->books, queries::NotedChanges());
    round->books.reset();
    come_back_(round);
  });
}

// As a read, so from books that are durable.
void FirstAnswers::begin_reading(Block& block) {
  reading_ = true;
  auto round = std::make_shared<AsideRound>();
  round->answers = std::exchange(to_read_, {});
  block.reads.push_back([this, round = std::move(round)](const Result<Snapshot>& books) {
    if (!books.ok()) return;  // the journal failed: all subscriptions end
    round->books = books.value();
    post([this, round] {
      const auto begun = std::chrono::steady_clock::now();
      const std::size_t answers = round->answers.size();
      read_answers(*round);
      round->books.reset();
      gather(answers, std::chrono::steady_clock::now() - begun);
      come_back_(round);
    });
  });
}

void FirstAnswers::read_answers(AsideRound& round) {
  std::erase_if(round.answers, [](const std::shared_ptr<Watch>& watch) { return watch->gone.load(); });
  std::vector<std::shared_ptr<const queries::Plan>> plans;
  for (const std::shared_ptr<Watch>& watch : round.answers) plans.push_back(watch->plan);
  Changes unchanged;
  queries::LiveQueries live(*round.books, unchanged);
  const std::vector<Result<queries::LiveQueries::Id>> added = live.add(plans);
  for (std::size_t i = 0; i < added.size(); ++i) {
    const std::shared_ptr<Watch>& watch = round.answers[i];
    if (!added[i].ok()) {
      watches_.end(*watch, added[i].status());
      continue;
    }
    watch->start.rows = live.rows(added[i].value());
    watch->start.seq = watch->position = round.books->seq;
    watch->start.time = round.books->time;
    watches_.go_on(watch);
  }
}

void FirstAnswers::gather(std::size_t answers, std::chrono::steady_clock::duration took) {
  if (answers < kVeryMany) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::min<std::chrono::steady_clock::duration>(kGatherFor * took, kLongestGathering),
                    [this] { return !tasks_.empty() || stopping_; });
}

void FirstAnswers::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  changed_.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

void FirstAnswers::discard(std::shared_ptr<void> unwanted) {
  post([unwanted = std::move(unwanted)]() mutable { unwanted.reset(); });
}

void FirstAnswers::work() {
  work_in_background("first-answers", kNiceness);
  while (true) {
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !tasks_.empty() || stopping_; });
      if (stopping_) return;
      tasks.swap(tasks_);
    }
    for (std::function<void()>& task : tasks) std::exchange(task, {})();
  }
}

void FirstAnswers::stop() {
  std::vector<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(tasks_);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace halocline
