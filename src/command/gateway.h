// A gateway: bytes from outside to commands, effects back to bytes. Built by its own room
// (make_grpc_gateway in src/gateways/grpc, …), started and stopped by server/serve.cc, which knows it only by this.
//
// All four are called on one thread, serve()'s, in this order: start, stop_accepting, stop; stop may be called twice.
#pragma once

#include <string>

#include "base/status.h"

namespace halocline {

class Port;

class Gateway {
 public:
  virtual ~Gateway() = default;

  // Binds, and serves from then on, on threads of its own. `port` outlives stop(). A failure names the address and what
  // to do, e.g. kFailedPrecondition when the address is in use.
  virtual Status start(Port& port) = 0;

  // What it listens on, "127.0.0.1:7117", with the real number where port 0 was asked for. After start().
  virtual std::string address() const = 0;

  // No new connections, calls or commands; what was submitted still gets its acknowledgement, and subscribers their
  // events. Returns at once, or after a bounded time.
  virtual void stop_accepting() = 0;

  // Ends the calls still open and joins the gateway's threads: afterwards it calls the port no more. The port has by then
  // acknowledged or abandoned everything and ended all subscribers, or is about to refuse everything with kUnavailable.
  virtual void stop() = 0;
};

}  // namespace halocline
