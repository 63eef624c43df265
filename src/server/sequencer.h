// The first thread of the pipeline: gives submissions their seq and time, forms blocks of all that wait, hands each to
// the engine, and makes it durable meanwhile. What arrives during a sync gathers into the next block (group commit); on a busy machine
// what arrives in a pause after it as well (commit_pace.h).
//
// A small block with nothing else under way it takes through the other stages itself, for waking them takes longer than their work.
//
// It also journals a Timer when the engine's deadline is due and nothing else was sequenced. With nothing to do and no
// deadline it sleeps without an end.
#pragma once

#include <functional>
#include <thread>

#include "journal/journal.h"
#include "server/commit_pace.h"
#include "server/engine_stage.h"
#include "server/pipeline.h"
#include "server/publisher.h"

namespace halocline {

class Sequencer {
 public:
  // `last_time`: of the last block in the journal; no block gets an earlier time. `on_failure` is told once, on this
  // thread, when the journal failed. All outlive run().
  Sequencer(Pipeline& pipeline, Journal& journal, EngineStage& engine, Publisher& publisher, Nanos last_time,
            std::function<void(const Status&)> on_failure)
      : p_(pipeline), journal_(journal), engine_(engine), publisher_(publisher), last_seq_(journal.next_seq() - 1), last_time_(last_time),
        pace_(std::thread::hardware_concurrency()), on_failure_(std::move(on_failure)) {}

  // Until the queue is closed and empty, and the journal sealed; or until the journal fails.
  void run();

 private:
  bool timer_due() const;
  void wait_for_work();
  void keep_pace() const;
  Block& take_block();
  void gather(Block& block);
  void add_timer(Block& block);
  bool is_alone(const Block& block);
  Status sequence(Block& block);
  void fail(const Status& why);

  Pipeline& p_;
  Journal& journal_;
  EngineStage& engine_;
  Publisher& publisher_;
  Seq last_seq_;
  Nanos last_time_;
  CommitPace pace_;
  const std::function<void(const Status&)> on_failure_;
};

}  // namespace halocline
