// The second thread of the pipeline, and the only one that touches the engine: applies each block, collects its
// acknowledgements and alert events, and takes the snapshot its readers share. It may run ahead of the disk: what comes out is
// kept by the publisher until it is durable.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "server/checkpoints.h"
#include "server/pipeline.h"
#include "server/watches.h"

namespace halocline {

class EngineStage {
 public:
  // `checkpoints` may be nullptr.
  EngineStage(Pipeline& pipeline, Engine& engine, Watches& watches, Checkpoints* checkpoints)
      : p_(pipeline), engine_(engine), watches_(watches), checkpoints_(checkpoints) {
    publish_progress();
  }

  // Until the end of the ring.
  void run();

 private:
  void apply(Block& block);
  void publish_progress();

  Pipeline& p_;
  Engine& engine_;
  Watches& watches_;
  Checkpoints* const checkpoints_;
  std::vector<AlertEvent> events_;
};

}  // namespace halocline
