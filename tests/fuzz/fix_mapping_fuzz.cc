// Any text as a FIX message's content, and as a rule. The first line is a rule; the rest is the message, with | for SOH, from its third
// field on. What must hold: the commands are as many as said and decode; what is refused or malformed became none and says why; the same
// again gives the same; every answer fits in the journal.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "command/codec.h"
#include "gateways/fix/fix_text.h"
#include "gateways/fix/mapping.h"
#include "gateways/fix/replies.h"

namespace {

using namespace halocline;
using namespace halocline::fix;

constexpr std::size_t kMostHead = 300;  // of a message that we send: both comp ids, number, time, trailer

MappingRules rules_with(std::string_view book) {
  MappingRules rules;
  rules.source = "OMS";
  const auto set = [](TagRule& rule, std::string_view text) {
    Result<TagRule> parsed = TagRule::parse(text);
    if (parsed.ok()) rule = parsed.take();
  };
  set(rules.book, "1");
  set(rules.book, book);
  set(rules.trader, "party:12 party:11 50"), set(rules.counterparty, "party:17 49"), set(rules.instrument, "id:4 55 48"),
      set(rules.currency, "15 120");
  set(rules.desk, "57");
  return rules;
}

std::size_t size_of(const Reply& reply) {
  std::size_t size = kMostHead;
  for (const auto& [tag, value] : reply.body) size += std::to_string(tag).size() + value.size() + 2;
  return size;
}

void map(const Message& message, const MappingRules& rules) {
  const Mapping mapping(rules);
  std::vector<std::byte> records, again;
  std::vector<MappedField> why;
  const Mapped mapped = mapping.map(message, records, &why);
  CHECK(mapping.map(message, again).commands == mapped.commands && again == records, "the same message became two things");
  if (mapped.fate != Fate::kCommands) {
    CHECK(records.empty() && mapped.commands == 0, "%u commands of a message that became none", mapped.commands);
    if (mapped.fate == Fate::kMalformed) CHECK(size_of(reject_of(message, mapped)) <= limits::kMaxFixMessage);
    if (mapped.fate != Fate::kRefused) return;
    CHECK(!mapped.text.empty(), "a refusal without a reason");
    CHECK(size_of(reply_to_refused(message, mapped)) <= limits::kMaxFixMessage);
    return;
  }
  const std::string echo = Mapping::echo(message);
  std::vector<std::byte> framed;
  append_record(FixReceived{"oms", message.number(), mapped.commands, mapped.reply, message.type().substr(0, 8), echo}, framed);
  framed.insert(framed.end(), records.begin(), records.end());
  std::uint16_t count = 0;
  for (std::span<const std::byte> rest(records); !rest.empty(); ++count) rest = rest.subspan(first_command(rest).bytes);
  CHECK(count == mapped.commands && count > 0, "%u commands, %u said", count, mapped.commands);
  for (int outcome = 1; outcome < kOutcomeCount; ++outcome) {
    const ToldOutcome told{static_cast<Outcome>(outcome), static_cast<std::uint16_t>(count - 1)};
    CHECK(size_of(reply_to(framed, told, rules)) <= limits::kMaxFixMessage);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const MappingRules rules = rules_with(input.substr(0, end));
  const std::string body(input.substr(std::min(end + 1, input.size())));
  for (const char* version : {"FIX.4.2", "FIX.4.4", "FIXT.1.1"}) {
    const std::string text = whole_message(version, body.ends_with('|') ? body : body + "|");
    Message message;
    if (message.parse(text)) map(message, rules);
  }
  Message raw;
  static_cast<void>(raw.parse(input));
  return 0;
}
