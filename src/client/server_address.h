// Where a server is, as one text:
//   "127.0.0.1:7117", "[::1]:7117", "unix:/run/halocline.sock"   without TLS
//   "https://risk.example:7117"                                  with TLS, the server's certificate checked against the system's roots
//   "https://risk.example:7117?ca=/etc/halocline/ca.pem"         … against the certificates of this PEM file
#pragma once

#include <string>

#include "base/status.h"

namespace halocline {

struct ServerAddress {
  std::string target;  // what to dial
  bool tls = false;
  std::string roots;  // PEM text; empty: the system's
};

// kInvalidArgument says what is wrong: an empty text, an unknown scheme or parameter, a file that cannot be read.
Result<ServerAddress> parse_server_address(const std::string& text);

}  // namespace halocline
