// Any bytes as what another one's catalog and its token endpoint answer: the first byte chooses the status, the rest is the body. What must
// hold: whatever comes is taken or refused with a message, and a commit is never taken for one that did not happen when that is not known.
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "history/catalog/remote_catalog.h"

namespace {

using namespace halocline;
using namespace halocline::iceberg;

constexpr int kStatuses[] = {200, 204, 302, 400, 401, 403, 404, 405, 409, 419, 500, 501, 503, 507};
constexpr int kMostAnswers = 8;  // a listing may have as many pages as it says
constexpr char kConfig[] = R"({"defaults":{},"overrides":{"prefix":"p"},"endpoints":["POST /v1/{prefix}/transactions/commit"]})";

class Answers final : public HttpClient {
 public:
  explicit Answers(HttpResponse response) : response_(std::move(response)) {}
  Result<HttpResponse> send(const HttpRequest& request) override {
    if (attached && request.target.starts_with("/v1/config")) return HttpResponse{200, {}, kConfig};
    if (++given_ % kMostAnswers == 0) return Status(Code::kUnavailable, "no more");
    return response_;
  }
  bool attached = false;

 private:
  const HttpResponse response_;
  int given_ = 0;
};

// The file that a token is had for, gone with the program.
struct Secret {
  Secret() { std::ofstream(path) << "client_id = a\nclient_secret = b\n"; }
  ~Secret() { static_cast<void>(std::filesystem::remove(path)); }
  const std::string path = std::filesystem::temp_directory_path() / ("halocline-fuzz-secret-" + std::to_string(::getpid()));
};

void say(const Status& status) { CHECK(status.ok() || !status.message().empty(), "a refusal without a message"); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int status = kStatuses[data[0] % std::size(kStatuses)];
  Answers answers({status, {}, std::string(reinterpret_cast<const char*>(data) + 1, size - 1)});
  static PosixDisk disk;
  static ManualClock clock(0);
  static const Secret secret;
  say(client_credentials(disk, answers, clock, {secret.path, "catalog"})->header().status());
  const std::unique_ptr<Authorization> nobody = no_authorization();
  say(RemoteCatalog(answers, *nobody, {}).attach());
  answers.attached = true;
  RemoteCatalog catalog(answers, *nobody, {});
  const TableName table{{"a"}, "t"};
  say(catalog.list_namespaces({}, {}).status());
  say(catalog.list_tables({"a"}, {}).status());
  say(catalog.create_namespace({"a"}, {}));
  say(catalog.load_table(table).status());
  Snapshot snapshot;
  snapshot.snapshot_id = 1, snapshot.summary = {{"operation", "append"}};
  const Status committed = catalog.commit_transaction({{table, {}, {AddSnapshot{snapshot}}}});
  say(committed);
  if (status >= 500 && status != 501 && status != 507) CHECK(committed.code() == Code::kUnavailable, "a %d is no answer", status);
  return 0;
}
