#include "history/catalog/rest_catalog.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/sha256.h"
#include "history/iceberg/json.h"
#include "history/iceberg/metadata_update_json.h"
#include "history/iceberg/schema_json.h"
#include "history/iceberg/table_metadata_json.h"

namespace halocline::iceberg {
namespace {

constexpr std::size_t kDefaultPage = 1'000;
constexpr std::size_t kMostPage = 10'000;
constexpr char kLevelSeparator = '\x1f';  // of the levels of a namespace in a path

constexpr const char* kEndpoints[] = {
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/register",
    "POST /v1/{prefix}/tables/rename",
    "POST /v1/{prefix}/transactions/commit",
};

// The error model's types: what clients turn back into exceptions of that name.
constexpr char kBadRequest[] = "BadRequestException";
constexpr char kNoSuchNamespace[] = "NoSuchNamespaceException";
constexpr char kNoSuchTable[] = "NoSuchTableException";
constexpr char kCommitFailed[] = "CommitFailedException";
constexpr char kNotEmpty[] = "NamespaceNotEmptyException";

HttpResponse error(int status, const char* type, const std::string& message) {
  return {status, {}, json_text({{"error", {{"message", message}, {"type", type}, {"code", status}}}})};
}

HttpResponse ok(const Json& body) { return {200, {}, json_text(body)}; }
HttpResponse no_content() { return {204, {}, ""}; }

// What a failure of a method is over HTTP. `missing` and `conflict` are the types of 404 and 409 there.
HttpResponse failed(const Status& why, const char* missing, const char* conflict = kCommitFailed) {
  switch (why.code()) {
    case Code::kInvalidArgument: return error(400, kBadRequest, why.message());
    case Code::kNotFound: return error(404, missing, why.message());
    case Code::kAlreadyExists: return error(409, "AlreadyExistsException", why.message());
    case Code::kFailedPrecondition: return error(409, conflict, why.message());
    case Code::kUnsupported: return error(406, "UnsupportedOperationException", why.message());
    // Not one of the codes that make a client take the outcome for unknown: it did not happen.
    case Code::kResourceExhausted: return error(507, "ServiceFailureException", why.message());
    case Code::kUnavailable: return error(500, "CommitStateUnknownException", why.message());
    default:
      log_line(LogLevel::kError, "catalog.failed", {{"why", why.to_string()}});
      return error(500, "ServiceFailureException", why.message());
  }
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// RFC 3986; a '+' is a space in a query, as forms write it.
std::optional<std::string> decoded(std::string_view text, bool query) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const std::optional<int> high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      out += query && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

struct Target {
  std::vector<std::string> path;  // "/v1/a/b": "v1", "a", "b"
  std::map<std::string, std::string> query;
};

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  const std::size_t mark = text.find('?');
  std::string_view path = text.substr(0, mark);
  if (!path.starts_with('/')) return std::nullopt;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    const std::optional<std::string> plain = decoded(part, false);
    if (!plain.has_value()) return std::nullopt;
    target.path.push_back(*plain);
    path.remove_prefix(part.size());
  }
  std::string_view query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::optional<std::string> key = decoded(part.substr(0, equals), true);
    const std::optional<std::string> value = decoded(part.substr(std::min(equals + 1, part.size())), true);
    if (!key.has_value() || !value.has_value()) return std::nullopt;
    target.query.insert_or_assign(*key, *value);
    query.remove_prefix(std::min(part.size() + 1, query.size()));
  }
  return target;
}

Namespace levels_of(std::string_view text) {
  Namespace space;
  while (true) {
    const std::size_t end = text.find(kLevelSeparator);
    space.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return space;
    text.remove_prefix(end + 1);
  }
}

// Without a pageToken all is asked for at once; with one, even an empty one, a page (REST spec, PageToken).
Result<PageRequest> page_request(const Target& target) {
  const auto token = target.query.find("pageToken");
  if (token == target.query.end()) return PageRequest{};
  PageRequest page{"", kDefaultPage};
  const std::string& text = token->second;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::optional<int> high = hex_digit(text[i]), low = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    if (!high || !low) return Status(Code::kInvalidArgument, "pageToken is not one that was given");
    page.after += static_cast<char>(*high * 16 + *low);
  }
  if (const auto size = target.query.find("pageSize"); size != target.query.end()) {
    const std::string& number = size->second;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), page.size);
    if (failure != std::errc() || end != number.data() + number.size() || page.size < 1) {
      return Status(Code::kInvalidArgument, "pageSize is \"" + number + "\"; it must be a whole number of at least 1");
    }
    page.size = std::min(page.size, kMostPage);
  }
  return page;
}

void add_next_page(Json& json, const std::string& next) {
  if (!next.empty()) json["next-page-token"] = hex(std::as_bytes(std::span(next)));
}

// Same place, same bytes: metadata files never change.
std::string etag_of(const std::string& metadata_location, bool all_snapshots) {
  return "\"" + hex(sha256(metadata_location)).substr(0, 32) + (all_snapshots ? "" : "-refs") + "\"";
}

bool matches(std::string_view if_none_match, const std::string& etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

// `config` is nullptr where the answer has none.
HttpResponse table_response(const LoadedTable& table, const Json* config) {
  Json json = {{"metadata", to_json(*table.metadata)}};
  if (config != nullptr) json["config"] = *config;
  HttpResponse response;
  if (!table.metadata_location.empty()) {
    json["metadata-location"] = table.metadata_location;
    response.headers.emplace_back("ETag", etag_of(table.metadata_location, true));
  }
  response.body = json_text(json);
  return response;
}

TableName read_identifier(const Json& json, Status& first) {
  ObjectReader in(json, "table identifier", first);
  static_cast<void>(in.array("namespace"));
  return {in.maybe_text_list("namespace"), in.text("name")};
}

TableCommit read_commit(const Json& json, Status& first) {
  ObjectReader in(json, "commit", first);
  TableCommit commit;
  commit.requirements = read_requirements(in.array("requirements"), first);
  commit.updates = read_updates(in.array("updates"), first);
  return commit;
}

// One request, with what it is about taken apart.
class Call {
 public:
  Call(TableCatalog& catalog, const RestCatalogOptions& options, const HttpRequest& request, Target target)
      : catalog_(catalog), options_(options), request_(request), target_(std::move(target)) {}

  // REST spec, "paths".
  HttpResponse answer() {
    const std::vector<std::string>& path = target_.path;
    const std::size_t parts = path.size();
    if (parts < 2 || path[0] != "v1") return unknown_path();
    if (parts == 2 && path[1] == "config") return by_method({{"GET", &Call::config}});
    if (parts == 3 && path[1] == "tables" && path[2] == "rename") return by_method({{"POST", &Call::rename_table}});
    if (parts == 3 && path[1] == "transactions" && path[2] == "commit") return by_method({{"POST", &Call::commit_transaction}});
    if (path[1] != "namespaces") return unknown_path();
    if (parts == 2) return by_method({{"GET", &Call::list_namespaces}, {"POST", &Call::create_namespace}});
    space_ = levels_of(path[2]);
    if (parts == 3) {
      return by_method({{"GET", &Call::load_namespace}, {"HEAD", &Call::namespace_exists}, {"DELETE", &Call::drop_namespace}});
    }
    if (parts == 4 && path[3] == "properties") return by_method({{"POST", &Call::update_namespace}});
    if (parts == 4 && path[3] == "register") return by_method({{"POST", &Call::register_table}});
    if (parts == 4 && path[3] == "tables") return by_method({{"GET", &Call::list_tables}, {"POST", &Call::create_table}});
    if (parts != 5 || path[3] != "tables") return unknown_path();
    table_ = {space_, path[4]};
    return by_method({{"GET", &Call::load_table},
                      {"HEAD", &Call::table_exists},
                      {"POST", &Call::commit_table},
                      {"DELETE", &Call::drop_table}});
  }

 private:
  using Method = HttpResponse (Call::*)();

  HttpResponse by_method(std::initializer_list<std::pair<const char*, Method>> methods) {
    std::string allowed;
    for (const auto& [name, method] : methods) {
      if (request_.method == name) return (this->*method)();
      allowed += (allowed.empty() ? "" : ", ") + std::string(name);
    }
    HttpResponse response = error(405, kBadRequest, request_.method + " is not served here; " + allowed + " is");
    response.headers.emplace_back("Allow", allowed);
    return response;
  }

  // REST spec, "LoadTableResult": what a client needs to read and write the table's files.
  Json table_config() const {
    Json config(options_.file_io);
    config.update(Json(options_.credentials));
    return config;
  }

  HttpResponse loaded_response(const LoadedTable& table) const {
    const Json config = table_config();
    return table_response(table, &config);
  }

  HttpResponse unknown_path() { return error(404, kBadRequest, "No such path: " + request_.target); }

  // The body as an object, for a reader; the failure goes into first_.
  const Json& body() {
    Result<Json> json = parse_json(request_.body, "request body");
    if (json.ok()) {
      body_ = json.take();
    } else {
      first_ = json.status();
    }
    return body_;
  }

  HttpResponse config() {
    const auto asked = target_.query.find("warehouse");
    if (asked != target_.query.end() && !asked->second.empty() && asked->second != options_.warehouse) {
      return error(404, "NoSuchWarehouseException", "There is no warehouse " + asked->second + " here; leave it out, or ask for " +
                                                        options_.warehouse);
    }
    Json endpoints = Json::array();
    for (const char* endpoint : kEndpoints) endpoints.push_back(endpoint);
    return ok({{"defaults", Json(options_.file_io)}, {"overrides", Json::object()}, {"endpoints", std::move(endpoints)}});
  }

  HttpResponse list_namespaces() {
    const Result<PageRequest> page = page_request(target_);
    if (!page.ok()) return failed(page.status(), kNoSuchNamespace);
    const auto parent = target_.query.find("parent");
    const Namespace above = parent == target_.query.end() || parent->second.empty() ? Namespace() : levels_of(parent->second);
    const Result<Page<Namespace>> listed = catalog_.list_namespaces(above, page.value());
    if (!listed.ok()) return failed(listed.status(), kNoSuchNamespace);
    Json json = {{"namespaces", listed.value().items}};
    add_next_page(json, listed.value().next);
    return ok(json);
  }

  HttpResponse create_namespace() {
    ObjectReader in(body(), "namespace", first_);
    static_cast<void>(in.array("namespace"));
    const Namespace space = in.maybe_text_list("namespace");
    const Properties properties = in.maybe_texts("properties");
    const Status status = first_.ok() ? catalog_.create_namespace(space, properties) : first_;
    if (!status.ok()) return failed(status, kNoSuchNamespace);
    return ok({{"namespace", space}, {"properties", properties}});
  }

  HttpResponse load_namespace() {
    const Result<Properties> properties = catalog_.load_namespace(space_);
    if (!properties.ok()) return failed(properties.status(), kNoSuchNamespace);
    return ok({{"namespace", space_}, {"properties", properties.value()}});
  }

  HttpResponse namespace_exists() {
    const Result<Properties> properties = catalog_.load_namespace(space_);
    return properties.ok() ? no_content() : failed(properties.status(), kNoSuchNamespace);
  }

  HttpResponse drop_namespace() {
    const Status status = catalog_.drop_namespace(space_);
    return status.ok() ? no_content() : failed(status, kNoSuchNamespace, kNotEmpty);
  }

  HttpResponse update_namespace() {
    ObjectReader in(body(), "namespace properties", first_);
    const std::vector<std::string> removals = in.maybe_text_list("removals");
    const Properties updates = in.maybe_texts("updates");
    if (!first_.ok()) return failed(first_, kNoSuchNamespace);
    for (const std::string& key : removals) {
      if (updates.contains(key)) {
        return error(422, "UnprocessableEntityException",
                     "Invalid namespace update, cannot simultaneously set and remove keys: [" + key + "]");
      }
    }
    const Result<NamespaceChange> change = catalog_.update_namespace(space_, removals, updates);
    if (!change.ok()) return failed(change.status(), kNoSuchNamespace);
    return ok({{"updated", change.value().updated}, {"removed", change.value().removed}, {"missing", change.value().missing}});
  }

  HttpResponse list_tables() {
    const Result<PageRequest> page = page_request(target_);
    if (!page.ok()) return failed(page.status(), kNoSuchNamespace);
    const Result<Page<TableName>> listed = catalog_.list_tables(space_, page.value());
    if (!listed.ok()) return failed(listed.status(), kNoSuchNamespace);
    Json identifiers = Json::array();
    for (const TableName& table : listed.value().items) identifiers.push_back({{"namespace", table.space}, {"name", table.name}});
    Json json = {{"identifiers", std::move(identifiers)}};
    add_next_page(json, listed.value().next);
    return ok(json);
  }

  HttpResponse create_table() {
    ObjectReader in(body(), "table", first_);
    NewTable table;
    table.table = {space_, in.text("name")};
    table.draft.location = in.maybe_text("location").value_or("");
    table.draft.schema = read_schema(in.object("schema"), first_);
    if (const Json* spec = in.find("partition-spec")) table.draft.spec = read_spec(*spec, first_);
    if (const Json* order = in.find("write-order")) table.draft.order = read_order(*order, first_);
    table.draft.properties = in.maybe_texts("properties");
    table.staged = in.maybe_flag("stage-create").value_or(false);
    if (!first_.ok()) return failed(first_, kNoSuchNamespace);
    const Result<LoadedTable> made = catalog_.create_table(table);
    return made.ok() ? loaded_response(made.value()) : failed(made.status(), kNoSuchNamespace);
  }

  HttpResponse register_table() {
    ObjectReader in(body(), "registration", first_);
    const TableName table = {space_, in.text("name")};
    const std::string location = in.text("metadata-location");
    const bool overwrite = in.maybe_flag("overwrite").value_or(false);
    if (!first_.ok()) return failed(first_, kNoSuchNamespace);
    const Result<LoadedTable> made = catalog_.register_table(table, location, overwrite);
    if (made.status().code() == Code::kOutOfRange) return error(404, "NotFoundException", made.status().message());
    return made.ok() ? loaded_response(made.value()) : failed(made.status(), kNoSuchNamespace);
  }

  HttpResponse load_table() {
    const auto asked = target_.query.find("snapshots");
    const bool all = asked == target_.query.end() || asked->second == "all" || asked->second.empty();
    if (!all && asked->second != "refs") return error(400, kBadRequest, "snapshots is \"" + asked->second + "\", not all or refs");
    const Result<LoadedTable> table = catalog_.load_table(table_);
    if (table.status().code() == Code::kOutOfRange) return error(404, "NotFoundException", table.status().message());
    if (!table.ok()) return failed(table.status(), kNoSuchTable);
    const std::string etag = etag_of(table.value().metadata_location, all);
    HttpResponse response;
    if (matches(request_.header("If-None-Match"), etag)) {
      response.status = 304;
    } else {
      const TableMetadata& metadata = *table.value().metadata;
      response = ok({{"metadata-location", table.value().metadata_location},
                     {"metadata", to_json(all ? metadata : only_referenced_snapshots(metadata))},
                     {"config", table_config()}});
    }
    response.headers.emplace_back("ETag", etag);
    return response;
  }

  HttpResponse table_exists() {
    const Result<LoadedTable> table = catalog_.load_table(table_);
    return table.ok() ? no_content() : failed(table.status(), kNoSuchTable);
  }

  HttpResponse commit_table() {
    TableCommit commit = read_commit(body(), first_);
    commit.table = table_;
    if (!first_.ok()) return failed(first_, kNoSuchTable);
    const Result<LoadedTable> table = catalog_.commit_table(commit);
    return table.ok() ? table_response(table.value(), nullptr) : failed(table.status(), kNoSuchTable);
  }

  HttpResponse commit_transaction() {
    std::vector<TableCommit> commits;
    ObjectReader in(body(), "transaction", first_);
    for (const Json& json : in.array("table-changes")) {
      commits.push_back(read_commit(json, first_));
      ObjectReader change(json, "commit", first_);
      commits.back().table = read_identifier(change.object("identifier"), first_);
      if (!first_.ok()) break;
    }
    if (first_.ok() && commits.empty()) in.fail("table-changes is empty");
    if (!first_.ok()) return failed(first_, kNoSuchTable);
    const Status status = catalog_.commit_transaction(commits);
    return status.ok() ? no_content() : failed(status, kNoSuchTable);
  }

  HttpResponse drop_table() {
    const auto asked = target_.query.find("purgeRequested");
    const std::string purge = asked == target_.query.end() ? "false" : asked->second;
    const bool yes = purge == "true" || purge == "True";  // as Java and Python write it
    if (!yes && purge != "false" && purge != "False") {
      return error(400, kBadRequest, "purgeRequested is \"" + purge + "\", not true or false");
    }
    const Status status = catalog_.drop_table(table_, yes);
    return status.ok() ? no_content() : failed(status, kNoSuchTable);
  }

  HttpResponse rename_table() {
    ObjectReader in(body(), "rename", first_);
    const TableName from = read_identifier(in.object("source"), first_), to = read_identifier(in.object("destination"), first_);
    const Status status = first_.ok() ? catalog_.rename_table(from, to) : first_;
    if (status.code() == Code::kFailedPrecondition) return error(404, kNoSuchNamespace, status.message());
    return status.ok() ? no_content() : failed(status, kNoSuchTable);
  }

  TableCatalog& catalog_;
  const RestCatalogOptions& options_;
  const HttpRequest& request_;
  const Target target_;
  Json body_ = Json::object();
  Status first_;
  Namespace space_;
  TableName table_;
};

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

RestCatalog::RestCatalog(TableCatalog& catalog, RestCatalogOptions options) : catalog_(catalog), options_(std::move(options)) {}

HttpResponse RestCatalog::answer(const HttpRequest& request) {
  if (!options_.token.empty() && !same_secret(request.header("Authorization"), "Bearer " + options_.token)) {
    HttpResponse response = error(401, "NotAuthorizedException", "Not authorized: send the catalog's token as Authorization: Bearer …");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  std::optional<Target> target = parse_target(request.target);
  if (!target.has_value()) return error(400, kBadRequest, "Not a path: " + request.target);
  return Call(catalog_, options_, request, *std::move(target)).answer();
}

}  // namespace halocline::iceberg
