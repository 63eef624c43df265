// What queries select of a row or a group, worked out once for all that select the same: packed, before a command and after it, and the
// events that say so.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command/event_memory.h"
#include "command/query.h"
#include "engine/queries/plan.h"

namespace halocline::queries {

// A row or group as a command left it. `before` and `now` are null where it was not, or is not, there.
struct Subject {
  std::uint64_t number = 0;  // tells subjects apart; from 1
  std::string_view key;      // of the answer's row
  const Reader* before = nullptr;
  const Reader* now = nullptr;
  Inputs before_inputs, now_inputs;
  RowReason reason = RowReason::kChanged;  // why it leaves an answer
};

// A trade's row as it stands in an order, once for all who keep it.
struct Standing {
  std::uint32_t trade;
  std::string order;
  std::string row;  // packed
};

// How a row stood in an answer before a command, and how it stands there now: nullptr where it was, or is, not in it.
struct StandingChange {
  std::shared_ptr<const Standing> before, now;
  RowReason reason = RowReason::kChanged;  // of one that left

  std::uint32_t trade() const { return (before != nullptr ? before : now)->trade; }
  bool operator==(const StandingChange&) const = default;
};

class Projection {
 public:
  explicit Projection(std::shared_ptr<const Plan> plan);

  // What those tell whose answer the subject was in, or is in now; nullptr when it reads as before. In the memory, which is the same for
  // as long as the subject is.
  const QueryEvents* events(const Subject& subject, bool was, bool is, Seq seq, Nanos time, EventMemory& memory) {
    // The rows of most answers come and stay.
    return !was && subject_ != subject.number && !columns_.empty() ? insert_columns(subject, seq, time, memory)
                                                                   : events_of(subject, was, is, seq, time, memory);
  }

  // The events of an answer in which these rows changed, in the order of trades. Answers in which the same became of the same share them,
  // as far as they are of one `round`, and in its memory.
  const QueryEvents& events(std::span<const StandingChange> changes, std::uint64_t round, Seq seq, Nanos time, EventMemory& memory);

  // These hold until the next subject.
  std::string_view row_before(const Subject& subject);
  std::string_view row_now(const Subject& subject);
  // The bytes that rows are in order by: all different, for they end with the key.
  std::string_view order_before(const Subject& subject);
  std::string_view order_now(const Subject& subject);
  // Of a subject that is this trade.
  const std::shared_ptr<const Standing>& standing_now(const Subject& subject, std::uint32_t trade);

  void pack_row(const Reader& reader, const Inputs& inputs, std::string& row) const {
    for (const Program& output : plan_->outputs) output.pack(reader, inputs, row);
  }
  void pack_row(const Reader& reader, const Inputs& inputs, ByteBuffer& row) const {
    for (const Program& output : plan_->outputs) output.pack(reader, inputs, row);
  }
  // Bytes are a std::string or a ByteBuffer.
  template <class Bytes>
  void pack_order(const Reader& reader, const Inputs& inputs, std::string_view key, Bytes& order) const {
    for (const OrderKey& by : plan_->order) pack(by.key.run(reader, inputs), by.key.type(), order, by.descending, by.nulls_last);
    order += key;
  }

  std::size_t users = 0;

 private:
  // kRowInserted: the row now is known from the event that says that it came. kEvents and the three bits above it: by whether it was and
  // whether it is.
  enum Part : unsigned { kRowBefore = 1, kRowNow = 2, kOrderBefore = 4, kOrderNow = 8, kStandingNow = 16, kRowInserted = 32, kEvents = 64 };
  // Whether it must be worked out, which the caller then does.
  bool wants(const Subject& subject, Part part);
  const QueryEvents* events_of(const Subject& subject, bool was, bool is, Seq seq, Nanos time, EventMemory& memory);
  // The same of one that came and has yet to be looked at, where there are columns_.
  const QueryEvents* insert_columns(const Subject& subject, Seq seq, Nanos time, EventMemory& memory);

  const std::shared_ptr<const Plan> plan_;
  std::vector<decltype(Column::write)> columns_;  // when it selects those and nothing else, of one source, in no order of its own
  std::uint64_t subject_ = 0;
  unsigned known_ = 0;
  ByteBuffer row_before_, row_now_, order_before_, order_now_;
  std::shared_ptr<const Standing> standing_now_;
  const QueryEvents* events_[4] = {};         // as kEvents has it
  std::vector<StandingChange> changes_told_;  // the last ones, when they were few
  std::uint64_t round_told_ = 0;
  const QueryEvents* change_events_ = nullptr;
};

}  // namespace halocline::queries
