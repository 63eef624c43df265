// HTTP/1.1 in front of a handler: keep-alive, one request of a connection at a time, with or without TLS.
//
//   HttpOptions options;
//   options.listen = "127.0.0.1:8181";
//   std::unique_ptr<Gateway> gateway = make_http_gateway(options, handler);
//
// One thread does all sockets; `threads` others call the handler. It has no use for the port. A request that breaks a bound is
// answered (400, 413, 431) and its connection closed; one connection too many is closed unanswered.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/http.h"
#include "command/gateway.h"

namespace halocline {

struct HttpOptions {
  std::string listen;                         // host:port or [v6]:port; port 0 takes a free one
  std::string tls_certificate, tls_key;       // PEM files; empty: no TLS
  std::size_t max_connections = 64;
  std::size_t max_body_bytes = 16u << 20;     // together with max_connections: the most memory requests can take
  std::size_t threads = 2;
};

inline constexpr std::size_t kMaxHttpHeaderBytes = 16u << 10;
inline constexpr int kHttpIdleSeconds = 60;      // between the requests of a connection
inline constexpr int kHttpTransferSeconds = 30;  // for a request, once it has begun; and for its answer to be taken

// `handler` outlives stop().
std::unique_ptr<Gateway> make_http_gateway(HttpOptions options, HttpHandler& handler);

}  // namespace halocline
