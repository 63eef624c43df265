// Any bytes as commands: decode → engine → encode. The input is a row of (u8 type, u8 time step, u16 length, payload), little-endian;
// docs/formats/commands.md is the payload's format. What must hold beside the engine's own CHECKs and the sanitizers:
//   - a payload that decodes is encoded to the same bytes again (one command has one encoding);
//   - an engine fed with the payloads and one fed with the decoded commands say the same, and end in the same state.
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "command/codec.h"
#include "engine/engine.h"
#include "engine/views.h"

namespace {

using namespace halocline;

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kSteps[] = {0, 0, 1, kSecond / 3, kSecond, 4 * kSecond, 11 * kSecond, 86'400 * kSecond};
constexpr std::size_t kMostCommands = 256;  // an input; the rest of a longer one adds nothing

// Two of each kind of thing, and a limit for every measure, so that short inputs reach far.
std::vector<Command> floor() {
  std::vector<Command> all{Firm{"f", "USD"}, Currency{"EUR", 110'000'000}, Desk{"d"}, Desk{"e"}, Book{"b", "d"}, Book{"c", "e"},
                           Trader{"t", "d"}, Trader{"u", ""}, Counterparty{"p"}, Counterparty{"q"},
                           Instrument{"i", InstrumentKind::kEquity, "USD", limits::kScale, "", "s", "", 0, kSecond},
                           Instrument{"j", InstrumentKind::kFuture, "EUR", 50 * limits::kScale, "i", "", "x", 20261218, 0}};
  static constexpr const char* kNames[] = {"", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
  for (int m = 1; m < kMeasureCount; ++m) {
    const bool template_limit = m % 2 == 0;
    all.push_back(Limit{kNames[m], template_limit ? NodeKind::kBook : NodeKind::kFirm, template_limit ? "*" : "f", static_cast<Measure>(m),
                        limits::kScale / 2, limits::kScale, limits::kScale / 10, m % 3 == 0, "o", m % 3 == 0 ? kSecond : 0});
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Command> kFloor = floor();
  Engine by_bytes, by_command;
  std::vector<AlertEvent> events, same_events;
  std::vector<std::byte> record;
  Nanos time = 1'790'000'000 * kSecond;
  Seq seq = 0;
  for (const Command& command : kFloor) {
    ++seq;
    const Applied applied = by_bytes.apply(seq, time, command, events);
    CHECK(applied.outcome == Outcome::kAccepted, "the floor's command %llu was refused", static_cast<unsigned long long>(seq));
    (void)by_command.apply(seq, time, command, same_events);
  }

  std::size_t at = 0;
  for (std::size_t n = 0; n < kMostCommands && size - at >= 4; ++n) {
    const auto type = static_cast<CommandType>(data[at]);
    time += kSteps[data[at + 1] % std::size(kSteps)];
    std::uint16_t length;
    std::memcpy(&length, data + at + 2, 2);
    at += 4;
    const std::size_t bytes = std::min<std::size_t>(length, size - at);
    const std::span payload(reinterpret_cast<const std::byte*>(data + at), bytes);
    at += bytes;

    Command command;
    if (!decode(type, payload, command)) continue;
    CHECK(type_of(command) == type, "type %d decoded to another", static_cast<int>(type));
    record.clear();
    append_record(command, record);
    CHECK(record.size() == kRecordHeaderBytes + bytes && (bytes == 0 || std::memcmp(record.data() + kRecordHeaderBytes, payload.data(), bytes) == 0),
          "a command of type %d is encoded to other bytes than it was decoded from", static_cast<int>(type));

    ++seq;
    const Applied applied = by_bytes.apply(seq, time, type, payload, events);
    const Applied same = by_command.apply(seq, time, command, same_events);
    CHECK(applied.outcome == same.outcome && applied.first_seq == same.first_seq, "type %d: %d by its bytes, %d by its fields",
          static_cast<int>(type), static_cast<int>(applied.outcome), static_cast<int>(same.outcome));
    CHECK(!outcome_name(applied.outcome).empty(), "an outcome without a name: %d", static_cast<int>(applied.outcome));
    CHECK(by_bytes.deadline() > time, "a deadline that has passed");
  }
  CHECK(events.size() == same_events.size(), "%zu events by bytes, %zu by fields", events.size(), same_events.size());
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].event_id == i + 1, "event %zu has the id %llu", i, static_cast<unsigned long long>(events[i].event_id));
  const Snapshot books = by_bytes.snapshot(), others = by_command.snapshot();
  CHECK(views::state_digest(*books) == views::state_digest(*others), "the digests differ");
  (void)views::positions(*books, {});
  (void)views::nodes(*books, {});
  return 0;
}
