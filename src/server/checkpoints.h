// Checkpoints of the running engine, and books from them. When enough has come since the last one, whoever has the same books a little
// later offers a snapshot of them, and the engine's thread, which would have to copy what it then writes, takes one only where nobody
// does; a thread of low priority writes it down, with its digest and the journal's hash chain, once the journal is durable so far.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/engine.h"
#include "journal/checkpoint_file.h"
#include "server/journal_files.h"
#include "server/metrics.h"

namespace halocline {

struct CheckpointOptions {
  std::string directory;      // empty: none are taken, and none are read
  std::uint64_t records = 0;  // one when so many commands came since the last one …
  std::uint64_t bytes = 0;    // … or so many bytes of them; but see wants()
  std::size_t keep = 2;
  bool synced = false;        // what the journal calls durable is on the medium
  bool offered = false;       // somebody calls offer(): the engine's own snapshot only when twice as much came
  std::function<void()> on_taken = {};  // called by the thread that wrote it
};

// The books of a checkpoint, whole. kDataLoss: it is damaged; kUnsupported: another version of the program made it; kIo.
struct LoadedCheckpoint {
  CheckpointHeader header;
  Snapshot books;
};
Result<LoadedCheckpoint> load_checkpoint(Disk& disk, const std::string& path);

// The newest at or before `most` that can be used with this journal; those that cannot are told of in the log, and the one before is
// taken. Nothing: there is none. `refused`: why the first of those that cannot be used cannot; untouched when all can.
std::optional<LoadedCheckpoint> newest_checkpoint(Disk& disk, const std::string& directory, const JournalId& journal, Seq most,
                                                  Status* refused = nullptr);

// The books as a checkpoint in the directory. `digest` is theirs, in hexadecimal digits; empty: it is worked out. When all of them are
// written `complete` says in the header what they do not: journal, chain, synced. `stopping` is asked on the way; kUnavailable then.
Status write_checkpoint(Disk& disk, const std::string& directory, const State& books, std::string digest,
                        const std::function<bool()>& stopping, const std::function<Status(CheckpointHeader&)>& complete);

class Checkpoints {
 public:
  // `last`: of the newest there is. `durable` gives the journal's durable seq. `on_damage`: the books a start began with are not those of
  // their digest; the process must stop.
  Checkpoints(Disk& disk, CheckpointOptions options, JournalFiles journal, Seq last, std::function<Seq()> durable, NamedCounters& counters,
              std::function<void(const Status&)> on_damage);
  ~Checkpoints() { stop(); }

  // After a block of so many bytes, with so many trades in the books: whether to take() them. One costs what there is in these, so it is
  // never wanted before a quarter as many commands came: what checkpoints cost a command stays the same however large the books grow.
  // The engine's thread.
  bool wants(Seq applied, std::uint64_t block_bytes, std::uint64_t trades);
  // The books at the end of a block. The engine's thread.
  void take(Snapshot books);
  // Whether to offer() those of that seq. Any thread.
  bool wants_offer(Seq books) const { return books > offer_after_.load(std::memory_order_relaxed); }
  // The books at the end of a block, that others than the engine worked out, and their digest. Any thread.
  void offer(Snapshot books, std::string digest);
  // Works out the digest of what was loaded, and compares. The owner's thread, before start of the engine's.
  void verify(LoadedCheckpoint loaded);
  // What is being written is given up. The owner's thread; may be called twice.
  void stop();

 private:
  static constexpr std::uint64_t kTradesPerCommand = 4;
  static constexpr Seq kNoOffer = UINT64_MAX;

  struct Books {
    Snapshot books;      // nullptr: none
    std::string digest;  // empty: not worked out yet
  };

  bool due(Seq since, std::uint64_t trades, std::uint64_t times) const {
    return (since >= times * options_.records || bytes_ >= times * options_.bytes) && since >= times * (trades / kTradesPerCommand);
  }
  void hand_over(Books books);
  void work();
  Status write(const Books& taken);
  // False: all ends.
  bool wait_until_durable(Seq seq);
  bool stopping() const;

  Disk& disk_;
  const CheckpointOptions options_;
  const JournalFiles journal_;
  const std::function<Seq()> durable_;
  NamedCounters& counters_;
  const std::function<void(const Status&)> on_damage_;
  Seq last_;                 // the engine's thread
  std::uint64_t bytes_ = 0;  // the engine's thread
  std::atomic<Seq> offer_after_{kNoOffer};  // books of a later seq are wanted
  std::atomic<Seq> offered_{0};  // that was taken last
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Books next_;
  Seq newest_;  // that was handed over
  std::optional<LoadedCheckpoint> unverified_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace halocline
