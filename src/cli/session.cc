#include "cli/session.h"

#include <charconv>

#include <strings.h>

#include "cli/command_line.h"
#include "cli/json.h"
#include "cli/text.h"
#include "command/command.h"
#include "command/outcome.h"

namespace halocline::cli {

Client Session::connect() const {
  return Client(server, std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1'000)));
}

void add_json_option(Verb& command, Session& session) {
  command.add_flag("--json", session.json, "print JSON for scripts");
}

void add_server_options(Verb& command, Session& session, bool json) {
  // Not by envname(): CLI11 would let the environment win over another command's flag, as all write to the same place.
  if (const char* server = std::getenv("HALOCLINE_SERVER"); server != nullptr && *server != 0) session.server = server;
  command.add_option("--server", session.server, "the server's HOST:PORT, or https://HOST:PORT[?ca=FILE] for TLS (or HALOCLINE_SERVER)")
      ->capture_default_str();
  command.add_option("--timeout", session.timeout_s, "seconds to wait for an answer")
      ->between(0.001, 86'400.0)->capture_default_str();
  if (json) add_json_option(command, session);
}

int report(const Status& status) {
  std::string text = status.message();
  int code = kFailed;
  switch (status.code()) {
    case Code::kUnavailable:
      code = kUnreachable;
      if (const std::size_t reason = text.find(" ("); text.rfind("cannot reach ", 0) == 0 && reason != std::string::npos) {
        text = text.substr(0, reason) + ": is `halocline serve` running? (--server or HALOCLINE_SERVER says where)" ;
      }
      break;
    case Code::kInvalidArgument: code = kUsage; break;
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange: code = kRefused; break;
    case Code::kNotFound: code = kNotFound; break;
    case Code::kDataLoss: code = kDamaged; break;
    default: break;
  }
  std::fprintf(stderr, "halocline: %s\n", text.c_str());
  return code;
}

namespace {

std::string not_empty(const std::string& given) { return given.empty() ? "an instant is wanted" : ""; }

}  // namespace

void add_as_of_option(Verb& command, std::string& text) {
  command.add_option("--as-of", text, "as it was then: a time (\"2026-11-17 10:42 America/New_York\", \"-30s\"; else UTC) or \"SEQ n\"")
      ->check(not_empty);
}

void add_effective_at_option(Verb& command, std::string& text) {
  command.add_option("--effective-at", text, "what was effective at this time, as known now or --as-of: late trades and corrections count")
      ->check(not_empty);
}

void set_as_of(const std::string& text, v1::AsOf& as_of) {
  const bool names_seq = text.size() > 4 && strncasecmp(text.data(), "seq", 3) == 0 && (text[3] == ' ' || text[3] == ':');
  std::uint64_t seq = 0;
  if (names_seq && std::from_chars(text.data() + 4, text.data() + text.size(), seq).ptr == text.data() + text.size()) {
    return as_of.set_seq(seq);
  }
  as_of.set_time(text);
}

int usage_error(const std::string& text) {
  std::fprintf(stderr, "halocline: %s\n", text.c_str());
  return kUsage;
}

bool is_refusal(v1::Outcome outcome) { return is_refused(static_cast<Outcome>(outcome)); }

int show_ack(const Session& session, const v1::Ack& ack, const std::string& what) {
  const bool refused = is_refusal(ack.outcome());
  if (session.json) {
    print_json(to_json(ack));
  } else if (refused) {
    std::fprintf(stderr, "halocline: %s: %s%s%s\n", what.c_str(), v1::Outcome_Name(ack.outcome()).c_str(),
                 ack.detail().empty() ? "" : ": ", ack.detail().c_str());
  } else {
    std::string line = what + ": " + v1::Outcome_Name(ack.outcome()) + ", seq " + with_separators(std::to_string(ack.seq()));
    if (ack.first_seq() != 0) line += " (first taken as seq " + with_separators(std::to_string(ack.first_seq())) + ")";
    std::puts(line.c_str());
  }
  return refused ? kRefused : kDone;
}

bool parse_node(const std::string& text, v1::NodeKind& kind, std::string& name) {
  const std::size_t colon = text.find(':');
  const NodeKind found = kind_from(text.substr(0, colon));
  if (static_cast<int>(found) == 0) return false;
  kind = static_cast<v1::NodeKind>(found);
  name = colon == std::string::npos ? "" : text.substr(colon + 1);
  return true;
}

}  // namespace halocline::cli
