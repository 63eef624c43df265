// Another one's catalog, asked over the Iceberg REST API: any that can commit to several tables at once, which is what makes the history
// exact. Iceberg REST spec (rest-catalog-open-api.yaml).
//
//   RemoteCatalog catalog(client, authorization, {.warehouse = "books"});
//   Status status = catalog.attach();                       // also tried by each call until it works
//   Result<LoadedTable> table = catalog.load_table({{"halocline"}, "trades"});
//
// What is not answered, and what is answered with a 5xx, happened or did not: kUnavailable for what changes something, as the contract of
// table_catalog.h has it, kIo for what only reads. Before either is said of a commit that adds a snapshot, and before a commit is called
// refused (409), the table is looked at: a snapshot that is there was committed, however often the request came.
//
// Any thread, several at once; the references outlive it.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/http.h"
#include "history/catalog/authorization.h"
#include "history/catalog/table_catalog.h"

namespace halocline::iceberg {

struct RemoteCatalogOptions {
  std::string warehouse = {};  // what the catalog is asked for by; empty: it has only one
  // Told with each table that comes: its location, and what the catalog says of how to reach it (REST spec, "LoadTableResult": config).
  std::function<Status(const std::string& location, const Properties& config)> placed = {};
};

class RemoteCatalog final : public WriterCatalog {
 public:
  RemoteCatalog(HttpClient& client, Authorization& authorization, RemoteCatalogOptions options);

  // Asks how the catalog wants to be asked. kUnsupported: it cannot commit to several tables at once. kInvalidArgument: it does not let us
  // in. kIo: it is not there, for now.
  Status attach();

  Result<Page<Namespace>> list_namespaces(const Namespace& parent, const PageRequest& page) override;
  Status create_namespace(const Namespace& space, const Properties& properties) override;
  Result<Page<TableName>> list_tables(const Namespace& space, const PageRequest& page) override;
  Result<LoadedTable> create_table(const NewTable& table) override;
  Result<LoadedTable> load_table(const TableName& table) override;
  Result<LoadedTable> commit_table(const TableCommit& commit) override;
  Status commit_transaction(const std::vector<TableCommit>& commits) override;

 private:
  // One request, behind the catalog's prefix; with another token when the first is refused. The status of the answer may be any.
  Result<HttpResponse> ask(const std::string& method, const std::string& path, const std::string& body);
  // The same below /v1 and its prefix.
  Result<HttpResponse> ask_below(const std::string& method, const std::string& path, const std::string& body = "");
  // In the catalog's words, after attach().
  std::string levels_of(const Namespace& space) const;
  std::string path_of(const Namespace& space) const;
  std::string path_of(const TableName& table) const;
  Result<LoadedTable> take_table(const HttpResponse& response);
  // What a commit that failed so comes to, once its table was looked at: the table, when it has the commit's snapshot. kUnavailable when
  // it could not be looked at.
  Result<LoadedTable> look(const TableCommit& commit, const Status& failed);

  HttpClient& client_;
  Authorization& authorization_;
  const RemoteCatalogOptions options_;
  std::mutex mutex_;
  std::optional<std::string> base_;  // "/v1" and the prefix, once that is known; then nothing changes any more
  std::string separator_ = "%1F";
};

}  // namespace halocline::iceberg
