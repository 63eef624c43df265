#include "history/s3/s3_settings.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace halocline {
namespace {

constexpr char kRegionOfOthers[] = "us-east-1";  // what MinIO and its like take for theirs

std::string first_variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

// "http://host:port"; not one with a path, or with a password in it.
bool is_endpoint(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https")) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && host.front() != ':' && host.find_first_of("/@?# ") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<S3Settings> complete(S3Settings settings) {
  if (settings.endpoint.empty()) settings.endpoint = first_variable({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.empty() && !is_endpoint(settings.endpoint)) {
    return Status(Code::kInvalidArgument, "the S3 endpoint must be http://host:port or https://host:port, without a path or a password");
  }
  if (settings.region.empty()) settings.region = first_variable({"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (settings.ca_file.empty()) settings.ca_file = first_variable({"AWS_CA_BUNDLE"});
  if (settings.region.empty() && !settings.endpoint.empty()) settings.region = kRegionOfOthers;
  return settings;
}

Result<S3Credentials> parse_s3_credentials(std::string_view text) {
  S3Credentials credentials;
  int profiles = 0;
  while (!text.empty() && profiles <= 1) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = trimmed(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      // A key before the first profile is of none, and counts.
      profiles += credentials.given() ? 2 : 1;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return Status(Code::kInvalidArgument, "a line of it is no `name = value`");
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (name == "aws_access_key_id") credentials.access_key = value;
    if (name == "aws_secret_access_key") credentials.secret_key = value;
    if (name == "aws_session_token") credentials.session_token = value;
  }
  if (credentials.access_key.empty() || credentials.secret_key.empty()) {
    return Status(Code::kInvalidArgument, "it must have aws_access_key_id and aws_secret_access_key");
  }
  return credentials;
}

iceberg::Properties s3_file_io(const S3Settings& settings) {
  iceberg::Properties properties;
  if (!settings.endpoint.empty()) {
    properties["s3.endpoint"] = settings.endpoint;
    properties["s3.path-style-access"] = settings.path_style ? "true" : "false";
  }
  // Java and DuckDB read the one, PyIceberg the other.
  if (!settings.region.empty()) properties["client.region"] = properties["s3.region"] = settings.region;
  return properties;
}

iceberg::Properties s3_file_io(const S3Credentials& credentials) {
  iceberg::Properties properties;
  if (!credentials.given()) return properties;
  properties["s3.access-key-id"] = credentials.access_key;
  properties["s3.secret-access-key"] = credentials.secret_key;
  if (!credentials.session_token.empty()) properties["s3.session-token"] = credentials.session_token;
  return properties;
}

}  // namespace halocline
