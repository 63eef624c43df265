// The books that the history is written from (history/tables/books.h). Either an engine of its own, taken through the durable journal
// behind the live one; or, once that has come near it, the live engine's: what its commands came to (live_effects.h), and snapshots of it
// where the history stands. Both come to the same, the second at two thirds of the cost. One thread.
//
//   books.go_live(effects);             // from the next command on
//   books.apply(…);                     // as before
//   books.stand_at(snapshot);           // of the live engine at the last command: then changed_…() and digest() may be asked
//   books.go_alone(journal);            // with an engine of its own again
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/running_digest.h"
#include "engine/running_index.h"
#include "history/tables/books.h"
#include "server/journal_files.h"
#include "server/live_effects.h"

namespace halocline {

class EngineBooks final : public Books {
 public:
  EngineBooks() : engine_(std::make_unique<Engine>()) {}

  // Goes on from books of another engine, before anything was applied. Fails as Engine::resume does.
  Status resume(const State& books);

  // `effects` tell of the next command and of all after it, or it is to go alone before one that they do not tell of.
  void go_live(LiveEffects& effects);
  bool live() const { return engine_ == nullptr; }
  // With their index of trades or without.
  void stand_at(Snapshot books);
  // From where it stood last through the journal to the last command that was applied. kDataLoss, kIo: of the journal.
  Status go_alone(const JournalFiles& journal);

  // Whether it has the books behind the last command: its own, or those it was made to stand at.
  bool stands() const;
  // … and those, with their index.
  Snapshot whole();

  void apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) override;
  void changed_trades(const TradeVisitor& visit) override;
  void changed_positions(const PositionVisitor& visit) override;
  void changed_nodes(const NodeVisitor& visit) override;
  std::string digest() override;

 private:
  Snapshot snapshot();
  void apply_alone(Seq first, Nanos time, std::span<const Command> commands, const Told& told);

  std::unique_ptr<Engine> engine_;  // nullptr: live
  LiveEffects* effects_ = nullptr;  // … then
  Snapshot stands_at_;              // … and not before
  RunningIndex index_;              // … for them
  Seq applied_ = 0;
  std::vector<AlertEvent> events_;  // of the command that is applied
  Snapshot trades_visited_, positions_visited_;  // by the last call; nullptr before the first
  std::vector<NodeRow> nodes_visited_;           // by id
  views::RunningDigest digest_;
};

}  // namespace halocline
