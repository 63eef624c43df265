// The server's configuration: TOML, overridden by the environment. One table (config_keys) says for each key its type,
// default, bounds and meaning; the parser, halocline.example.toml, docs/configuration.md and `config show` are all made from it, so
// they cannot disagree.
//
//   Result<Config> config = load_config("halocline.toml", process_environment());
//   if (!config.ok()) …   // says file, line, key, what was wrong, and for an unknown key the nearest known one
//
// Pure functions but for reading the file; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"

namespace halocline {

// A [[fix.session]]: docs/fix.md. What it comes to is in server/fix_terms.h.
struct FixSessionConfig {
  std::string where;  // "halocline.toml:12"
  std::string name, begin_string, our_comp_id, their_comp_id, source, username, password, schedule, unknown_instrument;
  std::uint64_t heartbeat_least_seconds = 0, heartbeat_most_seconds = 0, clock_skew_seconds = 0, messages_per_second = 0;
  std::string book, trader, counterparty, desk, instrument, currency, id_day;
};

struct Config {
  struct {
    std::string listen, data_directory, tls_certificate, tls_key;
    bool allow_plaintext_remote = false;
  } server;
  struct {
    std::string name, currency;
  } firm;
  struct {
    std::string durability;
    std::uint64_t segment_bytes = 0;
  } journal;
  struct {
    std::uint64_t reserve_bytes = 0;
  } memory;
  struct {
    std::uint64_t streams = 0, calls = 0, listings = 0, message_bytes = 0, stream_window_bytes = 0, total_window_bytes = 0;
    std::uint64_t in_flight_bytes = 0, queue_length = 0, reads = 0, reader_threads = 0, subscribers = 0, subscriber_queue = 0;
    std::uint64_t client_queries = 0;
  } limits;
  struct {
    std::string listen, tls_listen, tls_certificate, tls_key, tls_client_ca;
    bool allow_plaintext_remote = false;
    std::uint64_t message_bytes = 0, connections = 0, logon_seconds = 0, out_queue_bytes = 0;
  } fix;
  std::vector<FixSessionConfig> fix_sessions;  // [[fix.session]]
  struct {
    bool enabled = false;
    std::string witness;
    std::uint64_t head_seconds = 0, head_records = 0;
  } audit;
  struct {
    std::string listen, warehouse, tls_certificate, tls_key, token_file;
    std::string s3_endpoint, s3_region, s3_ca_file, s3_credentials_file, s3_client_credentials_file;
    bool allow_plaintext_remote = false, s3_path_style = true;
    std::uint64_t body_bytes = 0, connections = 0;
  } catalog;
  struct {
    bool enabled = false;
    std::uint64_t records = 0, journal_bytes = 0, keep = 0;
  } checkpoint;
  struct {
    std::string folder;
    std::uint64_t local_bytes = 0, local_days = 0, keep_days = 0;
  } archive;
  struct {
    std::uint64_t threads = 0, waiting = 0, states = 0, bytes = 0;
  } rewind;
  struct {
    bool enabled = false;
    std::uint64_t commit_seconds = 0, format_version = 0, upkeep_seconds = 0, snapshot_minutes = 0, orphan_hours = 0;
  } history;
  struct {
    std::string level, format;
    std::uint64_t status_seconds = 0;
  } log;

  // Where each key's value comes from, in the order of config_keys(): "default", "file halocline.toml:3",
  // "environment HALOCLINE_SERVER_LISTEN".
  std::vector<std::string> origins;
};

// One key of a Config or a FixSessionConfig. `field` gives the place of its value; its type is the key's type.
template <class Holder>
struct KeyOf {
  using Field = std::variant<std::string& (*)(Holder&), std::uint64_t& (*)(Holder&), bool& (*)(Holder&)>;
  const char* section;
  const char* name;
  Field field;
  const char* default_value;  // as in TOML, without quotes
  std::uint64_t least, most;  // numbers: the value; texts: the bytes
  const char* choices;        // "a|b|c", or nullptr: the only values a text may have
  const char* meaning;        // one or more sentences, with the unit

  std::string full_name() const { return std::string(section) + "." + name; }
};
using ConfigKey = KeyOf<Config>;
using FixSessionKey = KeyOf<FixSessionConfig>;
std::span<const ConfigKey> config_keys();
std::span<const FixSessionKey> fix_session_keys();

// A copy of this process's environment, as "NAME=value".
std::vector<std::string> process_environment();

// Defaults, then the file (an empty path: none), then the environment. kNotFound: no such file. kInvalidArgument: anything
// that is wrong in it.
Result<Config> load_config(const std::string& path, std::span<const std::string> environment);
// The same from text; `name` stands for the file in messages.
Result<Config> parse_config(std::string_view text, const std::string& name, std::span<const std::string> environment);

// The effective values, in the order of config_keys(), for `config show`.
struct EffectiveValue {
  std::string key;     // "server.listen"
  std::string value;   // as in TOML
  std::string origin;  // as in Config::origins
};
std::vector<EffectiveValue> effective_values(const Config& config);

// halocline.example.toml and docs/configuration.md.
std::string example_toml();
std::string configuration_page();

}  // namespace halocline
