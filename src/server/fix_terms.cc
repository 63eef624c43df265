#include "server/fix_terms.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/limits.h"

namespace halocline {
namespace {

constexpr std::array<std::string_view, 8> kDays{"", "sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// "[day ]hh:mm:ss".
bool read_moment(std::string text, int& day, int& second) {
  day = 0;
  for (std::size_t i = 1; i < kDays.size(); ++i) {
    if (text.size() == 12 && text[3] == ' ' && std::string_view(text).starts_with(kDays[i])) day = static_cast<int>(i);
  }
  if (day != 0) text.erase(0, 4);
  int hour = 0, minute = 0, seconds = 0, end = 0;
  if (text.size() != 8 || std::sscanf(text.c_str(), "%2d:%2d:%2d%n", &hour, &minute, &seconds, &end) != 3 || end != 8) return false;
  second = hour * 3'600 + minute * 60 + seconds;
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && seconds >= 0 && seconds < 60;
}

bool read_schedule(const std::string& text, fix::MachineTerms& terms) {
  if (text.empty()) return true;
  terms.scheduled = true;
  const std::size_t dash = text.find('-');
  return dash != std::string::npos && read_moment(text.substr(0, dash), terms.start_day, terms.start_second) &&
         read_moment(text.substr(dash + 1), terms.end_day, terms.end_second) && (terms.start_day == 0) == (terms.end_day == 0);
}

Result<FixSessionTerms> terms_of(const FixSessionConfig& session) {
  const auto wrong = [&](const std::string& what) { return Status(Code::kInvalidArgument, session.where + ": " + what); };
  if (session.their_comp_id.empty()) return wrong("this [[fix.session]] has no their_comp_id: the SenderCompID of what they send");
  FixSessionTerms terms;
  terms.name = session.name.empty() ? session.their_comp_id : session.name;
  terms.machine.begin_string = session.begin_string;
  terms.machine.our_comp_id = session.our_comp_id;
  terms.machine.their_comp_id = session.their_comp_id;
  terms.machine.clock_skew_seconds = static_cast<int>(session.clock_skew_seconds);
  if (!read_schedule(session.schedule, terms.machine)) {
    return wrong("schedule is \"" + session.schedule + "\"; write \"07:00:00-18:30:00\" or \"mon 07:00:00-fri 18:30:00\"");
  }
  terms.username = session.username;
  terms.password = session.password;
  terms.heartbeat_least_seconds = static_cast<int>(session.heartbeat_least_seconds);
  terms.heartbeat_most_seconds = static_cast<int>(session.heartbeat_most_seconds);
  if (terms.heartbeat_least_seconds > terms.heartbeat_most_seconds) {
    return wrong("heartbeat_least_seconds is above heartbeat_most_seconds: no Logon could fit");
  }
  terms.messages_per_second = session.messages_per_second;
  terms.rules.source = session.source.empty() ? terms.name : session.source;
  if (terms.rules.source.size() > limits::kMaxSource) {
    return wrong("the source \"" + terms.rules.source + "\" has more than " + std::to_string(limits::kMaxSource) +
        " bytes: set source to a shorter one");
  }
  terms.rules.park = session.unknown_instrument == "park";
  const struct {
    const char* name;
    const std::string& text;
    fix::TagRule& rule;
  } rules[] = {{"book", session.book, terms.rules.book}, {"trader", session.trader, terms.rules.trader},
               {"counterparty", session.counterparty, terms.rules.counterparty}, {"desk", session.desk, terms.rules.desk},
               {"instrument", session.instrument, terms.rules.instrument}, {"currency", session.currency, terms.rules.currency},
               {"id_day", session.id_day, terms.rules.id_day}};
  for (const auto& [name, text, rule] : rules) {
    Result<fix::TagRule> parsed = fix::TagRule::parse(text);
    if (!parsed.ok()) return wrong(std::string(name) + ": " + parsed.status().message());
    rule = parsed.take();
  }
  return terms;
}

}  // namespace

Result<std::vector<FixSessionTerms>> fix_session_terms(const Config& config) {
  std::vector<FixSessionTerms> all;
  for (const FixSessionConfig& session : config.fix_sessions) {
    Result<FixSessionTerms> terms = terms_of(session);
    if (!terms.ok()) return terms.status();
    for (const FixSessionTerms& other : all) {
      const bool same_ids = other.machine.begin_string == terms.value().machine.begin_string &&
                            other.machine.our_comp_id == terms.value().machine.our_comp_id &&
                            other.machine.their_comp_id == terms.value().machine.their_comp_id;
      if (other.name == terms.value().name || same_ids) {
        return Status(Code::kInvalidArgument, session.where + ": session \"" + terms.value().name +
                                                  "\" has the name, or the version and both comp ids, of another");
      }
    }
    all.push_back(terms.take());
  }
  return all;
}

Result<FixOptions> fix_options(const Config& config) {
  Result<std::vector<FixSessionTerms>> sessions = fix_session_terms(config);
  if (!sessions.ok()) return sessions.status();
  FixOptions options;
  options.listen = config.fix.listen;
  options.tls_listen = config.fix.tls_listen;
  options.tls_certificate = config.fix.tls_certificate;
  options.tls_key = config.fix.tls_key;
  options.tls_client_ca = config.fix.tls_client_ca;
  options.max_message_bytes = config.fix.message_bytes;
  options.max_connections = config.fix.connections;
  options.out_queue_bytes = config.fix.out_queue_bytes;
  options.logon_seconds = static_cast<int>(config.fix.logon_seconds);
  options.sessions = sessions.take();
  return options;
}

}  // namespace halocline
