// The gRPC gateway: api/halocline/v1 over HTTP/2, with reflection and the standard health service.
//
//   GrpcOptions options;
//   options.listen = "127.0.0.1:0";
//   std::unique_ptr<Gateway> gateway = make_grpc_gateway(options);
//   Status started = gateway->start(port);   // gateway->address() has the real port number
//
// Everything is bounded by the options: what one stream may have unanswered, what all streams together may, how many calls
// are open, how far a subscriber may fall behind. Threads: gRPC's own (half the cores, at least 2, for the calls;
// at most two a core for its timers and resolvers) and one of ours, which hands answers and events to gRPC so that
// no core thread ever enters it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "command/gateway.h"

namespace halocline {

struct GrpcOptions {
  std::string listen = "127.0.0.1:7117";  // host:port, [v6]:port or unix:/path; port 0 takes a free one
  std::string tls_certificate;            // PEM file with the certificate chain; empty: no TLS
  std::string tls_key;                    // PEM file with its private key; both or neither
  std::size_t max_message_bytes = 1u << 20;       // a larger request ends its call with RESOURCE_EXHAUSTED
  std::uint32_t max_streams = 256;                // open calls of one connection; more wait at the client
  std::uint32_t max_calls = 4096;                 // open calls in all; more are refused with RESOURCE_EXHAUSTED
  std::uint32_t max_listings = 64;                // of those, calls that hold the rows of a listing
  std::uint32_t window_batches = 64;              // unanswered batches of one stream; then it is not read from
  std::size_t window_bytes = 4u << 20;            // the same in bytes of requests
  std::size_t total_window_bytes = 128u << 20;    // of all streams; beyond, each may have one batch under way
  std::uint32_t subscriber_queue = 8192;          // alert events a subscriber may lag; then it is cut
  std::uint32_t client_queries = 100'000;         // subscriptions to queries of one client (client_quota.h); more are refused
};

std::unique_ptr<Gateway> make_grpc_gateway(const GrpcOptions& options);

}  // namespace halocline
