// Framed records through the engine, decoding ahead of the one being applied (engine/lookahead.h). No allocation. The thread that
// owns the engine.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/prefetch.h"
#include "base/status.h"
#include "command/codec.h"
#include "engine/lookahead.h"
#include "engine/queries/live_queries.h"
#include "journal/block_view.h"
#include "journal/journal_reader.h"

namespace halocline {

// Calls applied(Seq, const Applied&) after each of the `count` records. The records are ours (a submission's), so one that does
// not decode is CHECKed.
template <class OnApplied>
void apply_records(Engine& engine, Seq first_seq, Nanos time, std::uint32_t count, std::span<const std::byte> records,
                   std::vector<AlertEvent>& events, OnApplied applied) {
  struct Slot {
    CommandType type{};
    std::span<const std::byte> payload;
    Trade trade;
  };
  constexpr std::size_t kRecordsAhead = 1'024;  // bytes: they lie in the cache of the processor that wrote them
  std::array<Slot, kLookAhead> window;
  const std::byte* at = records.data();
  const auto trade_at = [&](std::size_t i) -> const Trade* {
    Slot& slot = window[i % kLookAhead];
    std::uint32_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, at, sizeof length);
    std::memcpy(&type, at + 4, sizeof type);
    slot.type = static_cast<CommandType>(type);
    slot.payload = {at + kRecordHeaderBytes, length};
    at += kRecordHeaderBytes + length;
    prefetch_line(at + kRecordsAhead);
    if (slot.type != CommandType::kTrade) return nullptr;
    CHECK(decode_trade(slot.payload, slot.trade), "a trade of %u bytes does not decode", length);
    return &slot.trade;
  };
  apply_ahead(engine, count, trade_at, [&](std::size_t i, const TradeHint& hint) {
    const Slot& slot = window[i % kLookAhead];
    const Seq seq = first_seq + i;
    applied(seq, slot.type == CommandType::kTrade ? engine.apply(seq, time, slot.trade, hint, events)
                                                  : engine.apply(seq, time, slot.type, slot.payload, events));
  });
}

// What a block of the journal holds beyond the engine's last seq, up to and including `last`; nobody watches the engine's queries.
// kDataLoss: it does not go on where the engine is.
inline Status apply_block(Engine& engine, const BlockView& block, Seq last, std::vector<AlertEvent>& events) {
  const Seq next = engine.last_seq() + 1;
  if (next < block.first_seq) {
    return Status(Code::kDataLoss, "the journal goes on with seq " + std::to_string(block.first_seq) + ", and seq " + std::to_string(next) +
                                       " comes next");
  }
  std::size_t begin = 0, end = 0;
  std::uint32_t count = 0;
  for (const Record record : block.contents()) {
    if (record.seq > last) break;
    end = static_cast<std::size_t>(record.payload.data() + record.payload.size() - block.payload.data());
    record.seq < next ? void(begin = end) : void(++count);
  }
  if (count == 0) return ok_status();
  apply_records(engine, next, block.time, count, block.payload.subspan(begin, end - begin), events, [](Seq, const Applied&) {});
  events.clear();
  static_cast<void>(engine.queries().take());
  engine.take_refused_releases();
  engine.take_dropped_queries();
  return ok_status();
}

// It was durable up to `last`, and a reader comes no farther than `seq`.
inline Status journal_ends(Seq seq, Seq last) {
  return Status(Code::kDataLoss,
                "the journal ends at seq " + std::to_string(seq) + ", before " + std::to_string(last) + ", which was durable");
}

// Applies what the reader's blocks hold beyond the engine's last seq, up to and including `last`, which is durable, or less: after each
// block `more` says whether to go on. kDataLoss: the journal ends before; and as apply_block.
template <class More>
Status apply_journal(Engine& engine, JournalReader& reader, Seq last, More more) {
  std::vector<AlertEvent> events;
  while (engine.last_seq() < last) {
    const Result<std::optional<BlockView>> block = reader.next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) return journal_ends(engine.last_seq(), last);
    if (Status status = apply_block(engine, *block.value(), last, events); !status.ok()) return status;
    if (!more()) return ok_status();
  }
  return ok_status();
}

}  // namespace halocline
