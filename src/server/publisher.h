// The third thread of the pipeline, the only door out: when a block is durable it offers its alert events to the
// followers, hands the acknowledgements to those who submitted, and passes reads on to the readers. After a
// journal failure it abandons everything that did not become durable.
// help() is the same door, held by another thread: to feeds and watches whoever holds it is the publisher's thread.
#pragma once

#include <mutex>

#include "server/feeds.h"
#include "server/pipeline.h"
#include "server/reader_pool.h"
#include "server/watches.h"

namespace halocline {

class Publisher {
 public:
  Publisher(Pipeline& pipeline, Feeds& feeds, Watches& watches, ReaderPool& readers)
      : p_(pipeline), feeds_(feeds), watches_(watches), readers_(readers) {}

  // Until the end of the ring.
  void run();
  // Releases what is durable, on this thread instead, and has it delivered here too, if the stage's own is not at work; whether it looked.
  bool help();
  // Who delivers what help() tells; nullptr takes it away, and it is called no more. Any thread.
  void set_courier(Courier* courier);

 private:
  // All with the lock held.
  std::int64_t may_sleep();
  bool must_work() const;
  bool must_time() const { return released_ != told_ && !timed_; }  // else nobody tells that later
  bool work();
  bool releasable(const Block& block) const { return p_.durable_seq.load() >= block.last_seq; }
  void release(Block& block);
  void tell_progress();
  void abandon(Block& block);
  void abandon(Inbound& inbound);
  void recycle(Block& block);

  Pipeline& p_;
  Feeds& feeds_;
  Watches& watches_;
  std::mutex at_work_;  // held by whoever releases; guards all below
  Courier* courier_ = nullptr;
  Seq released_ = 0, told_ = 0;  // the last seq released, and the one of the last mark of progress
  Nanos released_time_ = 0;
  std::int64_t told_at_ = 0;     // monotonic ns
  bool timed_ = false;           // the stage's own thread sleeps no longer than until progress is due
  ReaderPool& readers_;
};

}  // namespace halocline
