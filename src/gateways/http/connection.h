// A connection: reads a request, has it answered, writes the answer, and again. On the gateway's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/http.h"

namespace halocline::http {

class Connection;

// Who has the connections. All calls come on the gateway's thread.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  // Has the request answered on another thread, and calls `done` on the gateway's.
  virtual void work(HttpRequest request, std::function<void(HttpResponse)> done) = 0;
  // It reads and writes no more. Once.
  virtual void ended(const std::shared_ptr<Connection>& connection) = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  // Ends when the answer under way is written; at once when there is none.
  virtual void finish() = 0;
  // Ends at once.
  virtual void cut() = 0;
};

// `tls` and `host` outlive it; no TLS when nullptr.
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls, ConnectionHost& host,
                                            std::size_t max_body_bytes);

}  // namespace halocline::http
