#include "history/catalog/remote_catalog.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "history/catalog/percent.h"
#include "history/iceberg/json.h"
#include "history/iceberg/metadata_update_json.h"
#include "history/iceberg/schema_json.h"
#include "history/iceberg/table_metadata_json.h"

namespace halocline::iceberg {
namespace {

constexpr char kTransactions[] = "/transactions/commit";
constexpr char kTransactionsEndpoint[] = "POST /v1/{prefix}/transactions/commit";
constexpr std::size_t kMostReason = 400;    // bytes of an error's text that are told
constexpr std::size_t kMostPrefix = 1'024;
constexpr std::size_t kMostPages = 10'000;  // of a listing

bool fine(const HttpResponse& response) { return response.status >= 200 && response.status < 300; }

// REST spec, "ErrorModel"; nothing of it when the answer is something else.
struct Reason {
  std::string type, message;
};
Reason reason_of(const HttpResponse& response) {
  const Result<Json> json = parse_json(response.body, "error");
  if (!json.ok() || !json.value().is_object()) return {};
  Status ignored;
  ObjectReader in(json.value(), "error", ignored);
  ObjectReader error(in.object("error"), "error", ignored);
  return {error.maybe_text("type").value_or(""), error.maybe_text("message").value_or("")};
}

std::string told(const HttpResponse& response, const std::string& what) {
  const Reason reason = reason_of(response);
  std::string text = "the catalog answered " + std::to_string(response.status) + " to " + what;
  std::string why = reason.type + (reason.type.empty() || reason.message.empty() ? "" : ": ") + reason.message;
  if (why.size() > kMostReason) why = why.substr(0, kMostReason) + "…";
  return why.empty() ? text : text + " (" + why + ")";
}

// What an answer that is not fine comes to. `changes`: whether the request changes anything, so that it matters whether it did.
Status failure(const HttpResponse& response, const std::string& what, bool changes) {
  const std::string text = told(response, what);
  switch (response.status) {
    case 401:
    case 403: return Status(Code::kInvalidArgument, text + ": are the credentials those the catalog wants?");
    case 404: return Status(Code::kNotFound, text);
    case 405:
    case 406:
    case 501: return Status(Code::kUnsupported, text);
    case 409: {
      const bool exists = reason_of(response).type == "AlreadyExistsException";
      return Status(exists ? Code::kAlreadyExists : Code::kFailedPrecondition, text);
    }
    case 413:
    case 429:
    case 507: return Status(Code::kResourceExhausted, text);
    default: break;
  }
  if (response.status >= 500) return Status(changes ? Code::kUnavailable : Code::kIo, text);
  return Status(response.status >= 400 ? Code::kInvalidArgument : Code::kIo, text);
}

Status no_transactions() {
  return Status(Code::kUnsupported,
                "catalog.uri: that catalog cannot commit to several tables at once (POST …/transactions/commit), without which the "
                "history would not be exact; use one that can, or catalog.listen");
}

// Nobody who only reads cares what became of the request.
Status when_reading(Status status) { return status.code() == Code::kUnavailable ? Status(Code::kIo, status.message()) : status; }

Json body_of(const TableCommit& commit) {
  Json requirements = Json::array(), updates = Json::array();
  for (const Requirement& requirement : commit.requirements) requirements.push_back(to_json(requirement));
  for (const MetadataUpdate& update : commit.updates) updates.push_back(to_json(update));
  return {{"identifier", {{"namespace", commit.table.space}, {"name", commit.table.name}}},
          {"requirements", std::move(requirements)},
          {"updates", std::move(updates)}};
}

// The snapshot that a commit adds.
std::optional<std::int64_t> snapshot_of(const TableCommit& commit) {
  for (const MetadataUpdate& update : commit.updates) {
    if (const AddSnapshot* added = std::get_if<AddSnapshot>(&update)) return added->snapshot.snapshot_id;
  }
  return std::nullopt;
}

// The config of a table, with the storage credentials that are for its location: of those that fit, the one with the longest prefix.
Properties config_of(ObjectReader& in, const std::string& location, Status& first) {
  Properties config = in.maybe_texts("config");
  Properties best;
  std::size_t longest = 0;
  for (const Json& one : in.maybe_array("storage-credentials")) {
    ObjectReader credential(one, "storage credential", first);
    const std::string prefix = credential.text("prefix");
    if (!location.starts_with(prefix) || prefix.size() < longest) continue;
    longest = prefix.size();
    best = credential.maybe_texts("config");
  }
  for (auto& [key, value] : best) config.insert_or_assign(key, value);
  return config;
}

}  // namespace

RemoteCatalog::RemoteCatalog(HttpClient& client, Authorization& authorization, RemoteCatalogOptions options)
    : client_(client), authorization_(authorization), options_(std::move(options)) {}

Result<HttpResponse> RemoteCatalog::ask(const std::string& method, const std::string& path, const std::string& body) {
  for (bool again = false;; again = true) {
    Result<std::string> who = authorization_.header();
    if (!who.ok()) return who.status();
    HttpRequest request{method, path, {{"Accept", "application/json"}}, body};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("X-Iceberg-Access-Delegation", "vended-credentials");
    if (!who.value().empty()) request.headers.emplace_back("Authorization", who.value());
    Result<HttpResponse> response = client_.send(request);
    // 419: REST spec, "AuthenticationTimeoutResponse".
    const bool refused = response.ok() && (response.value().status == 401 || response.value().status == 419);
    if (!refused || again || !authorization_.refused(who.value())) return response;
  }
}

// REST spec, getConfig: overrides go before everything, defaults behind it.
Status RemoteCatalog::attach() {
  const std::lock_guard lock(mutex_);
  if (base_.has_value()) return ok_status();
  const std::string path = "/v1/config" + (options_.warehouse.empty() ? "" : "?warehouse=" + percent_encoded(options_.warehouse));
  const Result<HttpResponse> response = ask("GET", path, "");
  if (!response.ok()) return when_reading(response.status());
  if (!fine(response.value())) return failure(response.value(), "GET " + path, false);
  const Result<Json> json = parse_json(response.value().body, "the catalog's configuration");
  if (!json.ok()) return Status(Code::kIo, json.status().message());
  Status first;
  ObjectReader in(json.value(), "the catalog's configuration", first);
  const Properties overrides = in.maybe_texts("overrides"), defaults = in.maybe_texts("defaults");
  const std::vector<std::string> endpoints = in.maybe_text_list("endpoints");
  if (!first.ok()) return Status(Code::kIo, first.message());
  std::string prefix;
  for (const Properties* properties : {&defaults, &overrides}) {
    if (const auto one = properties->find("prefix"); one != properties->end()) prefix = one->second;
  }
  std::string separator = separator_;  // of the levels of a namespace, encoded already
  if (const auto one = overrides.find("namespace-separator"); one != overrides.end()) separator = one->second;
  const std::string parts = prefix + separator;
  const auto is_plain = [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '&'; };
  const bool plain = std::all_of(parts.begin(), parts.end(), is_plain);
  if (!plain || parts.size() > kMostPrefix) return Status(Code::kIo, "the catalog's prefix or namespace-separator is no part of a path");
  const std::string base = prefix.empty() ? "/v1" : "/v1/" + prefix;
  if (std::find(endpoints.begin(), endpoints.end(), kTransactionsEndpoint) == endpoints.end()) {
    if (!endpoints.empty()) return no_transactions();
    // One that does not say: a transaction of nothing changes nothing.
    const Result<HttpResponse> asked = ask("POST", base + kTransactions, R"({"table-changes":[]})");
    if (!asked.ok()) return when_reading(asked.status());
    const int status = asked.value().status;
    if (status == 401 || status == 403 || status >= 500) {
      if (status != 501) return failure(asked.value(), std::string("POST ") + kTransactions, false);
    }
    if (status == 404 || status == 405 || status == 501) return no_transactions();
  }
  separator_ = separator;
  base_ = base;
  return ok_status();
}

std::string RemoteCatalog::levels_of(const Namespace& space) const {
  std::string levels;
  for (const std::string& level : space) levels += (levels.empty() ? "" : separator_) + percent_encoded(level);
  return levels;
}

std::string RemoteCatalog::path_of(const Namespace& space) const { return "/namespaces/" + levels_of(space); }

std::string RemoteCatalog::path_of(const TableName& table) const { return path_of(table.space) + "/tables/" + percent_encoded(table.name); }

Result<HttpResponse> RemoteCatalog::ask_below(const std::string& method, const std::string& path, const std::string& body) {
  if (Status status = attach(); !status.ok()) return status;
  return ask(method, *base_ + path, body);
}

Result<Page<Namespace>> RemoteCatalog::list_namespaces(const Namespace& parent, const PageRequest&) {
  Page<Namespace> all;
  if (Status status = attach(); !status.ok()) return status;
  const std::string query = parent.empty() ? "?pageToken=" : "?parent=" + levels_of(parent) + "&pageToken=";
  std::string token;
  for (std::size_t pages = 0; pages < kMostPages; ++pages) {
    const Result<HttpResponse> response = ask_below("GET", "/namespaces" + query + percent_encoded(token));
    if (!response.ok()) return when_reading(response.status());
    if (!fine(response.value())) return failure(response.value(), "GET /namespaces", false);
    const Result<Json> json = parse_json(response.value().body, "the namespaces");
    if (!json.ok()) return Status(Code::kIo, json.status().message());
    Status first;
    ObjectReader in(json.value(), "the namespaces", first);
    for (const Json& one : in.array("namespaces")) {
      const Json whole = {{"levels", one}};
      all.items.push_back(ObjectReader(whole, "namespace", first).maybe_text_list("levels"));
    }
    token = in.maybe_text("next-page-token").value_or("");
    if (!first.ok()) return Status(Code::kIo, first.message());
    if (token.empty()) return all;
  }
  return Status(Code::kIo, "the catalog's listing of namespaces has no end");
}

Result<Page<TableName>> RemoteCatalog::list_tables(const Namespace& space, const PageRequest&) {
  Page<TableName> all;
  if (Status status = attach(); !status.ok()) return status;
  std::string token;
  for (std::size_t pages = 0; pages < kMostPages; ++pages) {
    const Result<HttpResponse> response = ask_below("GET", path_of(space) + "/tables?pageToken=" + percent_encoded(token));
    if (!response.ok()) return when_reading(response.status());
    if (!fine(response.value())) return failure(response.value(), "GET " + path_of(space) + "/tables", false);
    const Result<Json> json = parse_json(response.value().body, "the tables");
    if (!json.ok()) return Status(Code::kIo, json.status().message());
    Status first;
    ObjectReader in(json.value(), "the tables", first);
    for (const Json& one : in.array("identifiers")) {
      ObjectReader identifier(one, "table identifier", first);
      all.items.push_back({identifier.maybe_text_list("namespace"), identifier.text("name")});
    }
    token = in.maybe_text("next-page-token").value_or("");
    if (!first.ok()) return Status(Code::kIo, first.message());
    if (token.empty()) return all;
  }
  return Status(Code::kIo, "the catalog's listing of tables has no end");
}

Status RemoteCatalog::create_namespace(const Namespace& space, const Properties& properties) {
  const Result<HttpResponse> response =
      ask_below("POST", "/namespaces", json_text({{"namespace", space}, {"properties", properties}}));
  if (!response.ok()) return response.status();
  return fine(response.value()) ? ok_status() : failure(response.value(), "POST /namespaces", true);
}

Result<LoadedTable> RemoteCatalog::create_table(const NewTable& table) {
  Json json = {{"name", table.table.name},
               {"schema", to_json(table.draft.schema)},
               {"partition-spec", to_json(table.draft.spec)},
               {"write-order", to_json(table.draft.order)},
               {"stage-create", table.staged},
               {"properties", table.draft.properties}};
  if (!table.draft.location.empty()) json["location"] = table.draft.location;
  if (Status status = attach(); !status.ok()) return status;
  const std::string path = path_of(table.table.space) + "/tables";
  const Result<HttpResponse> response = ask_below("POST", path, json_text(json));
  if (!response.ok()) return response.status();
  if (!fine(response.value())) return failure(response.value(), "POST " + path, true);
  return take_table(response.value());
}

Result<LoadedTable> RemoteCatalog::load_table(const TableName& table) {
  if (Status status = attach(); !status.ok()) return status;
  const Result<HttpResponse> response = ask_below("GET", path_of(table));
  if (!response.ok()) return when_reading(response.status());
  if (!fine(response.value())) return failure(response.value(), "GET " + path_of(table), false);
  return take_table(response.value());
}

Result<LoadedTable> RemoteCatalog::take_table(const HttpResponse& response) {
  const Result<Json> json = parse_json(response.body, "the table");
  if (!json.ok()) return Status(Code::kIo, json.status().message());
  Status first;
  ObjectReader in(json.value(), "the table", first);
  LoadedTable table;
  table.metadata_location = in.maybe_text("metadata-location").value_or("");
  Result<TableMetadata> metadata = read_table_metadata(in.object("metadata"));
  if (!first.ok()) return Status(Code::kIo, first.message());
  if (!metadata.ok()) {
    const bool known = metadata.status().code() == Code::kUnsupported;
    return Status(known ? Code::kUnsupported : Code::kIo, "the catalog's answer: " + metadata.status().message());
  }
  const Properties config = config_of(in, metadata.value().location, first);
  if (!first.ok()) return Status(Code::kIo, first.message());
  if (options_.placed) {
    if (Status status = options_.placed(metadata.value().location, config); !status.ok()) return status;
  }
  table.metadata = std::make_shared<const TableMetadata>(metadata.take());
  return table;
}

Result<LoadedTable> RemoteCatalog::look(const TableCommit& commit, const Status& failed) {
  if (failed.code() != Code::kUnavailable && failed.code() != Code::kFailedPrecondition) return failed;
  const std::optional<std::int64_t> snapshot = snapshot_of(commit);
  if (!snapshot.has_value()) return failed;
  Result<LoadedTable> table = load_table(commit.table);
  if (table.ok() && table.value().metadata->snapshot(*snapshot) != nullptr) return table;
  if (!table.ok() && table.status().code() != Code::kNotFound) return Status(Code::kUnavailable, failed.message());
  return failed;
}

Result<LoadedTable> RemoteCatalog::commit_table(const TableCommit& commit) {
  if (Status status = attach(); !status.ok()) return status;
  const Result<HttpResponse> response = ask_below("POST", path_of(commit.table), json_text(body_of(commit)));
  // Committed it is, also when its answer cannot be read.
  const auto unread = [](const Status& why) {
    return why.code() == Code::kIo ? Status(Code::kUnavailable, why.message()) : why;
  };
  Status why = response.status();
  if (response.ok() && fine(response.value())) {
    Result<LoadedTable> table = take_table(response.value());
    if (table.ok()) return table;
    why = unread(table.status());
  } else if (response.ok()) {
    why = failure(response.value(), "POST " + path_of(commit.table), true);
  }
  return look(commit, why);
}

Status RemoteCatalog::commit_transaction(const std::vector<TableCommit>& commits) {
  Json changes = Json::array();
  for (const TableCommit& commit : commits) changes.push_back(body_of(commit));
  const Result<HttpResponse> response = ask_below("POST", kTransactions, json_text({{"table-changes", std::move(changes)}}));
  Status why = response.status();
  if (response.ok()) {
    if (fine(response.value())) return ok_status();
    const bool no_table = reason_of(response.value()).type == "NoSuchTableException";
    const int status = response.value().status;
    if ((status == 404 && !no_table) || status == 405 || status == 501) return no_transactions();
    why = failure(response.value(), std::string("POST ") + kTransactions, true);
  }
  // All of them or none: one that tells is enough.
  for (const TableCommit& commit : commits) {
    if (snapshot_of(commit).has_value()) return look(commit, why).status();
  }
  return why;
}

}  // namespace halocline::iceberg
