// What queries select of a row or a group, worked out once for all that select the same: packed, before a command and after it, and the
// events that say so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "command/query.h"
#include "engine/queries/plan.h"

namespace halocline::queries {

// A row or group as a command left it. `before` and `now` are null where it was not, or is not, there.
struct Subject {
  std::uint64_t number = 0;  // tells subjects apart; from 1
  std::string key;           // of the answer's row
  const Reader* before = nullptr;
  const Reader* now = nullptr;
  Inputs before_inputs, now_inputs;
  RowReason reason = RowReason::kChanged;  // why it leaves an answer
};

class Projection {
 public:
  explicit Projection(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

  // What those tell whose answer the subject was in, or is in now; nullptr when it reads as before.
  const std::shared_ptr<const QueryEvents>& events(const Subject& subject, bool was, bool is, Seq seq, Nanos time);

  const std::string& row_before(const Subject& subject);
  const std::string& row_now(const Subject& subject);
  // The bytes that rows are in order by: all different, for they end with the key.
  const std::string& order_before(const Subject& subject);
  const std::string& order_now(const Subject& subject);

  void pack_row(const Reader& reader, const Inputs& inputs, std::string& row) const;
  void pack_order(const Reader& reader, const Inputs& inputs, std::string_view key, std::string& order) const;

  std::size_t users = 0;

 private:
  enum Part : unsigned { kRowBefore = 1, kRowNow = 2, kOrderBefore = 4, kOrderNow = 8 };
  // Whether it must be worked out, which the caller then does.
  bool wants(const Subject& subject, Part part);

  const std::shared_ptr<const Plan> plan_;
  std::uint64_t subject_ = 0;
  unsigned known_ = 0;
  std::string row_before_, row_now_, order_before_, order_now_;
  bool told_[4] = {};
  std::shared_ptr<const QueryEvents> events_[4];  // by whether it was and whether it is
};

}  // namespace halocline::queries
