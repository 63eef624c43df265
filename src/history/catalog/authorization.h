// Who we are to another one's catalog: what the header Authorization of our requests says. Secrets come from files and go nowhere but into
// the requests: no message and no log line has one.
//
//   std::unique_ptr<Authorization> who = bearer_token(disk, "/etc/halocline/catalog.token");
//   Result<std::string> header = who->header();   // "Bearer …"
//
// Any thread, several at once.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/http.h"
#include "base/status.h"

namespace halocline::iceberg {

class Authorization {
 public:
  virtual ~Authorization() = default;
  // The header's value; empty: none is sent. A failure is kInvalidArgument for a file that is of no use, else kIo: for now there is none.
  virtual Result<std::string> header() = 0;
  // The server did not take this one: whether another may be had by asking again.
  virtual bool refused(const std::string& header) = 0;
};

std::unique_ptr<Authorization> no_authorization();

// The first line of a file, which is read for each request: whoever renews the token writes the file anew.
std::unique_ptr<Authorization> bearer_token(Disk& disk, std::string path);

// OAuth 2.0, "Client Credentials Grant" (RFC 6749, 4.4): the token that `endpoint` gives for the lines `client_id = …` and
// `client_secret = …` of a file, both sent in the body as Iceberg's own clients do. It is renewed when four fifths of its life are over,
// and when it is refused. `disk`, `endpoint` and `clock` outlive it.
struct ClientCredentials {
  std::string path;   // of the file
  std::string scope;  // empty: none is asked for
};
std::unique_ptr<Authorization> client_credentials(Disk& disk, HttpClient& endpoint, const Clock& clock, ClientCredentials options);

}  // namespace halocline::iceberg
