// A request and its answer, in HTTP's terms: the seam between whoever speaks the protocol (gateways/http) and whoever knows
// what is asked for (history/catalog/rest_catalog.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

}  // namespace halocline
