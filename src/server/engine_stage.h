// The second thread of the pipeline, and the only one that touches the engine but for help(): applies each block, collects its
// acknowledgements and alert events, and takes the snapshot its readers share. It may run ahead of the disk: what comes out is
// kept by the publisher until it is durable.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "engine/engine.h"
#include "server/checkpoints.h"
#include "server/first_answers.h"
#include "server/live_effects.h"
#include "server/pipeline.h"
#include "server/watches.h"

namespace halocline {

class EngineStage {
 public:
  // `rows_at_once`: what may be read between two blocks to begin subscriptions. `checkpoints` and `effects` may be nullptr.
  EngineStage(Pipeline& pipeline, Engine& engine, Watches& watches, FirstAnswers& first_answers, std::size_t rows_at_once,
              Checkpoints* checkpoints, LiveEffects* effects)
      : p_(pipeline), engine_(engine), watches_(watches), first_answers_(first_answers), rows_at_once_(rows_at_once),
        checkpoints_(checkpoints), effects_(effects) {
    publish_progress();
  }

  // Until the end of the ring.
  void run();
  // Applies the block that is next, on this thread instead, if the stage's own is not at work; whether it did. By who fills the ring.
  bool help();
  // The books as they are, when it has ended.
  Snapshot last_books();

 private:
  enum class Did { kNothing, kBlock, kEnd };
  Did work();
  void apply(Block& block);
  void publish_progress();

  Pipeline& p_;
  Engine& engine_;
  Watches& watches_;
  FirstAnswers& first_answers_;
  const std::size_t rows_at_once_;
  Checkpoints* const checkpoints_;
  LiveEffects* const effects_;
  std::mutex at_work_;  // held by whoever applies; guards all else
  std::vector<AlertEvent> events_;
};

}  // namespace halocline
