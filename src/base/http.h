// A request and its answer, in HTTP's terms: the seam between whoever speaks the protocol (gateways/http, history/http) and whoever knows
// what is asked for (history/catalog/rest_catalog.h, history/catalog/remote_catalog.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace halocline {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // as sent: "/v1/namespaces?parent=a%1Fb"
  HttpHeaders headers;
  std::string body;

  // The first of that name, in any case; nothing when there is none.
  std::string_view header(std::string_view name) const {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    for (const auto& [key, value] : headers) {
      bool same = key.size() == name.size();
      for (std::size_t i = 0; same && i < name.size(); ++i) same = lower(key[i]) == lower(name[i]);
      if (same) return value;
    }
    return {};
  }
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;  // JSON, unless a Content-Type among the headers says otherwise; a HEAD's is not sent
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Several threads at once. May take as long as the disk does; it throws nothing.
  virtual HttpResponse answer(const HttpRequest& request) = 0;
};

// The other side of it: asks a server.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // The request's target comes behind the address that the client was made with. Several threads at once. kIo: it was not sent.
  // kUnavailable: nobody knows what became of it; it was sent, or may have been, and no whole answer came.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

}  // namespace halocline
