// What the three threads of the pipeline share: the queue in front, the rings between them, the seqs they have reached,
// and a doorbell for each. Who writes what is said beside it; the reasons are in docs/decisions/0002-threads.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/queue.h"
#include "base/status.h"
#include "server/block.h"
#include "server/metrics.h"

namespace halocline {

inline constexpr std::size_t kBlocks =
    3;  // in circulation: one a stage; more would only be latency when the engine is the slowest
inline constexpr Nanos kNever = std::numeric_limits<Nanos>::max();
inline constexpr Nanos kAwake = std::numeric_limits<Nanos>::min();

struct Pipeline {
  Pipeline(Clock& the_clock, std::size_t queue_length, std::uint64_t in_flight_bytes)
      : clock(the_clock), inbound(queue_length, in_flight_bytes, sequencer_bell) {
    for (Block& block : blocks) free.push(&block);
  }

  Clock& clock;
  Metrics metrics;

  Doorbell sequencer_bell, engine_bell, publisher_bell;
  MpscQueue<Inbound> inbound;          // callers of the Port -> sequencer
  SpscRing<Block*> to_engine{kBlocks * 2};     // sequencer -> engine; nullptr is the end
  SpscRing<Block*> to_publisher{kBlocks * 2};  // engine -> publisher; nullptr is the end
  SpscRing<Block*> free{kBlocks};      // publisher -> sequencer
  std::array<Block, kBlocks> blocks;

  // The sequencer's.
  std::atomic<Seq> durable_seq{0};
  std::atomic<Nanos> armed_for{kAwake};      // it sleeps until then; kAwake: it does not sleep
  std::atomic<bool> wants_block{false};      // it sleeps until a block is free

  // The engine's. `deadline` is stored before the applied seq it belongs to.
  std::atomic<Nanos> deadline{kNever};
  std::atomic<Seq> applied_seq{0};
  std::atomic<Nanos> applied_time{0};
  std::atomic<std::uint64_t> last_event_id{0};

  // Set once, by the sequencer: nothing becomes durable any more. `failure` is written before.
  std::atomic<bool> failed{false};
  Status failure;
};

}  // namespace halocline
