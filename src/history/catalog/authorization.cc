#include "history/catalog/authorization.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "history/catalog/percent.h"
#include "history/iceberg/json.h"

namespace halocline::iceberg {
namespace {

constexpr std::size_t kMostFileBytes = 65'536;
constexpr std::int64_t kSecond = 1'000'000'000;      // ns
constexpr std::int64_t kMostSeconds = 10 * 365 * 86'400;  // what says it lives longer is good until it is refused

// Of a header: what could end it or stand beside it is not let in.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Status unusable(const std::string& path, const std::string& why) {
  return Status(Code::kInvalidArgument, "cannot use " + path + " to attach to the catalog: " + why);
}

Result<std::string> read_secret(Disk& disk, const std::string& path) {
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return unusable(path, file.status().message());
  std::string text(kMostFileBytes, '\0');
  const Result<std::size_t> got = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!got.ok()) return unusable(path, got.status().message());
  text.resize(got.value());
  return text;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

// The value of a line `name = value`; nothing when there is no such line.
std::string value_of(std::string_view text, std::string_view name) {
  const auto trimmed = [](std::string_view part) {
    while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
    while (part.ends_with(' ') || part.ends_with('\t')) part.remove_suffix(1);
    return part;
  };
  while (!text.empty()) {
    const std::string_view line = first_line(text);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && trimmed(line.substr(0, equals)) == name) return std::string(trimmed(line.substr(equals + 1)));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}

class NoAuthorization final : public Authorization {
 public:
  Result<std::string> header() override { return std::string(); }
  bool refused(const std::string&) override { return false; }
};

class BearerToken final : public Authorization {
 public:
  BearerToken(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  Result<std::string> header() override {
    const Result<std::string> text = read_secret(disk_, path_);
    if (!text.ok()) return text;
    const std::string_view token = first_line(text.value());
    if (!is_token(token)) return unusable(path_, "its first line is no token");
    return "Bearer " + std::string(token);
  }
  bool refused(const std::string&) override { return false; }

 private:
  Disk& disk_;
  const std::string path_;
};

class OAuth2 final : public Authorization {
 public:
  OAuth2(Disk& disk, HttpClient& endpoint, const Clock& clock, ClientCredentials options)
      : disk_(disk), endpoint_(endpoint), clock_(clock), options_(std::move(options)) {}

  Result<std::string> header() override {
    const std::lock_guard lock(mutex_);
    if (!header_.empty() && (!renew_at_.has_value() || clock_.monotonic() < *renew_at_)) return header_;
    if (Status status = fetch(); !status.ok()) return status;
    return header_;
  }

  bool refused(const std::string& header) override {
    const std::lock_guard lock(mutex_);
    if (header == header_) header_.clear();
    return true;
  }

 private:
  Status fetch() {
    const Result<std::string> text = read_secret(disk_, options_.path);
    if (!text.ok()) return text.status();
    const std::string id = value_of(text.value(), "client_id"), secret = value_of(text.value(), "client_secret");
    if (id.empty() || secret.empty()) return unusable(options_.path, "it needs the lines `client_id = …` and `client_secret = …`");
    HttpRequest request{"POST", "", {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}}, ""};
    request.body = "grant_type=client_credentials&client_id=" + percent_encoded(id) + "&client_secret=" + percent_encoded(secret);
    if (!options_.scope.empty()) request.body += "&scope=" + percent_encoded(options_.scope);
    const std::int64_t asked = clock_.monotonic();
    const Result<HttpResponse> response = endpoint_.send(request);
    if (!response.ok()) return Status(Code::kIo, "no token to be had: " + response.status().message());
    return take(response.value(), asked);
  }

  // RFC 6749, 5.1 and 5.2.
  Status take(const HttpResponse& response, std::int64_t asked) {
    const Result<Json> json = parse_json(response.body, "the token's answer");
    const auto text = [&](const char* name) {
      const bool there = json.ok() && json.value().is_object() && json.value().contains(name) && json.value()[name].is_string();
      return there ? json.value()[name].get<std::string>() : std::string();
    };
    if (response.status != 200) {
      const std::string error = text("error");
      return Status(Code::kIo, "no token to be had: the endpoint answered " + std::to_string(response.status) +
                                   (is_token(error) && error.size() <= 64 ? " (" + error + ")" : ""));
    }
    const std::string token = text("access_token");
    if (!is_token(token)) return Status(Code::kIo, "no token to be had: the endpoint's answer holds no access_token");
    Status first;
    const std::int64_t seconds = ObjectReader(json.value(), "token", first).maybe_number("expires_in").value_or(0);
    header_ = "Bearer " + token;
    renew_at_.reset();
    if (first.ok() && seconds > 0 && seconds < kMostSeconds) renew_at_ = asked + seconds * kSecond / 5 * 4;
    return ok_status();
  }

  Disk& disk_;
  HttpClient& endpoint_;
  const Clock& clock_;
  const ClientCredentials options_;
  std::mutex mutex_;
  std::string header_;                    // empty: there is none
  std::optional<std::int64_t> renew_at_;  // monotonic, ns
};

}  // namespace

std::unique_ptr<Authorization> no_authorization() { return std::make_unique<NoAuthorization>(); }

std::unique_ptr<Authorization> bearer_token(Disk& disk, std::string path) { return std::make_unique<BearerToken>(disk, std::move(path)); }

std::unique_ptr<Authorization> client_credentials(Disk& disk, HttpClient& endpoint, const Clock& clock, ClientCredentials options) {
  return std::make_unique<OAuth2>(disk, endpoint, clock, std::move(options));
}

}  // namespace halocline::iceberg
