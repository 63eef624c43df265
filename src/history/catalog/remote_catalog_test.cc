#include "history/catalog/remote_catalog.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "history/catalog/rest_catalog.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/iceberg/metadata_update_json.h"

namespace halocline::iceberg {
namespace {

using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;

// Our own catalog behind the words of HTTP, with what goes wrong on the way.
class ScriptedClient final : public HttpClient {
 public:
  explicit ScriptedClient(HttpHandler& server) : server_(server) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request);
    if (!next.empty()) {
      const Answer answer = std::move(next.front());
      next.pop_front();
      if (answer) return answer(request);
    }
    return server_.answer(request);
  }
  // The request happens, and its answer is lost.
  Answer lost() {
    return [this](const HttpRequest& request) -> Result<HttpResponse> {
      static_cast<void>(server_.answer(request));
      return Status(Code::kUnavailable, "the connection broke");
    };
  }
  // It came twice, and the second one is answered.
  Answer twice() {
    return [this](const HttpRequest& request) -> Result<HttpResponse> {
      static_cast<void>(server_.answer(request));
      return server_.answer(request);
    };
  }
  static Answer with(int status, std::string body = "") {
    return [=](const HttpRequest&) -> Result<HttpResponse> { return HttpResponse{status, {}, body}; };
  }
  static Answer broken(Code code) {
    return [=](const HttpRequest&) -> Result<HttpResponse> { return Status(code, "the connection broke"); };
  }
  std::string last(const char* header) const { return std::string(asked.back().header(header)); }

  std::deque<Answer> next;  // nothing: as the server does
  std::vector<HttpRequest> asked;

 private:
  HttpHandler& server_;
};

const TableName kTable = {{"halocline", "a b"}, "trades/é"};

class RemoteCatalogTest : public testing::Test {
 protected:
  RemoteCatalogTest() {
    char name[] = "/tmp/halocline-remote-XXXXXX";
    directory_ = mkdtemp(name);
    warehouse_ = std::make_unique<FolderWarehouse>(disk_, directory_ + "/warehouse");
    own_ = open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_).take();
    server_ = std::make_unique<RestCatalog>(*own_, RestCatalogOptions{"", warehouse_->root(), {{"s3.endpoint", "http://x"}}, {}});
    client_ = std::make_unique<ScriptedClient>(*server_);
    open(*client_, *(who_ = no_authorization()));
  }
  ~RemoteCatalogTest() override { std::filesystem::remove_all(directory_); }

  void open(HttpClient& client, Authorization& who, std::string warehouse = "") {
    catalog_ = std::make_unique<RemoteCatalog>(
        client, who, RemoteCatalogOptions{std::move(warehouse), [this](const std::string& location, const Properties& config) {
                                            placed_ = {location, config};
                                            return ok_status();
                                          }});
  }
  std::string file(const char* name, const std::string& text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }
  static NewTable draft() {
    NewTable table;
    table.table = kTable;
    table.draft.schema.fields = {required(1, "seq", primitive(TypeKind::kLong))};
    table.draft.properties = {{"format-version", "3"}, {"kept", "yes"}};
    return table;
  }
  void make_table() {
    ASSERT_TRUE(catalog_->create_namespace({"halocline"}, {}).ok());
    ASSERT_TRUE(catalog_->create_namespace({"halocline", "a b"}, {{"owner", "risk"}}).ok());
    const Result<LoadedTable> made = catalog_->create_table(draft());
    ASSERT_TRUE(made.ok()) << made.status().message();
  }
  // Adds the snapshot to the table that has `parent`.
  static TableCommit commit(std::int64_t id, std::optional<std::int64_t> parent, std::int64_t number) {
    Snapshot snapshot;
    snapshot.snapshot_id = id, snapshot.parent_snapshot_id = parent, snapshot.sequence_number = number;
    snapshot.timestamp_ms = 1'764'115'200'000, snapshot.manifest_list = "file:///none.avro", snapshot.summary = {{"operation", "append"}};
    snapshot.schema_id = 0, snapshot.first_row_id = 0, snapshot.added_rows = 0;
    SnapshotRef main;
    main.snapshot_id = id;
    return {kTable, {AssertRefSnapshotId{"main", parent}}, {AddSnapshot{snapshot}, SetSnapshotRef{"main", main}}};
  }
  std::size_t snapshots() { return own_->load_table(kTable).value().metadata->snapshots.size(); }

  PosixDisk disk_;
  ManualClock clock_{1'764'115'200'000'000'000};
  std::string directory_;
  std::unique_ptr<FolderWarehouse> warehouse_;
  std::unique_ptr<TableCatalog> own_;
  std::unique_ptr<RestCatalog> server_;
  std::unique_ptr<ScriptedClient> client_;
  std::unique_ptr<Authorization> who_;
  std::unique_ptr<RemoteCatalog> catalog_;
  std::pair<std::string, Properties> placed_;
};

TEST_F(RemoteCatalogTest, MakesLoadsListsAndCommits) {
  EXPECT_EQ(catalog_->load_table(kTable).status().code(), Code::kNotFound);
  EXPECT_EQ(catalog_->create_table(draft()).status().code(), Code::kNotFound);
  make_table();
  EXPECT_EQ(catalog_->create_namespace({"halocline"}, {}).code(), Code::kAlreadyExists);
  EXPECT_EQ(catalog_->create_table(draft()).status().code(), Code::kAlreadyExists);
  const LoadedTable table = catalog_->load_table(kTable).take();
  EXPECT_EQ(table.metadata->format_version, 3);
  EXPECT_EQ(table.metadata->property("kept", ""), "yes");
  EXPECT_EQ(table.metadata_location, own_->load_table(kTable).value().metadata_location);
  EXPECT_EQ(placed_.first, table.metadata->location);
  EXPECT_EQ(placed_.second.at("s3.endpoint"), "http://x");
  EXPECT_EQ(catalog_->list_namespaces({}, {}).value().items, std::vector<Namespace>{{"halocline"}});
  EXPECT_EQ(catalog_->list_namespaces({"halocline"}, {}).value().items, (std::vector<Namespace>{{"halocline", "a b"}}));
  EXPECT_EQ(catalog_->list_tables(kTable.space, {}).value().items, std::vector<TableName>{kTable});
  const Result<LoadedTable> committed = catalog_->commit_table(commit(7, {}, 1));
  ASSERT_TRUE(committed.ok()) << committed.status().message();
  EXPECT_EQ(committed.value().metadata->current_snapshot_id, 7);
  EXPECT_EQ(catalog_->commit_table(commit(8, {}, 2)).status().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(catalog_->commit_transaction({commit(8, 7, 2)}).ok());
  EXPECT_EQ(snapshots(), 2u);
}

TEST_F(RemoteCatalogTest, ListingsComeInPages) {
  client_->next = {nullptr, ScriptedClient::with(200, R"({"namespaces":[["a"]],"next-page-token":"p/2"})"),
                   ScriptedClient::with(200, R"({"namespaces":[["b"]]})")};
  EXPECT_EQ(catalog_->list_namespaces({}, {}).value().items, (std::vector<Namespace>{{"a"}, {"b"}}));
  EXPECT_EQ(client_->asked.back().target, "/v1/namespaces?pageToken=p%2F2");
}

TEST_F(RemoteCatalogTest, ACommitWhoseAnswerIsLostIsFound) {
  make_table();
  client_->next = {client_->lost()};
  EXPECT_TRUE(catalog_->commit_transaction({commit(1, {}, 1)}).ok());
  client_->next = {client_->lost()};
  EXPECT_EQ(catalog_->commit_table(commit(2, 1, 2)).value().metadata->current_snapshot_id, 2);
  client_->next = {client_->twice()};  // the second one is answered with 409
  EXPECT_TRUE(catalog_->commit_transaction({commit(3, 2, 3)}).ok());
  EXPECT_EQ(snapshots(), 3u);
}

TEST_F(RemoteCatalogTest, WhatIsNotFoundIsNotKnown) {
  make_table();
  for (const Answer& answer : {ScriptedClient::broken(Code::kUnavailable), ScriptedClient::with(500), ScriptedClient::with(502),
                               ScriptedClient::with(504)}) {
    client_->next = {answer};
    EXPECT_EQ(catalog_->commit_transaction({commit(1, {}, 1)}).code(), Code::kUnavailable);
    client_->next = {answer};
    EXPECT_EQ(catalog_->commit_table(commit(1, {}, 1)).status().code(), Code::kUnavailable);
  }
  // A conflict that cannot be looked at may be with itself.
  client_->next = {client_->twice(), ScriptedClient::with(503)};
  EXPECT_EQ(catalog_->commit_transaction({commit(1, {}, 1)}).code(), Code::kUnavailable);
  EXPECT_EQ(snapshots(), 1u);
  // What was not sent did not happen, and so did not what the server says it refused.
  const std::pair<Answer, Code> cases[] = {
      {ScriptedClient::broken(Code::kIo), Code::kIo},           {ScriptedClient::with(400), Code::kInvalidArgument},
      {ScriptedClient::with(403), Code::kInvalidArgument},      {ScriptedClient::with(413), Code::kResourceExhausted},
      {ScriptedClient::with(429), Code::kResourceExhausted},    {ScriptedClient::with(507), Code::kResourceExhausted},
      {ScriptedClient::with(501), Code::kUnsupported},          {ScriptedClient::with(302), Code::kIo},
  };
  for (const auto& [answer, code] : cases) {
    client_->next = {answer};
    EXPECT_EQ(catalog_->commit_transaction({commit(2, 1, 2)}).code(), code);
  }
  // Reading knows no such doubt.
  for (const Answer& answer : {ScriptedClient::broken(Code::kUnavailable), ScriptedClient::with(500), ScriptedClient::with(200, "{"),
                               ScriptedClient::with(200, R"({"metadata":{}})")}) {
    client_->next = {answer};
    EXPECT_EQ(catalog_->load_table(kTable).status().code(), Code::kIo);
  }
}

TEST_F(RemoteCatalogTest, ACatalogWithoutTransactionsIsRefused) {
  const std::string some = R"({"defaults":{},"overrides":{},"endpoints":["GET /v1/{prefix}/namespaces"]})";
  client_->next = {ScriptedClient::with(200, some)};
  EXPECT_EQ(catalog_->attach().code(), Code::kUnsupported);
  for (const int status : {404, 405, 501}) {  // one that does not say what it has
    client_->next = {ScriptedClient::with(200, R"({"defaults":{},"overrides":{}})"), ScriptedClient::with(status)};
    const Status refused = catalog_->attach();
    EXPECT_EQ(refused.code(), Code::kUnsupported);
    EXPECT_NE(refused.message().find("several tables"), std::string::npos) << refused.message();
  }
  client_->next = {ScriptedClient::with(200, R"({"defaults":{},"overrides":{}})"), ScriptedClient::with(503)};
  EXPECT_EQ(catalog_->attach().code(), Code::kIo);  // for now
  client_->next = {ScriptedClient::with(200, R"({"defaults":{},"overrides":{}})"), ScriptedClient::with(204)};
  EXPECT_TRUE(catalog_->attach().ok());
}

TEST_F(RemoteCatalogTest, AsksAsTheCatalogWantsToBeAsked) {
  open(*client_, *who_, "s3://books/a");
  client_->next = {ScriptedClient::with(404, R"({"error":{"message":"no such","type":"NoSuchWarehouseException","code":404}})"),
                   ScriptedClient::with(200, R"({"defaults":{"prefix":"a"},"overrides":{"prefix":"cats/7","namespace-separator":"%2E"},)"
                                             R"("endpoints":["POST /v1/{prefix}/transactions/commit"]})"),
                   ScriptedClient::with(200, R"({"namespaces":[]})"), ScriptedClient::with(404)};
  const Status refused = catalog_->attach();
  EXPECT_EQ(refused.message(),
            "the catalog answered 404 to GET /v1/config?warehouse=s3%3A%2F%2Fbooks%2Fa (NoSuchWarehouseException: no such)");
  EXPECT_TRUE(catalog_->list_namespaces({}, {}).ok());
  EXPECT_EQ(client_->asked.back().target, "/v1/cats/7/namespaces?pageToken=");
  EXPECT_EQ(catalog_->load_table(kTable).status().code(), Code::kNotFound);
  EXPECT_EQ(client_->asked.back().target, "/v1/cats/7/namespaces/halocline%2Ea%20b/tables/trades%2F%C3%A9");
}

TEST_F(RemoteCatalogTest, ABearerTokenIsReadForEachRequest) {
  const std::string path = file("token", "first\nnothing\n");
  const std::unique_ptr<Authorization> who = bearer_token(disk_, path);
  RestCatalog guarded(*own_, RestCatalogOptions{"second", "", {}, {}});
  ScriptedClient client(guarded);
  open(client, *who);
  const Status refused = catalog_->attach();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_EQ(refused.message().find("first"), std::string::npos) << refused.message();
  file("token", "second");
  EXPECT_TRUE(catalog_->attach().ok());
  EXPECT_EQ(client.last("Authorization"), "Bearer second");
  file("token", "\n");
  EXPECT_EQ(catalog_->load_table(kTable).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(bearer_token(disk_, "/nowhere/token")->header().status().code(), Code::kInvalidArgument);
}

TEST_F(RemoteCatalogTest, ATokenIsHadForClientCredentialsAndRenewed) {
  ScriptedClient endpoint(*server_);
  const auto token = [](const char* text, int seconds) {
    return ScriptedClient::with(200, std::string(R"({"access_token":")") + text + R"(","token_type":"bearer","expires_in":)" +
                                         std::to_string(seconds) + "}");
  };
  const std::string path = file("oauth", "client_id = halo cline\nclient_secret=p&ss\n");
  const std::unique_ptr<Authorization> who = client_credentials(disk_, endpoint, clock_, {path, "catalog"});
  RestCatalog guarded(*own_, RestCatalogOptions{"second", "", {}, {}});
  ScriptedClient client(guarded);
  open(client, *who);
  endpoint.next = {token("first", 100), token("second", 100)};
  EXPECT_TRUE(catalog_->attach().ok());  // the first one is refused
  EXPECT_EQ(endpoint.last("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(endpoint.asked.back().body, "grant_type=client_credentials&client_id=halo%20cline&client_secret=p%26ss&scope=catalog");
  clock_.advance(79'000'000'000);
  EXPECT_EQ(who->header().value(), "Bearer second");
  clock_.advance(1'000'000'000);
  endpoint.next = {token("third", 100)};
  EXPECT_EQ(who->header().value(), "Bearer third");
  // One that will never do is not asked for again and again.
  endpoint.next = {token("fourth", 100), token("fifth", 100)};
  EXPECT_EQ(catalog_->load_table(kTable).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(endpoint.asked.size(), 4u);
  static_cast<void>(who->refused("Bearer fourth"));
  for (const auto& [answer, told] : {std::pair(ScriptedClient::with(401, R"({"error":"invalid_client"})"), "401 (invalid_client)"),
                                     std::pair(ScriptedClient::with(200, R"({"access_token":"a b"})"), "no access_token"),
                                     std::pair(ScriptedClient::with(200, "<html>"), "no access_token"),
                                     std::pair(ScriptedClient::broken(Code::kUnavailable), "broke")}) {
    endpoint.next = {answer};
    const Status none = who->header().status();
    EXPECT_EQ(none.code(), Code::kIo);
    EXPECT_NE(none.message().find(told), std::string::npos) << none.message();
  }
  file("oauth", "client_id = x\n");
  EXPECT_EQ(who->header().status().code(), Code::kInvalidArgument);
}

TEST_F(RemoteCatalogTest, StorageCredentialsOfTheTableGoBeforeItsConfig) {
  make_table();
  client_->next = {[this](const HttpRequest& request) -> Result<HttpResponse> {
    HttpResponse response = server_->answer(request);
    Json json = parse_json(response.body, "table").take();
    const std::string location = json["metadata"]["location"].get<std::string>();
    json["config"] = {{"s3.region", "here"}, {"s3.access-key-id", "none"}};
    json["storage-credentials"] = {{{"prefix", location}, {"config", {{"s3.access-key-id", "this"}}}},
                                   {{"prefix", "file:"}, {"config", {{"s3.access-key-id", "wider"}}}},
                                   {{"prefix", "gs:"}, {"config", {{"s3.access-key-id", "other"}}}}};
    response.body = json_text(json);
    return response;
  }};
  ASSERT_TRUE(catalog_->load_table(kTable).ok());
  EXPECT_EQ(placed_.second, (Properties{{"s3.region", "here"}, {"s3.access-key-id", "this"}}));
}

}  // namespace
}  // namespace halocline::iceberg
