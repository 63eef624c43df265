// The witness of `halocline serve`: a thread that follows the durable journal, keeps its Merkle tree, and signs a head of it every so many
// seconds or records, and at the end (docs/formats/audit.md). The hot path never waits for it: it runs at a lower priority and catches up.
// While somebody else, the history, signs heads as often, it goes on from the trees of these (HeadLog::told_tree) and reads nothing.
//
//   Witness witness(disk, clock, options);
//   witness.open();                 // before the core: makes the key at the first start
//   witness.start(core);
//   …
//   witness.stop();                 // after the core has stopped: one more head
//
// A failure is told in the log and the counter `audit_failures`. One of the disk is tried again each second; after any other nothing is
// signed until the next start. Status also counts `audit_heads`, and `audit_seq`, up to which the journal is signed. All calls by the
// owner.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/disk.h"
#include "base/merkle.h"
#include "journal/head_log.h"
#include "journal/journal_reader.h"
#include "journal/record_leaf.h"
#include "server/config.h"
#include "server/core.h"

namespace halocline {

struct WitnessOptions {
  std::string journal_directory;
  JournalId journal{};
  HeadLogPaths paths;
  std::int64_t head_interval = 10'000'000'000;  // ns
  std::uint64_t head_records = 1'000'000;
};

// Where the configuration puts them.
HeadLogPaths head_log_paths(const Config& config);

class Witness {
 public:
  // All references outlive it.
  Witness(Disk& disk, const Clock& clock, WitnessOptions options);
  ~Witness();

  // A failure is logged and stays.
  void open();
  // Who signs; none after a failure. Valid until this goes.
  HeadLog* heads() { return log_.get(); }

  void start(Core& core);
  void stop();

 private:
  void run();
  void failed(const Status& status);
  Status resume();
  Status open_journal();
  // From the tree of a head that somebody else signed, if there is one farther on.
  Status take_over(bool last);
  // Reads on and signs what is due; `last`: all that there is.
  Status advance(bool last);
  Status take(const BlockView& block);
  Status sign();
  Status save(const MerkleTree& of_a_head);
  bool wait(std::int64_t nanoseconds);  // false: it ends

  Disk& disk_;
  const Clock& clock_;
  const WitnessOptions options_;
  const std::string tree_path_;

  std::unique_ptr<HeadLog> log_;
  Status failure_;
  Core* core_ = nullptr;
  bool resumed_ = false;
  std::unique_ptr<JournalReader> reader_;  // behind the tree; nullptr: not open there
  MerkleTree tree_;
  RecordLeaves leaves_;
  Seq signed_seq_ = 0;
  std::int64_t signed_at_ = 0;  // monotonic, as is the next
  std::int64_t saved_at_ = 0;
  bool others_sign_ = false;    // the last head was not its own

  std::mutex mutex_;
  std::condition_variable ending_;
  std::atomic<bool> end_{false};
  std::thread thread_;
};

}  // namespace halocline
