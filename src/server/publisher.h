// The third thread of the pipeline, the only door out: when a block is durable it offers its alert events to the
// followers, hands the acknowledgements to those who submitted, and passes reads on to the readers. After a
// journal failure it abandons everything that did not become durable.
#pragma once

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

 private:
  bool releasable(const Block& block) const { return p_.durable_seq.load() >= block.last_seq; }
  void release(Block& block);
  void abandon(Block& block);
  void abandon(Inbound& inbound);
  void recycle(Block& block);

  Pipeline& p_;
  Feeds& feeds_;
  Watches& watches_;
  std::int64_t told_progress_ = 0;  // monotonic ns
  ReaderPool& readers_;
};

}  // namespace halocline
