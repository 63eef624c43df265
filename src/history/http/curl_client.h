// Asks a server over HTTP, with libcurl. This room alone knows it.
//
//   Result<std::unique_ptr<HttpClient>> client = make_http_client({.address = "https://catalog.example.com/iceberg"});
//   Result<HttpResponse> response = client.value()->send({"GET", "/v1/config", {}, ""});
//
// TLS certificates are verified, redirects are not followed (they would carry a token elsewhere), and the proxies of the environment
// (https_proxy, no_proxy) are used as curl does. A request that changes something gets a connection of its own: on one that is used again
// libcurl would send it a second time when the server has just closed it.
//
// Any thread, several at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/http.h"
#include "base/status.h"

namespace halocline {

struct HttpClientOptions {
  std::string address;                  // "http://127.0.0.1:8181", "https://host/path"; without a slash at its end
  std::string ca_file = {};             // PEM, who signed the server's certificate; empty: whom the machine trusts
  std::size_t most_bytes = 256u << 20;  // of an answer's body
  int connect_seconds = 5;
  int stalled_seconds = 10;  // without a byte
  int whole_seconds = 60;
};

// kInvalidArgument: the address is no http:// or https:// with a host, or carries a user or a query.
Result<std::unique_ptr<HttpClient>> make_http_client(HttpClientOptions options);

// Whether the address is one of this machine's own, or is spoken to with TLS: where a secret may be sent. Of an address that
// make_http_client takes.
bool is_private(const std::string& address);

}  // namespace halocline
