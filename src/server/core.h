// The core: the Port that gateways talk to, and behind it the pipeline of three threads over one engine and one journal.
//
//   Core core(options, clock, engine, journal, recovery);   // the engine has replayed the journal
//   core.start();
//   gateway->start(core);
//   …
//   gateway->stop_accepting();
//   Status status = core.stop();   // drains: finishes what was taken, syncs, seals; or says why the journal failed
//   gateway->stop();
//
// Threads: the Port's methods on any thread, start() and stop() on the owner's. Nothing that comes out was
// caused by a record that is not durable. Everything is bounded: see CoreOptions.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "command/port.h"
#include "engine/queries/syntax_memo.h"
#include "journal/journal.h"
#include "server/archiver.h"
#include "server/checkpoints.h"
#include "server/engine_stage.h"
#include "server/feeds.h"
#include "server/first_answers.h"
#include "server/live_effects.h"
#include "server/pipeline.h"
#include "server/publisher.h"
#include "server/record_source.h"
#include "server/reader_pool.h"
#include "server/reruns.h"
#include "server/rewinds.h"
#include "server/sequencer.h"
#include "server/watches.h"

namespace halocline {

struct CoreOptions {
  std::size_t queue_length = 4'096;                 // submissions and reads that wait for the sequencer
  std::uint64_t in_flight_bytes = 8u << 20;         // … and their bytes
  std::size_t max_reads = 64;                       // reads under way; more are refused with kResourceExhausted
  std::size_t max_subscribers = 256;
  std::size_t subscriber_queue = 4'096;             // what a gateway keeps for a follower; a backlog comes in pieces of half of it
  std::size_t reader_threads = 2;
  std::size_t rows_at_once = 4'096;                 // read between two blocks to begin subscriptions; the others begin aside
  std::string version = "0.1.0";                    // for status, as are the next two
  std::string durability = "fsync";
  std::string data_directory;
  std::function<void(const Status&)> on_failure;    // the journal or a checkpoint failed: stop the process. Any thread
  RecordSource records;                             // reads records back; none: nothing is kept
  JournalFiles journal;                             // reads all of them again; none as well
  RewindOptions rewind;                             // what the past may cost
  CheckpointOptions checkpoint;                     // when one is taken; only with a journal
  ArchiveOptions archive;                           // where old segments go; only with checkpoints
  std::optional<LiveEffects::Bounds> followed;      // somebody follows the journal and asks for effects(), of which so much is kept
};

// What the start found, for status and for the clock.
struct CoreStart {
  Nanos last_time = 0;             // of the last block in the journal
  std::int64_t recovery_time = 0;  // ns
  std::uint64_t recovered_records = 0;
  Seq checkpoint_seq = 0;          // of the newest checkpoint that can be used
};

class Core final : public Port {
 public:
  // `engine` has applied everything before journal.next_seq(). All references outlive the core.
  Core(CoreOptions options, Clock& clock, Engine& engine, Journal& journal, const CoreStart& start);
  ~Core() override;

  void start();
  // Before start(): whether the engine began with the books that the checkpoint says is found out beside the running engine; when not,
  // that is a failure of the journal (CoreOptions::on_failure).
  void verify(LoadedCheckpoint loaded);
  // Whether a checkpoint of that seq is wanted, and books that others took through the journal, for it (checkpoints.h). Any thread.
  bool wants_checkpoint(Seq books) const { return checkpoints_ != nullptr && checkpoints_->wants_offer(books); }
  void offer_checkpoint(Snapshot books, std::string digest) { checkpoints_->offer(std::move(books), std::move(digest)); }
  // For who follows the journal behind the engine: up to here it is durable and applied. Any thread.
  Seq settled_seq() const { return std::min(p_.durable_seq.load(), p_.applied_seq.load()); }
  // … what its commands came to; nullptr when nobody was to follow.
  LiveEffects* effects() { return effects_.get(); }
  // … and the books behind one of the next blocks, when it is durable, without their index of trades. It waits: not for the threads of the
  // pipeline. kUnavailable, kResourceExhausted: the core is stopping, or the journal has failed.
  Result<Snapshot> followed_books();
  // … and those of the end, after stop().
  Snapshot last_books() { return engine_stage_.last_books(); }
  // Takes nothing more, finishes what was taken, seals the journal, ends all followers, joins the threads. The journal's
  // failure if there was one. May be called twice.
  Status stop();

  Status submit(Submission submission) override;
  void positions(AsOf as_of, PositionFilter filter, Reply<std::vector<PositionRow>> reply) override;
  void nodes(AsOf as_of, NodeFilter filter, Reply<std::vector<NodeRow>> reply) override;
  void limits(AsOf as_of, Reply<std::vector<LimitRow>> reply) override;
  void alerts(AsOf as_of, AlertFilter filter, Reply<std::vector<AlertRow>> reply) override;
  void reference(AsOf as_of, Reply<ReferenceRows> reply) override;
  void trade(AsOf as_of, std::string source, std::string trade_id, Reply<std::vector<TradeRow>> reply) override;
  void status(bool with_digest, Reply<StatusReport> reply) override;
  void query(AsOf as_of, std::string sql, QueryParameters parameters, Reply<QueryRows> reply) override;
  void fix_ledger(Reply<FixLedger> reply) override;
  void fix_sent(std::string session, std::uint32_t from, std::uint32_t to, std::size_t most, Reply<std::vector<FixSentRow>> reply) override;
  void set_courier(Courier* courier) override;
  void set_fix_desk(FixDesk* desk) override;
  Result<std::vector<FixSessionRow>> fix_sessions() override;
  void fix_reset(const std::string& session, std::function<void(const Status&)> done) override;
  void follow_alerts(std::uint64_t bookmark, bool from_now, std::shared_ptr<AlertSubscriber> subscriber) override;
  void unfollow(const AlertSubscriber* subscriber) override;
  void watch(WatchRequest request, std::shared_ptr<QuerySubscriber> subscriber) override;
  void unwatch(const QuerySubscriber* subscriber) override;
  void count(const char* counter, std::uint64_t add) override { p_.metrics.named.add(counter, add); }

  // What can be said without the books, without waiting. Any thread.
  StatusReport report() const;

 private:
  void named_query(const Command& command, const std::string& name, Reply<QueryRows> reply);
  StatusReport status_at(const StateCounts& counts) const;
  // Takes a place among the reads; whoever answers gives it back. kResourceExhausted: there is none.
  Status begin_read();
  // view(const State&, Nanos now) gives the rows.
  template <class T, class View>
  void read(AsOf as_of, Reply<T> reply, View view);
  Status refusal() const;
  // What `make` makes of the text's syntax, at less cost for a text whose pattern came before.
  template <class Make>
  auto from_syntax(const std::string& sql, Make make) -> decltype(make(queries::Statement{}));
  Watches::Options watch_options(Seq serving_since);
  std::unique_ptr<Archiver> make_archiver();
  std::unique_ptr<Checkpoints> make_checkpoints();

  const CoreOptions options_;
  const CoreStart start_;
  const std::int64_t born_;
  Pipeline p_;
  Journal& journal_;
  std::shared_ptr<ReaderPool> readers_;
  Feeds feeds_;
  Watches watches_;
  Reruns reruns_;
  Rewinds rewinds_;
  std::unique_ptr<Archiver> archiver_;
  std::unique_ptr<Checkpoints> checkpoints_;
  FirstAnswers first_answers_;
  std::unique_ptr<LiveEffects> effects_;
  EngineStage engine_stage_;
  Publisher publisher_;
  Sequencer sequencer_;
  std::atomic<std::size_t> reads_{0};
  std::atomic<bool> draining_{false};
  std::mutex syntax_mutex_;
  queries::SyntaxMemo syntax_;
  std::mutex fix_mutex_;
  FixDesk* fix_desk_ = nullptr;
  std::thread sequencer_thread_, engine_thread_, publisher_thread_;
  bool stopped_ = false;
};

}  // namespace halocline
