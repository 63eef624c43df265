#include "client/server_address.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

namespace halocline {
namespace {

constexpr std::string_view kTls = "https://", kCa = "ca=";

Status wrong(const std::string& text, const std::string& what) {
  return Status(Code::kInvalidArgument, "the server address \"" + text + "\" " + what);
}

}  // namespace

Result<ServerAddress> parse_server_address(const std::string& text) {
  ServerAddress address;
  if (text.empty()) return wrong(text, "is empty; write HOST:PORT or https://HOST:PORT");
  if (!text.starts_with(kTls)) {
    if (const std::size_t scheme = text.find("://"); scheme != std::string::npos) {
      return wrong(text, "begins with " + text.substr(0, scheme + 3) + "; write HOST:PORT, or https://HOST:PORT for TLS");
    }
    address.target = text;
    return address;
  }
  address.tls = true;
  address.target = text.substr(kTls.size());
  const std::size_t question = address.target.find('?');
  if (question == std::string::npos) return address;
  const std::string parameter = address.target.substr(question + 1);
  address.target.resize(question);
  if (!parameter.starts_with(kCa)) return wrong(text, "has the unknown parameter " + parameter + "; there is ?ca=FILE");
  const std::string file = parameter.substr(kCa.size());
  std::ifstream in(file, std::ios::binary);
  address.roots.assign(std::istreambuf_iterator<char>(in), {});
  if (!in.good() && !in.eof()) return wrong(text, "names certificates that cannot be read: " + file + ": " + std::strerror(errno));
  if (address.roots.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return wrong(text, "names certificates in " + file + ", which holds none in PEM form, or cannot be read");
  }
  return address;
}

}  // namespace halocline
