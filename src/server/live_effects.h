// What the commands of the live engine came to, for who follows the durable journal behind it: the journal holds commands, and who knows
// their effects need not apply them once more (engine_books.h). Nearly all are ACCEPTED; only what is not, and alert events, is kept
// until the follower has come there. It is bounded: beyond that it ends, and the follower is on its own until it asks to go on.
//
//   engine's thread:  effects.note(seq, applied), effects.note(event); effects.end_block(last);     // before the seq counts as applied
//   follower's:       if (effects.tells(next, last)) …                                              // `last` counts as applied
//                     const Applied applied = effects.take(seq, events);                            // one after the other
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/queue.h"
#include "command/alert.h"
#include "engine/engine.h"

namespace halocline {

class LiveEffects {
 public:
  // How much is kept: outcomes of 24 bytes, and alert events of about 500.
  struct Bounds {
    std::uint64_t outcomes = 2u << 20, events = 128u << 10;
  };

  // Tells of all commands after that seq.
  LiveEffects(Seq after, Bounds bounds) : bounds_(bounds), after_(after), taken_(after) {}

  // The engine's thread, in order.
  void note(Seq seq, const Applied& applied) {
    if (applied.outcome != Outcome::kAccepted && telling_) outcomes_.push({seq, applied.first_seq, applied.outcome});
  }
  void note(const std::shared_ptr<const AlertEvent>& event) {
    if (telling_) events_.push(event);
  }
  void end_block(Seq last);

  // All below on the follower's thread. Whether all commands from `first` to `last`, which are applied, are told.
  bool tells(Seq first, Seq last) const;
  // What the next command came to; its alert events are appended. Each seq of those that are told is taken, in order.
  Applied take(Seq seq, std::vector<AlertEvent>& events);
  // Nothing up to there is wanted any more.
  void drop(Seq through);
  // Tells again, when it has ended, from some block on.
  void go_on();

 private:
  enum class Telling { kYes, kNo, kAsked };
  struct Entry {
    Seq seq = 0, first_seq = 0;
    Outcome outcome = Outcome::kNone;
  };

  const Bounds bounds_;
  SpscList<Entry> outcomes_;
  SpscList<std::shared_ptr<const AlertEvent>> events_;
  bool telling_ = true;                               // the engine's thread
  std::atomic<Telling> state_{Telling::kYes};
  std::atomic<Seq> after_;                            // it tells of those after it …
  std::atomic<Seq> until_{~Seq{0}};                   // … up to this one
  Seq taken_;                                         // the follower's: what is not there any more
};

}  // namespace halocline
