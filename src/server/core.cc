#include "server/core.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "command/codec.h"
#include "engine/queries/run.h"
#include "engine/views.h"

namespace halocline {
namespace {

std::thread named_thread(const char* name, std::function<void()> run) {
  return std::thread([name, run = std::move(run)] {
    pthread_setname_np(pthread_self(), name);
    run();
  });
}

// Keeps what became of one command.
class KeptOutcome final : public AckSink {
 public:
  void acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) override { ack = acks[0]; }
  void abandoned(std::uint64_t, const Status& why) override { abandoned_for = why; }

  Acknowledgement ack;
  Status abandoned_for;
};

Status refused_query(Outcome outcome, const std::string& name) {
  const std::string named = "the query \"" + name + "\"";
  switch (outcome) {
    case Outcome::kNoFirm: return Status(Code::kFailedPrecondition, "there is no firm yet: load reference data first");
    case Outcome::kNameTaken: return Status(Code::kAlreadyExists, named + " exists with another text: drop it first");
    case Outcome::kUnknownQuery: return Status(Code::kNotFound, named + " is not known (SHOW QUERIES lists those there are)");
    case Outcome::kTooMany:
      return Status(Code::kResourceExhausted, named + " would be beyond a bound: of rows, of memory or of queries (docs/queries.md)");
    default: return Status(Code::kInvalidArgument, named + " is refused: " + std::string(outcome_name(outcome)));
  }
}

// What a subscriber that catches up is given at a time.
std::size_t piece_of(const CoreOptions& options) { return std::max<std::size_t>(options.subscriber_queue / 2, 1); }

Status no_fix() { return Status(Code::kNotFound, "this server has no FIX sessions: set fix.listen and [[fix.session]] (docs/fix.md)"); }

}  // namespace

Core::Core(CoreOptions options, Clock& clock, Engine& engine, Journal& journal, const CoreStart& start)
    : options_(std::move(options)), start_(start), born_(clock.monotonic()),
      p_(clock, options_.queue_length, options_.in_flight_bytes), journal_(journal),
      readers_(std::make_shared<ReaderPool>(options_.reader_threads, options_.max_reads + 2 * options_.max_subscribers + 1)),
      feeds_(options_.max_subscribers, piece_of(options_), readers_, p_.metrics.named,
             [this](std::shared_ptr<Feed> feed) {
               Inbound inbound;
               inbound.follow = std::move(feed);
               p_.inbound.push(inbound, 0);  // refused only when stopping: then all followers end anyway
             }),
      watches_(watch_options(engine.last_seq()), p_.metrics.named),
      reruns_(options_.journal, options_.checkpoint.directory, piece_of(options_), [this] { return p_.durable_seq.load(); }, watches_),
      rewinds_(options_.rewind, options_.journal, options_.checkpoint.directory, p_.metrics.named),
      archiver_(make_archiver()), checkpoints_(make_checkpoints()),
      first_answers_(watches_,
                     [this](std::shared_ptr<AsideRound> round) {
                       Inbound inbound;
                       inbound.round = std::move(round);
                       p_.inbound.push(inbound, 0);  // refused only when stopping: then all subscriptions end anyway
                     }),
      effects_(options_.followed ? std::make_unique<LiveEffects>(engine.last_seq(), *options_.followed) : nullptr),
      engine_stage_(p_, engine, watches_, first_answers_, options_.rows_at_once, checkpoints_.get(), effects_.get()),
      publisher_(p_, feeds_, watches_, *readers_),
      sequencer_(p_, journal, engine_stage_, publisher_, std::max(start.last_time, engine.last_time()),
                 options_.on_failure ? options_.on_failure : [](const Status&) {}) {
  CHECK(journal.next_seq() == engine.last_seq() + 1, "the journal goes on at seq %llu, the engine has applied %llu",
        static_cast<unsigned long long>(journal.next_seq()), static_cast<unsigned long long>(engine.last_seq()));
  p_.durable_seq.store(engine.last_seq());
}

Watches::Options Core::watch_options(Seq serving_since) {
  Watches::Options options;
  options.piece = piece_of(options_);
  options.serving_since = serving_since;
  options.ring = [this] { p_.publisher_bell.ring(); };
  if (options_.journal.kept()) options.rerun = [this](std::shared_ptr<Watch> watch) { reruns_.add(std::move(watch)); };
  return options;
}

std::unique_ptr<Archiver> Core::make_archiver() {
  const ArchivedDisk* const disk = options_.archive.disk;
  if (disk == nullptr || disk->archive() == nullptr || options_.checkpoint.directory.empty()) return nullptr;
  return std::make_unique<Archiver>(options_.archive, p_.clock, p_.metrics.named);
}

std::unique_ptr<Checkpoints> Core::make_checkpoints() {
  if (options_.checkpoint.directory.empty() || !options_.journal.kept()) return nullptr;
  CheckpointOptions options = options_.checkpoint;
  if (archiver_ != nullptr) options.on_taken = [this] { archiver_->wake(); };
  const auto durable = [this] { return p_.durable_seq.load(); };
  return std::make_unique<Checkpoints>(*options_.journal.disk, std::move(options), options_.journal, start_.checkpoint_seq, durable,
                                       p_.metrics.named, options_.on_failure ? options_.on_failure : [](const Status&) {});
}

void Core::verify(LoadedCheckpoint loaded) {
  CHECK(checkpoints_ != nullptr, "a checkpoint without a place for them");
  checkpoints_->verify(std::move(loaded));
}

Result<Snapshot> Core::followed_books() {
  const auto answer = std::make_shared<std::promise<Result<Snapshot>>>();
  Inbound inbound;
  inbound.wish = std::make_shared<BooksWish>();
  inbound.wish->answer = [answer](const Result<Snapshot>& books) { answer->set_value(books); };
  if (!p_.inbound.push(inbound, 0)) return refusal();
  return answer->get_future().get();
}

Core::~Core() { static_cast<void>(stop()); }

void Core::start() {
  p_.clock.attach(&p_.sequencer_bell);
  sequencer_thread_ = named_thread("sequencer", [this] { sequencer_.run(); });
  engine_thread_ = named_thread("engine", [this] { engine_stage_.run(); });
  publisher_thread_ = named_thread("publisher", [this] { publisher_.run(); });
  if (archiver_ != nullptr) archiver_->start();
}

Status Core::stop() {
  if (!stopped_) {
    stopped_ = true;
    draining_.store(true);
    p_.inbound.close();
    for (std::thread* thread : {&sequencer_thread_, &engine_thread_, &publisher_thread_}) {
      if (thread->joinable()) thread->join();
    }
    p_.clock.attach(nullptr);
    readers_->stop();
    first_answers_.stop();
    reruns_.stop();
    rewinds_.stop();
    if (checkpoints_ != nullptr) checkpoints_->stop();
    if (archiver_ != nullptr) archiver_->stop();
    feeds_.end_all(refusal());
    watches_.end_all(refusal());
  }
  return p_.failed.load() ? p_.failure : ok_status();
}

Status Core::refusal() const {
  return p_.failed.load() ? p_.failure : Status(Code::kUnavailable, "the server is shutting down; reconnect later");
}

Status Core::submit(Submission submission) {
  const std::size_t bytes = submission.records.size();
  CHECK(submission.count >= 1 && bytes <= limits::kMaxSubmissionBytes, "a submission of %u commands and %zu bytes", submission.count,
        bytes);
  const std::optional<std::uint32_t> framed = count_records(submission.records);
  CHECK(framed == submission.count, "a submission of %u commands holds %u", submission.count, framed.value_or(0));
  Inbound inbound;
  inbound.submission = std::move(submission);
  return p_.inbound.push(inbound, bytes) ? ok_status() : refusal();
}

Status Core::begin_read() {
  if (reads_.fetch_add(1) < options_.max_reads) return ok_status();
  reads_.fetch_sub(1);
  p_.metrics.named.add("reads_refused", 1);
  return Status(Code::kResourceExhausted, "more than " + std::to_string(options_.max_reads) +
                                              " reads are under way (limits.reads); try again");
}

template <class T, class View>
void Core::read(AsOf as_of, Reply<T> reply, View view) {
  const Result<Instant> wanted = instant_of(as_of, p_.clock.wall());
  if (!wanted.ok()) return reply(wanted.status());
  if (const Status begun = begin_read(); !begun.ok()) return reply(begun);
  auto answer = [this, reply = std::move(reply), view = std::move(view)](const Result<BooksThen>& found) {
    if (!found.ok()) {
      reads_.fetch_sub(1);
      return reply(found.status());
    }
    const State& state = *found.value().books;
    Result<T> rows = view(state, found.value().now);
    reads_.fetch_sub(1);
    if (!rows.ok()) return reply(rows.status());
    reply(At<T>{views::seq_of(state), views::time_of(state), rows.take()});
  };
  Inbound inbound;
  inbound.read = [this, instant = wanted.value(), answer = std::move(answer)](const Result<Snapshot>& books) {
    if (!books.ok()) return answer(books.status());
    rewinds_.find(instant, books.value(), answer);
  };
  if (!p_.inbound.push(inbound, 0)) inbound.read(refusal());
}

void Core::positions(AsOf as_of, PositionFilter filter, Reply<std::vector<PositionRow>> reply) {
  read(std::move(as_of), std::move(reply),
       [filter = std::move(filter)](const State& books, Nanos) { return views::positions(books, filter); });
}

void Core::nodes(AsOf as_of, NodeFilter filter, Reply<std::vector<NodeRow>> reply) {
  read(std::move(as_of), std::move(reply), [filter = std::move(filter)](const State& books, Nanos) { return views::nodes(books, filter); });
}

void Core::limits(AsOf as_of, Reply<std::vector<LimitRow>> reply) {
  read(std::move(as_of), std::move(reply), [](const State& books, Nanos) { return views::limits(books); });
}

void Core::alerts(AsOf as_of, AlertFilter filter, Reply<std::vector<AlertRow>> reply) {
  read(std::move(as_of), std::move(reply),
       [filter = std::move(filter)](const State& books, Nanos) { return views::alerts(books, filter); });
}

void Core::reference(AsOf as_of, Reply<ReferenceRows> reply) {
  read(std::move(as_of), std::move(reply), [](const State& books, Nanos) { return views::reference(books); });
}

void Core::trade(AsOf as_of, std::string source, std::string trade_id, Reply<std::vector<TradeRow>> reply) {
  read(std::move(as_of), std::move(reply), [source = std::move(source), trade_id = std::move(trade_id)](const State& books, Nanos) {
    std::vector<TradeRow> rows;
    if (auto row = views::trade(books, source, trade_id)) rows.push_back(std::move(*row));
    return rows;
  });
}

StatusReport Core::status_at(const StateCounts& counts) const {
  StatusReport status = report();
  status.trades = counts.trades, status.live_trades = counts.live_trades;
  status.nodes = counts.nodes, status.instruments = counts.instruments;
  status.limits = counts.limits, status.active_alerts = counts.active_alerts;
  status.last_seq = counts.seq, status.last_time = counts.time;
  status.last_event_id = counts.last_event_id;
  return status;
}

void Core::status(bool with_digest, Reply<StatusReport> reply) {
  if (with_digest) {
    return read({}, std::move(reply), [this](const State& books, Nanos) {
      StatusReport status = status_at(views::counts(books));
      status.state_digest = views::state_digest(books);
      return status;
    });
  }
  // Asked for all the time, so it is not to cost the engine a snapshot.
  if (const Status begun = begin_read(); !begun.ok()) return reply(begun);
  Inbound inbound;
  inbound.counts = [this, reply = std::move(reply)](const Result<StateCounts>& counts) {
    reads_.fetch_sub(1);
    if (!counts.ok()) return reply(counts.status());
    reply(At<StatusReport>{counts.value().seq, counts.value().time, status_at(counts.value())});
  };
  if (!p_.inbound.push(inbound, 0)) inbound.counts(refusal());
}

template <class Make>
auto Core::from_syntax(const std::string& sql, Make make) -> decltype(make(queries::Statement{})) {
  std::unique_lock lock(syntax_mutex_);
  const std::optional<queries::Statement> known = syntax_.find(sql);
  lock.unlock();
  if (known) {
    if (auto made = make(*known); made.ok()) return made;
  }
  const Result<queries::Statement> parsed = queries::parse_query(sql);
  if (!parsed.ok()) return parsed.status();
  lock.lock();
  syntax_.note(sql, parsed.value());
  lock.unlock();
  return make(parsed.value());
}

void Core::query(AsOf as_of, std::string sql, QueryParameters parameters, Reply<QueryRows> reply) {
  // Names and types do not depend on the books: what is wrong with the text is said at once, and takes no place among the reads.
  Result<queries::Request> request = from_syntax(sql, [&](const queries::Statement& statement) {
    return queries::request_of(sql, statement, parameters);
  });
  if (!request.ok()) return reply(request.status());
  if (auto* plan = std::get_if<queries::Plan>(&request.value())) {
    const AsOf& said = plan->as_of;
    const bool known_twice = !said.known_now() && !as_of.known_now();
    if (known_twice || (!said.effective_now() && !as_of.effective_now())) {
      const std::string what = known_twice ? "AS OF" : "EFFECTIVE AT";
      return reply(Status(Code::kInvalidArgument, "the statement says " + what + ", and the request another instant: give one of them"));
    }
    if (as_of.known_now()) as_of.seq = said.seq, as_of.time = said.time, as_of.text = said.text;
    if (as_of.effective_now()) as_of.effective_time = said.effective_time, as_of.effective_text = said.effective_text;
    return read(std::move(as_of), std::move(reply),
                [plan = std::make_shared<const queries::Plan>(std::move(*plan))](const State& books, Nanos now) {
                  return queries::run(*plan, books, now);
                });
  }
  if (!as_of.is_now()) return reply(Status(Code::kInvalidArgument, "CREATE and DROP change the present, and cannot be asked of the past"));
  if (const auto* create = std::get_if<queries::CreateRequest>(&request.value())) {
    return named_query(QueryCreate{create->name, create->severity, create->sql}, create->name, std::move(reply));
  }
  const auto& drop = std::get<queries::DropRequest>(request.value());
  named_query(QueryDrop{drop.name, drop.alert}, drop.name, std::move(reply));
}

// The answer is read behind the command, so the command's outcome is known by then.
void Core::named_query(const Command& command, const std::string& name, Reply<QueryRows> reply) {
  auto kept = std::make_shared<KeptOutcome>();
  Submission submission;
  append_record(command, submission.records);
  submission.count = 1;
  submission.sink = kept;
  submission.received = p_.clock.monotonic();
  if (const Status submitted = submit(std::move(submission)); !submitted.ok()) return reply(submitted);
  read({}, std::move(reply), [kept, name](const State&, Nanos) -> Result<QueryRows> {
    if (!kept->abandoned_for.ok()) return kept->abandoned_for;
    if (is_refused(kept->ack.outcome)) return refused_query(kept->ack.outcome, name);
    QueryRows rows{{{"outcome", ValueType::kText}, {"name", ValueType::kText}, {"seq", ValueType::kInt}}, {std::string()}};
    pack(Value::of_text(outcome_name(kept->ack.outcome)), ValueType::kText, rows.rows[0]);
    pack(Value::of_text(name), ValueType::kText, rows.rows[0]);
    pack(Value::of(kept->ack.seq), ValueType::kInt, rows.rows[0]);
    return rows;
  });
}

void Core::fix_ledger(Reply<FixLedger> reply) {
  read({}, std::move(reply), [this](const State& books, Nanos) -> Result<FixLedger> {
    FixLedger ledger = views::fix_ledger(books);
    if (!options_.records) return ledger;
    for (FixLedgerRow& session : ledger.sessions) {
      for (FixUnanswered& unanswered : session.unanswered) {
        Result<std::vector<std::byte>> records = options_.records(unanswered.seq, unanswered.commands + 1u);
        if (!records.ok()) return records.status();
        unanswered.records = records.take();
      }
    }
    return ledger;
  });
}

void Core::fix_sent(std::string session, std::uint32_t from, std::uint32_t to, std::size_t most, Reply<std::vector<FixSentRow>> reply) {
  read({}, std::move(reply), [=, this, session = std::move(session)](const State& books, Nanos) -> Result<std::vector<FixSentRow>> {
    std::vector<FixSentRow> rows;
    if (!options_.records) return rows;
    for (const views::SentAt& sent : views::fix_sent(books, session, from, to, most)) {
      const Result<std::vector<std::byte>> record = options_.records(sent.seq, 1);
      if (!record.ok()) return record.status();
      const FramedCommand sent_then = first_command(record.value());
      rows.push_back({sent.number, std::string(std::get<FixSent>(sent_then.command).message)});
    }
    return rows;
  });
}

void Core::set_courier(Courier* courier) { publisher_.set_courier(courier); }

void Core::set_fix_desk(FixDesk* desk) {
  std::lock_guard lock(fix_mutex_);
  fix_desk_ = desk;
}

Result<std::vector<FixSessionRow>> Core::fix_sessions() {
  std::lock_guard lock(fix_mutex_);
  if (fix_desk_ == nullptr) return no_fix();
  return fix_desk_->sessions();
}

void Core::fix_reset(const std::string& session, std::function<void(const Status&)> done) {
  std::lock_guard lock(fix_mutex_);
  if (fix_desk_ == nullptr) return done(no_fix());
  fix_desk_->reset(session, std::move(done));
}

void Core::follow_alerts(std::uint64_t bookmark, bool from_now, std::shared_ptr<AlertSubscriber> subscriber) {
  Inbound inbound;
  inbound.follow = feeds_.add(bookmark, from_now, subscriber);
  if (inbound.follow == nullptr) {
    p_.metrics.named.add("subscribers_refused", 1);
    return subscriber->ended(Status(Code::kResourceExhausted, "there are already " + std::to_string(options_.max_subscribers) +
                                                                  " subscribers (limits.subscribers)"));
  }
  if (p_.inbound.push(inbound, 0)) return;
  // Stopping: whoever takes it out of the registry, this or stop(), ends it.
  if (inbound.follow->gone.exchange(true)) return;
  feeds_.remove(subscriber.get());
  subscriber->ended(refusal());
}

void Core::watch(WatchRequest request, std::shared_ptr<QuerySubscriber> subscriber) {
  std::shared_ptr<const queries::Plan> plan;
  if (request.name.empty()) {
    Result<queries::Plan> prepared = from_syntax(request.sql, [&](const queries::Statement& statement) {
      return queries::plan_of(request.sql, statement, request.parameters);
    });
    if (!prepared.ok()) return subscriber->ended(prepared.status());
    if (!prepared.value().unwatchable.empty()) return subscriber->ended(Status(Code::kInvalidArgument, prepared.value().unwatchable));
    plan = std::make_shared<const queries::Plan>(prepared.take());
  } else if (!request.sql.empty() || !request.parameters.empty()) {
    return subscriber->ended(Status(Code::kInvalidArgument, "a query with a name has its text and no parameters: give the name alone"));
  }
  Inbound inbound;
  inbound.watch = watches_.add(std::move(request.name), std::move(plan), request.after, subscriber);
  if (inbound.watch == nullptr) {
    p_.metrics.named.add("subscribers_refused", 1);
    return subscriber->ended(Status(Code::kResourceExhausted, "there are already " + std::to_string(limits::kMaxLiveQueries) +
                                                                  " subscriptions to queries"));
  }
  if (p_.inbound.push(inbound, 0)) return;
  // Stopping: whoever takes it out of the registry, this or stop(), ends it.
  if (inbound.watch->gone.exchange(true)) return;
  watches_.remove(subscriber.get());
  subscriber->ended(refusal());
}

void Core::unwatch(const QuerySubscriber* subscriber) {
  watches_.remove(subscriber);
  p_.publisher_bell.ring();
  reruns_.one_is_gone();
}

void Core::unfollow(const AlertSubscriber* subscriber) {
  feeds_.remove(subscriber);
  p_.publisher_bell.ring();
}

StatusReport Core::report() const {
  StatusReport status;
  status.version = options_.version;
  status.durability = options_.durability;
  status.data_directory = options_.data_directory;
  status.state = draining_.load() || p_.failed.load() ? "draining" : "serving";
  status.uptime = p_.clock.monotonic() - born_;
  status.last_seq = p_.applied_seq.load();
  status.durable_seq = p_.durable_seq.load();
  status.last_time = p_.applied_time.load();
  status.last_event_id = p_.last_event_id.load();
  status.subscribers = feeds_.size() + watches_.size();
  const JournalStats journal = journal_.stats();
  status.journal_bytes = journal.bytes, status.journal_segments = journal.segments;
  status.journal_blocks = journal.blocks, status.journal_syncs = journal.syncs;
  status.memory_bytes = resident_bytes();
  status.recovery_time = start_.recovery_time;
  status.recovered_records = start_.recovered_records;
  status.latencies = p_.metrics.latencies();
  status.queues = {{"inbound", p_.inbound.depth(), p_.inbound.capacity(), p_.inbound.highest()},
                   {"inbound_bytes", p_.inbound.weight(), options_.in_flight_bytes, 0},
                   {"engine", p_.to_engine.depth(), kBlocks, p_.to_engine.highest()},
                   {"publisher", p_.to_publisher.depth(), kBlocks, p_.to_publisher.highest()},
                   {"readers", readers_->depth(), readers_->capacity(), readers_->highest()}};
  status.counters = p_.metrics.counters();
  return status;
}

}  // namespace halocline
