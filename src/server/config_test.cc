#include "server/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <span>
#include <sstream>

#include "server/iceberg.h"

namespace halocline {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// HALOCLINE_WRITE_TEXTS=1 writes the files anew instead of comparing them.
void compare(const std::string& name, const std::string& wanted) {
  const std::string path = std::string(HALOCLINE_SOURCE_DIR) + "/" + name;
  if (std::getenv("HALOCLINE_WRITE_TEXTS") != nullptr) std::ofstream(path, std::ios::binary) << wanted;
  EXPECT_EQ(file_text(path), wanted) << name << " is not what the table of keys gives: run this test with HALOCLINE_WRITE_TEXTS=1";
}

TEST(Config, TheExampleAndThePageAreWhatTheTableSays) {
  compare("halocline.example.toml", example_toml());
  compare("docs/configuration.md", configuration_page());
}

TEST(Config, TheExampleIsTheDefaults) {
  const Result<Config> defaults = parse_config("", "none", {}), example = parse_config(example_toml(), "example", {});
  ASSERT_TRUE(defaults.ok()) << defaults.status().message();
  ASSERT_TRUE(example.ok()) << example.status().message();
  const auto a = effective_values(defaults.value()), b = effective_values(example.value());
  ASSERT_EQ(a.size(), config_keys().size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].value, b[i].value) << a[i].key;
    EXPECT_EQ(a[i].origin, "default");
    EXPECT_TRUE(b[i].origin.starts_with("file example:")) << b[i].key;
  }
}

TEST(Config, TheEnvironmentGoesBeforeTheFileBeforeTheDefault) {
  const std::vector<std::string> environment = {"HALOCLINE_LIMITS_READS=7", "HALOCLINE_SERVER_ALLOW_PLAINTEXT_REMOTE=true", "PATH=/bin",
                                                "HALOCLINE_CRASH_AT=x"};
  const Result<Config> config = parse_config("[limits]\nreads = 5\ncalls = 9\n", "a.toml", environment);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config.value().limits.reads, 7u);
  EXPECT_EQ(config.value().limits.calls, 9u);
  EXPECT_TRUE(config.value().server.allow_plaintext_remote);
  for (const EffectiveValue& value : effective_values(config.value())) {
    if (value.key == "limits.reads") {
      EXPECT_EQ(value.origin, "environment HALOCLINE_LIMITS_READS");
    }
    if (value.key == "limits.calls") {
      EXPECT_EQ(value.origin, "file a.toml:3");
    }
    if (value.key == "log.level") {
      EXPECT_EQ(value.value, "\"info\"");
    }
  }
}

struct Wrong {
  const char* text;
  const char* environment;
  const char* message;
};

void expect_refused(const Wrong& one) {
  SCOPED_TRACE(one.text);
  const std::vector<std::string> environment = {one.environment};
  const Result<Config> config = parse_config(one.text, "a.toml", environment);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), Code::kInvalidArgument);
  EXPECT_NE(config.status().message().find(one.message), std::string::npos) << config.status().message();
}

TEST(Config, WhatIsWrongIsSaidWithItsPlaceAndARemedy) {
  const Wrong cases[] = {
      {"[server]\nlisen = \"x\"\n", "", "a.toml:2: unknown key \"lisen\" in [server]; did you mean server.listen?"},
      {"[server]\ndurability = \"os\"\n", "", "a.toml:2: unknown key \"durability\" in [server]; did you mean journal.durability?"},
      {"\n[jurnal]\n", "", "a.toml:2: unknown section [jurnal]; did you mean [journal]?"},
      {"listen = \"x\"\n", "", "a.toml:1: unknown key \"listen\" outside of a section; did you mean server.listen?"},
      {"server = 1\n", "", "a.toml:1: \"server\" is a section: write [server]"},
      {"[catalog]\ntls_key = \"k\"\n", "",
       "a.toml:2: catalog.tls_certificate and catalog.tls_key go together: set both or neither"},
      {"[limits]\nreads = 0\n", "", "a.toml:2: limits.reads is 0; it must be 1 to 4096"},
      {"[limits]\nreads = -1\n", "", "a.toml:2: limits.reads is -1; it must be 1 to 4096"},
      {"[limits]\nreads = \"7\"\n", "", "a.toml:2: limits.reads must be a whole number"},
      {"[server]\nlisten = 7\n", "", "a.toml:2: server.listen must be a text in quotes"},
      {"[server]\nlisten = \"\"\n", "", "a.toml:2: server.listen has 0 bytes; it must have 1 to 256"},
      {"[server]\nlisten = \"7117\"\n", "", "it must be host:port, [v6]:port or unix:/path"},
      {"[server]\nlisten = \"localhost:70000\"\n", "", "it must be host:port"},
      {"[server]\nlisten = \"::1:70\"\n", "", "it must be host:port"},
      {"[server]\nlisten = \"0.0.0.0:7117\"\n", "", "server.allow_plaintext_remote = true"},
      {"[server]\ntls_key = \"k\"\n", "", "go together"},
      {"[server]\nallow_plaintext_remote = 1\n", "", "a.toml:2: server.allow_plaintext_remote must be true or false"},
      {"[journal]\ndurability = \"disk\"\n", "", "a.toml:2: journal.durability is \"disk\"; it must be one of fsync|os|memory"},
      {"[journal]\nsegment_bytes = 4194305\n", "", "multiple of 4096"},
      {"[firm]\nname = \"a\\tb\"\n", "", "a.toml:2: firm.name holds a control character"},
      {"[server\n", "", "a.toml:1: "},
      {"[log]\nlevel = \"info\"\nlevel = \"warn\"\n", "", "a.toml:3: "},
      {"", "HALOCLINE_LIMITS_READ=1", "environment HALOCLINE_LIMITS_READ: no such key; did you mean HALOCLINE_LIMITS_READS?"},
      {"", "HALOCLINE_LIMITS_READS=1x", "environment HALOCLINE_LIMITS_READS: limits.reads is \"1x\"; it must be a whole number"},
      {"", "HALOCLINE_SERVER_ALLOW_PLAINTEXT_REMOTE=yes", "it must be true or false"},
  };
  for (const Wrong& one : cases) expect_refused(one);
}

TEST(Config, WhatIsWrongWithTheHistoryAndTheCatalog) {
  const Wrong cases[] = {
      {"[catalog]\nlisten = \"8181\"\n", "", "a.toml:2: catalog.listen is \"8181\"; it must be host:port or [v6]:port"},
      {"[catalog]\nlisten = \"0.0.0.0:8181\"\n", "",
       "a.toml:2: catalog.listen is \"0.0.0.0:8181\", reachable from other machines, without TLS; set catalog.tls_certificate and "
       "catalog.tls_key, or catalog.allow_plaintext_remote = true if the network itself is safe"},
      {"[catalog]\nlisten = \"127.0.0.1:0\"\nuri = \"http://127.0.0.1:8181\"\n", "",
       "a.toml:3: catalog.uri and catalog.listen: the tables are in one catalog, that one or ours; set one of them"},
      {"[catalog]\nuri_token_file = \"a\"\nuri_oauth2_file = \"b\"\n", "",
       "a.toml:3: catalog.uri_token_file and catalog.uri_oauth2_file: a token comes from one of them; set one"},
      {"[history]\nenabled = true\n[journal]\ndurability = \"memory\"\n", "",
       "a.toml:2: history.enabled needs a journal to follow; set journal.durability to `fsync` or `os`"},
  };
  // A program that was built without Iceberg says this to all that asks for it, right or wrong.
  const Wrong without[] = {
      {"[catalog]\nlisten = \"127.0.0.1:8181\"\n", "",
       "a.toml:2: catalog.listen: this program was built without Iceberg; docs/iceberg.md says how to build it"},
      {"[catalog]\nlisten = \"8181\"\n", "",
       "a.toml:2: catalog.listen: this program was built without Iceberg; docs/iceberg.md says how to build it"},
      {"[history]\nenabled = true\n", "",
       "a.toml:2: history.enabled: this program was built without Iceberg; docs/iceberg.md says how to build it"},
      {"", "HALOCLINE_HISTORY_ENABLED=true",
       "environment HALOCLINE_HISTORY_ENABLED: history.enabled: this program was built without Iceberg; docs/iceberg.md says how to build "
       "it"},
  };
  for (const Wrong& one : has_iceberg() ? std::span<const Wrong>(cases) : std::span<const Wrong>(without)) expect_refused(one);
  EXPECT_EQ(parse_config("[catalog]\nlisten = \"127.0.0.1:8181\"\n", "a.toml", {}).ok(), has_iceberg());
  EXPECT_EQ(parse_config("[history]\nenabled = true\n", "a.toml", {}).ok(), has_iceberg());
}

TEST(Config, AddressesThatAreRight) {
  for (const char* listen : {"127.0.0.1:0", "localhost:1", "[::1]:7117", "unix:/tmp/halocline.sock"}) {
    EXPECT_TRUE(parse_config("[server]\nlisten = \"" + std::string(listen) + "\"\n", "a", {}).ok()) << listen;
  }
  EXPECT_TRUE(parse_config("[server]\nlisten = \"0.0.0.0:1\"\nallow_plaintext_remote = true\n", "a", {}).ok());
  EXPECT_TRUE(parse_config("[server]\nlisten = \"[::]:1\"\ntls_certificate = \"c\"\ntls_key = \"k\"\n", "a", {}).ok());
}

TEST(Config, AFileThatIsNotThere) { EXPECT_EQ(load_config("/nonexistent/a.toml", {}).status().code(), Code::kNotFound); }

}  // namespace
}  // namespace halocline
