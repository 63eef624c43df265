// One counterparty's connection, plain or TLS: reads bytes, cuts them into messages, hands them to the session that the first one logs on
// to, and writes what the session sends when it may leave.
//
// One thread, that of its io_context. A connection lives as long as something of it is under way.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "gateways/fix/message.h"
#include "gateways/fix/session.h"

namespace halocline::fix {

class Connection;

struct ConnectionLimits {
  std::size_t message_bytes = 0;
  std::size_t out_queue_bytes = 0;
  int logon_seconds = 0;
};

class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  // The session that this Logon is of; nullptr when nobody may log on so (said and counted already).
  virtual Session* admit(const Message& logon, const std::string& address) = 0;
  virtual void count(const char* counter, std::uint64_t add) = 0;
  // It will read and write nothing more.
  virtual void closed(Connection& connection) = 0;
};

class Connection : public Outlet, public std::enable_shared_from_this<Connection> {
 public:
  // Begins: the TLS handshake, or reading.
  virtual void start() = 0;
  // Batches of its session have become durable: what waited for them may leave.
  virtual void pump() = 0;
  // About once a second: time to log on, a counterparty that does not read.
  virtual void tick() = 0;
  // Ends it at once.
  virtual void cut(const std::string& why) = 0;
};

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, ConnectionHost& host, const ConnectionLimits& limits,
                                            const Clock& clock);
std::shared_ptr<Connection> make_tls_connection(asio::ip::tcp::socket socket, asio::ssl::context& tls, ConnectionHost& host,
                                                const ConnectionLimits& limits, const Clock& clock);

}  // namespace halocline::fix
