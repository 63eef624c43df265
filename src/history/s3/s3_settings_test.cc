#include "history/s3/s3_settings.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "history/s3/s3_warehouse.h"

namespace halocline {
namespace {

class S3SettingsTest : public testing::Test {
 protected:
  static constexpr const char* kVariables[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION",
                                               "AWS_CA_BUNDLE"};
  S3SettingsTest() {
    for (const char* name : kVariables) unsetenv(name);
  }
  ~S3SettingsTest() override {
    for (const char* name : kVariables) unsetenv(name);
  }
};

TEST_F(S3SettingsTest, WhatIsNotSaidIsAsTheEnvironmentSays) {
  EXPECT_EQ(complete({}).value().endpoint, "");
  EXPECT_EQ(complete({}).value().region, "");
  EXPECT_EQ(complete({.endpoint = "http://127.0.0.1:9000/"}).value().endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(complete({.endpoint = "http://127.0.0.1:9000/"}).value().region, "us-east-1");
  setenv("AWS_ENDPOINT_URL", "https://all.example.com", 1);
  setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
  setenv("AWS_CA_BUNDLE", "/ca.pem", 1);
  EXPECT_EQ(complete({}).value().endpoint, "https://all.example.com");
  EXPECT_EQ(complete({}).value().region, "eu-west-2");
  EXPECT_EQ(complete({}).value().ca_file, "/ca.pem");
  setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com", 1);
  setenv("AWS_REGION", "eu-west-1", 1);
  EXPECT_EQ(complete({}).value().endpoint, "https://s3.example.com");
  EXPECT_EQ(complete({}).value().region, "eu-west-1");
  EXPECT_EQ(complete({.endpoint = "http://h", .region = "r", .ca_file = "c"}).value().region, "r");
}

TEST_F(S3SettingsTest, AnEndpointIsAHost) {
  for (const char* wrong : {"127.0.0.1:9000", "ftp://host", "http://", "https://:9000", "http://host/path",
                            "http://anna:secret@host", "http://host?x"}) {
    const Result<S3Settings> settings = complete({.endpoint = wrong});
    EXPECT_EQ(settings.status().code(), Code::kInvalidArgument) << wrong;
    EXPECT_EQ(settings.status().message().find("secret"), std::string::npos);
  }
}

TEST_F(S3SettingsTest, CredentialsAreReadAsTheAwsToolsWriteThem) {
  const S3Credentials first = parse_s3_credentials("# keys\n[default]\r\naws_access_key_id=AK\r\naws_secret_access_key = a/b+c=\n\n"
                                                   "region = x\n[other]\naws_access_key_id = B\n").value();
  EXPECT_EQ(first.access_key, "AK");
  EXPECT_EQ(first.secret_key, "a/b+c=");
  EXPECT_EQ(first.session_token, "");
  const S3Credentials bare = parse_s3_credentials("aws_access_key_id=A\naws_secret_access_key=S\naws_session_token=T\n"
                                                  "[x]\naws_access_key_id=B").value();
  EXPECT_EQ(bare.access_key, "A");
  EXPECT_EQ(bare.session_token, "T");
  for (const char* wrong : {"", "[default]\n", "aws_access_key_id = A\n", "aws_secret_access_key = S\n", "secret",
                            "[a]\n[b]\naws_access_key_id=A\n"}) {
    const Status status = parse_s3_credentials(wrong).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << wrong;
    EXPECT_EQ(status.message().find("secret\""), std::string::npos);
  }
}

TEST_F(S3SettingsTest, ClientsAreToldWhereAndApartFromThatTheKeys) {
  const iceberg::Properties where = s3_file_io(S3Settings{"http://h:1", "r", true, "", {"A", "S", ""}});
  EXPECT_EQ(where, (iceberg::Properties{
                       {"client.region", "r"}, {"s3.endpoint", "http://h:1"}, {"s3.path-style-access", "true"}, {"s3.region", "r"}}));
  EXPECT_EQ(s3_file_io(S3Settings{}), iceberg::Properties{});
  EXPECT_EQ(s3_file_io(S3Credentials{}), iceberg::Properties{});
  EXPECT_EQ(s3_file_io(S3Credentials{"A", "S", "T"}),
            (iceberg::Properties{{"s3.access-key-id", "A"}, {"s3.secret-access-key", "S"}, {"s3.session-token", "T"}}));
}

TEST(S3LocationTest, HasOneSpelling) {
  EXPECT_EQ(canonical_s3_location("s3://books").value(), "s3://books");
  EXPECT_EQ(canonical_s3_location("s3a://books/a/b/").value(), "s3://books/a/b");
  EXPECT_EQ(canonical_s3_location("s3n://b.k-1/day=2026-11-26/x y").value(), "s3://b.k-1/day=2026-11-26/x y");
  for (const char* wrong : {"/books/a", "file:///books", "s3:/books", "s3://", "s3://b", "s3://Books/a", "s3://books//a",
                            "s3://books/a/../b", "s3://books/./a", "s3://books/a//", "s3://books/.."}) {
    EXPECT_EQ(canonical_s3_location(wrong).status().code(), Code::kInvalidArgument) << wrong;
  }
}

TEST(S3LocationTest, AWarehouseTakesWhatIsBelowIt) {
  PosixDisk disk;
  const S3Settings settings{"http://127.0.0.1:1", "", true, "", {"A", "S", ""}};  // nothing is sent
  const std::unique_ptr<Warehouse> warehouse = open_warehouse(disk, "s3a://books/lake/", settings).take();
  EXPECT_EQ(warehouse->root(), "s3://books/lake");
  EXPECT_EQ(warehouse->canonical("s3a://books/lake/t/").value(), "s3://books/lake/t");
  for (const char* wrong : {"s3://books/lake", "s3://books/lakes/t", "s3://other/lake/t", "file:///books/lake/t", "s3://books/lake/../t"}) {
    EXPECT_EQ(warehouse->canonical(wrong).status().code(), Code::kInvalidArgument) << wrong;
    EXPECT_EQ(warehouse->write(wrong, "x").code(), Code::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(open_warehouse(disk, "gs://books/lake", {}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(open_warehouse(disk, "s3://B", settings).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(open_warehouse(disk, "s3://books", {.endpoint = "nowhere"}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(open_warehouse(disk, "s3://books", settings, "nonsense").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(open_warehouse(disk, "/srv/lake", {}).value()->root(), "file:///srv/lake");
}

}  // namespace
}  // namespace halocline
