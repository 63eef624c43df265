// Framed records through the engine, decoding and fetching some places ahead of the one being applied, so that memory
// answers while the engine works. No allocation. The thread that owns the engine.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "command/codec.h"
#include "engine/engine.h"

namespace halocline {

inline constexpr std::size_t kFetchAhead = 8;

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
  std::array<Slot, kFetchAhead> window;
  const std::byte* at = records.data();
  const auto decode_into = [&](Slot& slot) {
    std::uint32_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, at, sizeof length);
    std::memcpy(&type, at + 4, sizeof type);
    slot.type = static_cast<CommandType>(type);
    slot.payload = {at + kRecordHeaderBytes, length};
    at += kRecordHeaderBytes + length;
    if (slot.type != CommandType::kTrade) return;
    CHECK(decode_trade(slot.payload, slot.trade), "a trade of %u bytes does not decode", length);
    engine.prefetch(slot.trade);
  };
  std::uint32_t decoded = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    while (decoded < count && decoded < i + kFetchAhead) decode_into(window[decoded++ % kFetchAhead]);
    const Slot& slot = window[i % kFetchAhead];
    const Seq seq = first_seq + i;
    applied(seq, slot.type == CommandType::kTrade ? engine.apply(seq, time, slot.trade, events)
                                                  : engine.apply(seq, time, slot.type, slot.payload, events));
  }
}

}  // namespace halocline
