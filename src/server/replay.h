// The start: what the journal holds, through the engine. The thread that opens the journal reads, verifies and decodes
// ahead; a second one applies; a few batches go round between them. Says how far it is every two seconds.
//
//   Replay replay(engine, clock);
//   auto journal = FileJournal::open(disk, options, replay.handler());   // this thread
//   replay.finish();                                                     // until all is applied; always call it
//
// Records that the engine has applied already (it began with a checkpoint) are passed over.
// A record that does not decode is kUnsupported, from the handler: it stops the start.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/queue.h"
#include "engine/engine.h"
#include "journal/recovery.h"

namespace halocline {

class Replay {
 public:
  // `total_bytes`: what there is to read, about, for the progress line; 0 when that is not known.
  Replay(Engine& engine, Clock& clock, std::uint64_t total_bytes = 0);
  ~Replay();

  // Call it on one thread only.
  BlockHandler handler();
  // Waits until everything handed over is applied. The handler may not be called afterwards.
  void finish();

  std::uint64_t records() const { return records_; }  // after finish()
  std::int64_t elapsed() const { return elapsed_; }   // ns, after finish()

 private:
  struct Entry {
    Seq seq = 0;
    Nanos time = 0;
    CommandType type{};
    std::span<const std::byte> payload;
    Trade trade;
  };
  struct Batch {
    std::vector<std::byte> bytes;  // never grows beyond what is reserved: the entries point into it
    std::vector<Entry> entries;
  };
  static constexpr std::size_t kBatches = 4;
  static constexpr std::size_t kFullAt = 128u << 10;

  Status take(const BlockView& block);
  void hand_over();
  void progress();
  void apply_all();

  Engine& engine_;
  Clock& clock_;
  const std::uint64_t total_bytes_;
  const std::int64_t begun_;
  std::int64_t last_line_;
  std::int64_t elapsed_ = 0;
  const Seq applied_;  // by the engine before
  std::uint64_t records_ = 0, bytes_ = 0, records_at_last_line_ = 0;
  bool finished_ = false;

  std::array<Batch, kBatches> batches_;
  SpscRing<Batch*> full_{kBatches * 2}, free_{kBatches};
  Doorbell reader_bell_, applier_bell_;
  Batch* batch_ = nullptr;  // being filled
  std::thread applier_;
};

}  // namespace halocline
