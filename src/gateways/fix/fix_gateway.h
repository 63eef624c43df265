// The FIX gateway: an acceptor of FIX 4.2, 4.4 and 5.0 SP2 sessions, plain or over TLS. What a message becomes and what is promised:
// docs/fix.md.
//
//   FixOptions options;
//   options.listen = "127.0.0.1:0";
//   options.sessions.push_back(terms);
//   std::unique_ptr<Gateway> gateway = make_fix_gateway(options);
//   Status started = gateway->start(port);   // gateway->address() has the real port numbers
//
// One thread does all: sockets, sessions and timers. It waits in Port::submit while the core is full; then all counterparties wait.
// Everything is bounded by the options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "command/gateway.h"
#include "gateways/fix/mapping.h"
#include "gateways/fix/session_machine.h"

namespace halocline {

struct FixSessionTerms {
  std::string name;
  fix::MachineTerms machine;
  std::string username, password;  // empty: not asked for
  int heartbeat_least_seconds = 1, heartbeat_most_seconds = 3'600;
  std::uint64_t messages_per_second = 0;  // 0: no bound
  fix::MappingRules rules;
};

struct FixOptions {
  std::string listen;      // host:port or [v6]:port; empty: none
  std::string tls_listen;  // the same for TLS
  std::string tls_certificate, tls_key;  // PEM files
  std::string tls_client_ca;             // PEM file; empty: clients need no certificate
  std::size_t max_message_bytes = 65'536;
  std::size_t max_connections = 256;
  std::size_t out_queue_bytes = 4u << 20;  // that wait for a counterparty
  int logon_seconds = 10;
  std::vector<FixSessionTerms> sessions;
};

// address(): "127.0.0.1:7120", or "127.0.0.1:7120 tls 127.0.0.1:7121". `clock` outlives it.
std::unique_ptr<Gateway> make_fix_gateway(FixOptions options, Clock& clock);

}  // namespace halocline
