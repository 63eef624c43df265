#include "history/http/curl_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace halocline {
namespace {

constexpr std::size_t kMostHeaderBytes = 64 << 10;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// A part of a URL; nothing when it has none.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

struct Address {
  std::string scheme, host;
};

Result<Address> parse_address(const std::string& address) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool right = curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK;
  Address parts{part_of(url.get(), CURLUPART_SCHEME), part_of(url.get(), CURLUPART_HOST)};
  const bool plain = part_of(url.get(), CURLUPART_USER).empty() && part_of(url.get(), CURLUPART_QUERY).empty() &&
                     part_of(url.get(), CURLUPART_FRAGMENT).empty();
  if (right && plain && (parts.scheme == "http" || parts.scheme == "https") && !parts.host.empty()) return parts;
  return Status(Code::kInvalidArgument, "an address must be http://host:port/path or https://host:port/path, without user, "
                                        "query or fragment");
}

// What comes of one request.
struct Answer {
  HttpResponse response;
  std::size_t header_bytes = 0, most_bytes = 0;
  bool too_large = false;
};

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* to) {
  Answer& answer = *static_cast<Answer*>(to);
  const std::size_t size = one * count;
  if (size > answer.most_bytes - answer.response.body.size()) {
    answer.too_large = true;
    return 0;
  }
  answer.response.body.append(bytes, size);
  return size;
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* to) {
  Answer& answer = *static_cast<Answer*>(to);
  std::string_view line(bytes, one * count);
  const std::size_t size = line.size();
  answer.header_bytes += size;
  if (answer.header_bytes > kMostHeaderBytes) {
    answer.too_large = true;
    return 0;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) answer.response.headers.clear();  // after those of a 100 Continue
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  answer.response.headers.emplace_back(line.substr(0, colon), value);
  return size;
}

// Failures before anything of the request was sent.
bool before_sending(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return true;
    default:
      return false;
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpClientOptions options) : options_(std::move(options)) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    Handle handle = take();
    if (handle == nullptr) return Status(Code::kIo, "libcurl gives no handle");
    CURL* const curl = handle.get();
    curl_easy_reset(curl);  // connections stay
    const std::string url = options_.address + request.target;
    Answer answer;
    answer.most_bytes = options_.most_bytes;
    char why[CURL_ERROR_SIZE] = "";
    List headers;
    const auto add = [&](const std::string& line) {
      if (curl_slist* longer = curl_slist_append(headers.get(), line.c_str()); longer != nullptr) {
        static_cast<void>(headers.release());
        headers.reset(longer);
      }
    };
    add("Expect:");  // it would be waited for
    for (const auto& [name, value] : request.headers) add(name + ": " + value);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "halocline");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_seconds));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(options_.whole_seconds));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stalled_seconds));
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (request.method == "POST") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    } else if (request.method != "GET") {
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    if (request.method != "GET") curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    give_back(std::move(handle));
    if (code != CURLE_OK) {
      std::string text = answer.too_large ? "its answer is larger than is taken" : *why != '\0' ? why : curl_easy_strerror(code);
      return Status(before_sending(code) ? Code::kIo : Code::kUnavailable, options_.address + ": " + text);
    }
    answer.response.status = static_cast<int>(status);
    return std::move(answer.response);
  }

 private:
  // A handle with its connections, which no other thread uses meanwhile.
  Handle take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(idle_.back());
    idle_.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
  }

  const HttpClientOptions options_;
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(HttpClientOptions options) {
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (begun != CURLE_OK) return Status(Code::kInternal, std::string("cannot begin with libcurl: ") + curl_easy_strerror(begun));
  if (Result<Address> parts = parse_address(options.address); !parts.ok()) return parts.status();
  while (options.address.ends_with('/')) options.address.pop_back();
  return std::unique_ptr<HttpClient>(std::make_unique<CurlClient>(std::move(options)));
}

bool is_private(const std::string& address) {
  const Result<Address> parts = parse_address(address);
  if (!parts.ok()) return false;
  const std::string& host = parts.value().host;
  const bool digits = host.find_first_not_of("0123456789.") == std::string::npos;
  return parts.value().scheme == "https" || host == "localhost" || host == "[::1]" || (digits && host.starts_with("127."));
}

}  // namespace halocline
