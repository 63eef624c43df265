// Subscriptions that go on after a bookmark older than the recent events: the journal is read again into an engine aside, from the
// last checkpoint before the oldest bookmark or from its start, on one thread of low priority, and what each seq after the bookmark does
// to their answers is offered to them, exactly what was offered to those who watched then. Near the end of the journal they go over to
// the recent events (watches.h).
//
// One engine at a time, whatever the number of subscriptions: those that come while it runs join it if it has not passed their
// bookmark, and wait for the next run otherwise. It costs the memory of a second engine and the time to replay
// what is in the journal from there on, and holds up neither the pipeline nor the subscriptions that are live.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/journal_files.h"
#include "server/watches.h"

namespace halocline {

class Reruns {
 public:
  // `checkpoints`: the directory they are in, or empty; `piece`: how many events a subscriber is given at a time; `durable` gives the
  // seq up to which the journal may be read.
  Reruns(JournalFiles journal, std::string checkpoints, std::size_t piece, std::function<Seq()> durable, Watches& watches)
      : journal_(std::move(journal)), checkpoints_(std::move(checkpoints)), piece_(piece), durable_(std::move(durable)),
        watches_(watches) {}
  ~Reruns() { stop(); }

  // Offers it what the seqs after its position did. Any thread.
  void add(std::shared_ptr<Watch> watch);
  // Some subscription was taken away (Watches::remove): nobody is to wait for it. Any thread.
  void one_is_gone();
  // What is under way ends where it is. The owner's thread; may be called twice.
  void stop();

 private:
  class Run;
  // What others call back into; a gateway may hold on to it for longer than the Reruns live.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::shared_ptr<Watch>> waiting;
    bool stopping = false;
  };

  void work();

  const JournalFiles journal_;
  const std::string checkpoints_;
  const std::size_t piece_;
  const std::function<Seq()> durable_;
  Watches& watches_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::thread thread_;  // from the first one on
};

}  // namespace halocline
