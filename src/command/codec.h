// The bytes of a command in the journal: docs/formats/commands.md. Little-endian, fixed fields first, then the texts,
// each as one length byte and its bytes. A payload does not hold its own type or length: the journal's record does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "command/command.h"

namespace halocline {

// Appends one record as the journal and the sequencer take it: u32 payload length, u16 type, u16 zero, payload.
// Texts must be within base/limits.h (CHECKed): whoever takes them from outside has refused longer ones.
void append_record(const Command& command, std::vector<std::byte>& out);
// The same for those that come by the thousand, without building the variant.
void append_record(const Trade& trade, std::vector<std::byte>& out);
void append_record(const TradeReport& report, std::vector<std::byte>& out);
void append_record(const FixReceived& received, std::vector<std::byte>& out);

inline constexpr std::size_t kRecordHeaderBytes = 8;

// Decodes a payload. The texts point into it. False when the bytes are not exactly one command of this type:
// never reads beyond the span, takes any bytes. Enum fields with unknown numbers are handed on for the engine to refuse.
bool decode(CommandType type, std::span<const std::byte> payload, Command& command);
bool decode_trade(std::span<const std::byte> payload, Trade& trade);

// The first of some records that append_record wrote (CHECKed: nobody else's), and how many bytes it takes. The texts point into it.
struct FramedCommand {
  Command command;
  std::size_t bytes = 0;
};
FramedCommand first_command(std::span<const std::byte> records);

}  // namespace halocline
