// What every command is given: where the server is, how to print, and the exit codes.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "client/client.h"
#include "halocline/v1/types.pb.h"

namespace halocline::cli {

class Verb;

// What the process ends with; documented in docs/cli.md, never renumbered.
enum Exit : int {
  kDone = 0,         // all of it is in effect (also when it was before: DUPLICATE, UNCHANGED, STALE)
  kRefused = 1,      // the server answered, and refused some or all of it
  kUsage = 2,        // a wrong command line, file or value: nothing was sent
  kUnreachable = 3,  // no connection, or no answer in time
  kNotFound = 4,     // the thing asked for does not exist
  kDamaged = 5,      // the journal does not check
  kFailed = 6,       // anything else: the disk, the server's own failure
};

struct Session {
  std::string server = "127.0.0.1:7117";
  bool json = false;
  double timeout_s = 30;
  std::function<int()> action;  // the chosen command, run after parsing

  Client connect() const;
};

// Adds --server and --timeout; with `json`, --json too.
void add_server_options(Verb& command, Session& session, bool json = true);
void add_json_option(Verb& command, Session& session);

// Adds --as-of, whose text set_as_of() reads: "SEQ n" (or "seq:n"), else a time, which the server reads.
void add_as_of_option(Verb& command, std::string& text);
void set_as_of(const std::string& text, v1::AsOf& as_of);
// Adds --effective-at, whose text is a time, which the server reads.
void add_effective_at_option(Verb& command, std::string& text);

// Says on stderr what was wrong and what to do; the exit code for it.
int report(const Status& status);
// "halocline: text" on stderr, kUsage.
int usage_error(const std::string& text);

// Prints the answer to one change ("ACCEPTED, seq 7"; a refusal with its detail to stderr), or as JSON; the exit code.
int show_ack(const Session& session, const v1::Ack& ack, const std::string& what);
bool is_refusal(v1::Outcome outcome);

// "trader:anna", "trader:*", "trader" → kind and name. False for an unknown kind.
bool parse_node(const std::string& text, v1::NodeKind& kind, std::string& name);
inline constexpr const char* kNodeKinds = "firm, desk, book, trader, counterparty, instrument, underlying, sector, currency";

}  // namespace halocline::cli
