#include "client/server_address.h"

#include <fstream>

#include <gtest/gtest.h>

namespace halocline {
namespace {

TEST(ServerAddress, PlainTextIsDialedAsItIs) {
  for (const char* text : {"127.0.0.1:7117", "[::1]:1", "unix:/tmp/s", "risk.example:7117"}) {
    const Result<ServerAddress> address = parse_server_address(text);
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(address.value().target, text);
    EXPECT_FALSE(address.value().tls);
  }
}

TEST(ServerAddress, HttpsIsTlsWithTheSystemsRootsOrThoseOfAFile) {
  const Result<ServerAddress> address = parse_server_address("https://risk.example:7117");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address.value().target, "risk.example:7117");
  EXPECT_TRUE(address.value().tls);
  EXPECT_EQ(address.value().roots, "");

  const std::string file = testing::TempDir() + "/server_address_ca.pem";
  std::ofstream(file) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const Result<ServerAddress> own = parse_server_address("https://risk.example:7117?ca=" + file);
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own.value().target, "risk.example:7117");
  EXPECT_TRUE(own.value().roots.starts_with("-----BEGIN CERTIFICATE-----"));
}

TEST(ServerAddress, SaysWhatIsWrong) {
  const std::string no_pem = testing::TempDir() + "/server_address_no.pem";
  std::ofstream(no_pem) << "hello";
  const struct {
    std::string text, says;
  } cases[] = {
      {"", "is empty"},
      {"http://h:1", "write HOST:PORT, or https://HOST:PORT for TLS"},
      {"https://h:1?cert=x", "unknown parameter cert=x; there is ?ca=FILE"},
      {"https://h:1?ca=/no/such/file", "/no/such/file"},
      {"https://h:1?ca=" + no_pem, "holds none in PEM form"},
  };
  for (const auto& [text, says] : cases) {
    const Result<ServerAddress> address = parse_server_address(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), Code::kInvalidArgument);
    EXPECT_NE(address.status().message().find(says), std::string::npos) << address.status().message();
  }
}

}  // namespace
}  // namespace halocline
