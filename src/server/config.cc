#include "server/config.h"

#include "base/toml_assert.h"

#include <toml++/toml.h>  // heavy: only here
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/closest.h"
#include "server/fix_terms.h"
#include "server/iceberg.h"

namespace halocline {
namespace {

constexpr std::size_t kMaxFileBytes = 1u << 20;

Status wrong(const std::string& where, const std::string& what) { return Status(Code::kInvalidArgument, where + ": " + what); }

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string variable_of(const ConfigKey& key) { return "HALOCLINE_" + upper(key.section) + "_" + upper(key.name); }

// The known key most like it: by its whole name, or by its name alone when it stands in the wrong section.
const ConfigKey& nearest(const std::string& section, const std::string& name) {
  const auto score = [&](const ConfigKey& key) {
    return std::min(edit_distance(section + "." + name, key.full_name()), edit_distance(name, key.name) + 1);
  };
  const auto keys = config_keys();
  return *std::min_element(keys.begin(), keys.end(), [&](const ConfigKey& a, const ConfigKey& b) { return score(a) < score(b); });
}

const ConfigKey* find_key(std::string_view section, std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (section == key.section && name == key.name) return &key;
  }
  return nullptr;
}

bool chosen(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    if (end == std::string_view::npos) break;
    choices.remove_prefix(end + 1);
  }
  return false;
}

template <class Holder>
Status set_text(Holder& holder, const KeyOf<Holder>& key, const std::string& where, const std::string& value) {
  if (key.choices != nullptr && !chosen(key.choices, value)) {
    return wrong(where, key.full_name() + " is \"" + value + "\"; it must be one of " + key.choices);
  }
  if (key.choices == nullptr && (value.size() < key.least || value.size() > key.most)) {
    return wrong(where, key.full_name() + " has " + std::to_string(value.size()) + " bytes; it must have " + std::to_string(key.least) +
                            " to " + std::to_string(key.most));
  }
  const bool control = std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control) return wrong(where, key.full_name() + " holds a control character");
  std::get<0>(key.field)(holder) = value;
  return ok_status();
}

template <class Holder>
Status set_number(Holder& holder, const KeyOf<Holder>& key, const std::string& where, std::int64_t value) {
  if (value < 0 || static_cast<std::uint64_t>(value) < key.least || static_cast<std::uint64_t>(value) > key.most) {
    return wrong(where, key.full_name() + " is " + std::to_string(value) + "; it must be " + std::to_string(key.least) + " to " +
                            std::to_string(key.most));
  }
  std::get<1>(key.field)(holder) = static_cast<std::uint64_t>(value);
  return ok_status();
}

// From a text without a type of its own: a default, or the environment.
template <class Holder>
Status set_from_text(Holder& holder, const KeyOf<Holder>& key, const std::string& where, const std::string& value) {
  if (key.field.index() == 0) return set_text(holder, key, where, value);
  if (key.field.index() == 1) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size())
      return wrong(where, key.full_name() + " is \"" + value + "\"; it must be a whole number");
    return set_number(holder, key, where, number);
  }
  if (value != "true" && value != "false") return wrong(where, key.full_name() + " is \"" + value + "\"; it must be true or false");
  std::get<2>(key.field)(holder) = value == "true";
  return ok_status();
}

template <class Holder>
Status set_from_toml(Holder& holder, const KeyOf<Holder>& key, const std::string& where, const toml::node& node) {
  if (key.field.index() == 0) {
    if (const auto* text = node.as_string()) return set_text(holder, key, where, text->get());
    return wrong(where, key.full_name() + " must be a text in quotes");
  }
  if (key.field.index() == 1) {
    if (const auto* number = node.as_integer()) return set_number(holder, key, where, number->get());
    return wrong(where, key.full_name() + " must be a whole number");
  }
  const auto* flag = node.as_boolean();
  if (flag == nullptr) return wrong(where, key.full_name() + " must be true or false");
  std::get<2>(key.field)(holder) = flag->get();
  return ok_status();
}

// A [[fix.session]].
Status read_session(Config& config, const toml::table& table, const std::string& name) {
  FixSessionConfig session;
  session.where = name + ":" + std::to_string(table.source().begin.line);
  for (const FixSessionKey& key : fix_session_keys()) {
    if (key.least > 0 && key.field.index() == 0 && key.default_value[0] == '\0') continue;  // one that must be there
    const Status status = set_from_text(session, key, "default", key.default_value);
    CHECK(status.ok(), "%s", status.message().c_str());
  }
  const auto keys = fix_session_keys();
  for (const auto& [entry, node] : table) {
    const std::string key_name(entry.str());
    const std::string line = name + ":" + std::to_string(entry.source().begin.line);
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const FixSessionKey& one) { return key_name == one.name; });
    if (key == keys.end()) {
      const auto nearer = [&](const FixSessionKey& a, const FixSessionKey& b) { return edit_distance(key_name,
          a.name) < edit_distance(key_name,
          b.name); };
      return wrong(line, "unknown key \"" + key_name + "\" in [[fix.session]]; did you mean " +
          std::min_element(keys.begin(), keys.end(), nearer)->name + "?");
    }
    if (Status status = set_from_toml(session, *key, line, node); !status.ok()) return status;
  }
  config.fix_sessions.push_back(std::move(session));
  return ok_status();
}

Status read_sessions(Config& config, const toml::node& node, const std::string& line, const std::string& name) {
  const toml::array* sessions = node.as_array();
  if (sessions == nullptr || !sessions->is_homogeneous(toml::node_type::table)) return wrong(line, "write each session as [[fix.session]]");
  for (const toml::node& session : *sessions) {
    if (Status status = read_session(config, *session.as_table(), name); !status.ok()) return status;
  }
  return ok_status();
}

Status read_toml(Config& config, std::string_view text, const std::string& name) {
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return wrong(name + ":" + std::to_string(at.line), std::string(error.description()) + " (column " + std::to_string(at.column) + ")");
  } catch (const TomlAssertion& error) {
    return wrong(name, error.what());
  }
  const auto keys = config_keys();
  for (const auto& [section, table] : root) {
    const std::string in(section.str());
    const std::string place = name + ":" + std::to_string(section.source().begin.line);
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) { return in == key.section; });
    if (!known && !table.is_table()) {
      return wrong(place, "unknown key \"" + in + "\" outside of a section; did you mean " + nearest("", in).full_name() + "?");
    }
    if (!known) {
      const auto nearer = [&](const ConfigKey& a, const ConfigKey& b) { return edit_distance(in, a.section) < edit_distance(in,
          b.section); };
      return wrong(place, "unknown section [" + in + "]; did you mean [" +
                              std::string(std::min_element(keys.begin(), keys.end(), nearer)->section) + "]?");
    }
    if (!table.is_table()) return wrong(place, "\"" + in + "\" is a section: write [" + in + "]");
    for (const auto& [entry, node] : *table.as_table()) {
      const std::string key_name(entry.str());
      const std::string line = name + ":" + std::to_string(entry.source().begin.line);
      if (in == "fix" && key_name == "session") {
        if (Status status = read_sessions(config, node, line, name); !status.ok()) return status;
        continue;
      }
      const ConfigKey* key = find_key(in, key_name);
      if (key == nullptr) {
        return wrong(line, "unknown key \"" + key_name + "\" in [" + in + "]; did you mean " + nearest(in, key_name).full_name() + "?");
      }
      if (Status status = set_from_toml(config, *key, line, node); !status.ok()) return status;
      config.origins[static_cast<std::size_t>(key - keys.data())] = "file " + line;
    }
  }
  return ok_status();
}

// A variable of a known section with an unknown key is an error: a misspelt override must not be ignored.
Status read_environment(Config& config, std::span<const std::string> environment) {
  const auto keys = config_keys();
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    const std::string variable = entry.substr(0, equals);
    if (equals == std::string::npos || !variable.starts_with("HALOCLINE_")) continue;
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& one) { return variable_of(one) == variable; });
    if (key != keys.end()) {
      if (Status status = set_from_text(config, *key, "environment " + variable, entry.substr(equals + 1)); !status.ok()) return status;
      config.origins[static_cast<std::size_t>(key - keys.begin())] = "environment " + variable;
      continue;
    }
    const bool ours = std::any_of(keys.begin(), keys.end(),
                                  [&](const ConfigKey& one) { return variable.starts_with("HALOCLINE_" + upper(one.section) + "_"); });
    if (!ours) continue;
    const auto nearer = [&](const ConfigKey& a, const ConfigKey& b) {
      return edit_distance(variable, variable_of(a)) < edit_distance(variable, variable_of(b));
    };
    return wrong("environment " + variable,
                 "no such key; did you mean " + variable_of(*std::min_element(keys.begin(), keys.end(), nearer)) + "?");
  }
  return ok_status();
}

bool local(const std::string& listen) {
  if (listen.starts_with("unix:")) return true;
  const std::string host = listen.substr(0, listen.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

// "host:port" or "[v6]:port".
bool is_address(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  unsigned port = 0;
  const char* end = listen.data() + listen.size();
  return colon != std::string::npos && colon > 0 && colon + 1 < listen.size() &&
         std::from_chars(listen.data() + colon + 1, end, port).ptr == end && port <= 65'535 &&
         (listen[0] == '[' ? listen[colon - 1] == ']' : listen.find(':') == colon);
}

std::string origin_of(const Config& config, std::string_view section, std::string_view name) {
  return config.origins[static_cast<std::size_t>(find_key(section, name) - config_keys().data())];
}

Status check_fix(const Config& config) {
  const auto& fix = config.fix;
  const auto at = [&](std::string_view name) { return origin_of(config, "fix", name); };
  if (!fix.listen.empty() && !is_address(fix.listen)) return wrong(at("listen"), "fix.listen is \"" + fix.listen +
      "\"; it must be host:port or [v6]:port");
  if (!fix.tls_listen.empty() && !is_address(fix.tls_listen)) {
    return wrong(at("tls_listen"), "fix.tls_listen is \"" + fix.tls_listen + "\"; it must be host:port or [v6]:port");
  }
  if (!fix.listen.empty() && !local(fix.listen) && !fix.allow_plaintext_remote) {
    return wrong(at("listen"), "fix.listen is \"" + fix.listen +
                                   "\", reachable from other machines, without TLS; use fix.tls_listen, or fix.allow_plaintext_remote = "
                                   "true if the "
                                   "network itself is safe");
  }
  if (!fix.tls_listen.empty() && (fix.tls_certificate.empty() || fix.tls_key.empty())) {
    return wrong(at("tls_listen"), "fix.tls_listen needs fix.tls_certificate and fix.tls_key");
  }
  const bool listens = !fix.listen.empty() || !fix.tls_listen.empty();
  if (listens && config.fix_sessions.empty()) {
    return wrong(at(fix.listen.empty() ? "tls_listen" : "listen"),
        "FIX is listened for, and there is no [[fix.session]]: nobody could log on");
  }
  const Result<std::vector<FixSessionTerms>> terms = fix_session_terms(config);
  return terms.ok() ? ok_status() : terms.status();
}

Status check_catalog(const Config& config) {
  const auto& catalog = config.catalog;
  const auto at = [&](std::string_view name) { return origin_of(config, "catalog", name); };
  if (catalog.tls_certificate.empty() != catalog.tls_key.empty()) {
    return wrong(at(catalog.tls_key.empty() ? "tls_certificate" : "tls_key"),
                 "catalog.tls_certificate and catalog.tls_key go together: set both or neither");
  }
  if (catalog.listen.empty()) return ok_status();
  if (!is_address(catalog.listen)) {
    return wrong(at("listen"), "catalog.listen is \"" + catalog.listen + "\"; it must be host:port or [v6]:port");
  }
  if (!local(catalog.listen) && catalog.tls_certificate.empty() && !catalog.allow_plaintext_remote) {
    return wrong(at("listen"), "catalog.listen is \"" + catalog.listen +
                                   "\", reachable from other machines, without TLS; set catalog.tls_certificate and catalog.tls_key, or "
                                   "catalog.allow_plaintext_remote = true if the network itself is safe");
  }
  return ok_status();
}

// What concerns more than one key.
Status check_together(const Config& config) {
  const std::string& listen = config.server.listen;
  const auto at = [&](std::string_view section, std::string_view name) { return origin_of(config, section, name); };
  if (!listen.starts_with("unix:") && !is_address(listen)) {
    return wrong(at("server", "listen"), "server.listen is \"" + listen + "\"; it must be host:port, [v6]:port or unix:/path");
  }
  if (config.server.tls_certificate.empty() != config.server.tls_key.empty()) {
    return wrong(at("server", config.server.tls_key.empty() ? "tls_certificate" : "tls_key"),
                 "server.tls_certificate and server.tls_key go together: set both or neither");
  }
  if (!local(listen) && config.server.tls_certificate.empty() && !config.server.allow_plaintext_remote) {
    return wrong(at("server", "listen"),
                 "server.listen is \"" + listen +
                     "\", reachable from other machines, without TLS; set server.tls_certificate and server.tls_key, or "
                     "server.allow_plaintext_remote = true if the network itself is safe");
  }
  if (config.journal.segment_bytes % 4'096 != 0)
    return wrong(at("journal", "segment_bytes"), "journal.segment_bytes must be a multiple of 4096");
  if (!has_iceberg() && (config.history.enabled || !config.catalog.listen.empty())) {
    const char* section = config.history.enabled ? "history" : "catalog";
    const char* name = config.history.enabled ? "enabled" : "listen";
    return wrong(at(section, name),
                 std::string(section) + "." + name + ": this program was built without Iceberg; docs/iceberg.md says how to build it");
  }
  if (config.history.enabled && config.journal.durability == "memory") {
    return wrong(at("history", "enabled"), "history.enabled needs a journal to follow; set journal.durability to `fsync` or `os`");
  }
  if (!config.archive.folder.empty() && !config.checkpoint.enabled) {
    return wrong(at("archive", "folder"), "archive.folder needs checkpoint.enabled: only what is before a checkpoint is archived");
  }
  if (Status status = check_catalog(config); !status.ok()) return status;
  return check_fix(config);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::vector<std::string> process_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

Result<Config> parse_config(std::string_view text, const std::string& name, std::span<const std::string> environment) {
  Config config;
  config.origins.assign(config_keys().size(), "default");
  for (const ConfigKey& key : config_keys()) {
    const Status status = set_from_text(config, key, "default", key.default_value);
    CHECK(status.ok(), "%s", status.message().c_str());
  }
  if (Status status = read_toml(config, text, name); !status.ok()) return status;
  if (Status status = read_environment(config, environment); !status.ok()) return status;
  if (Status status = check_together(config); !status.ok()) return status;
  return config;
}

Result<Config> load_config(const std::string& path, std::span<const std::string> environment) {
  if (path.empty()) return parse_config("", "", environment);
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(Code::kNotFound, "cannot read the configuration " + path + "; see halocline.example.toml for one to start from");
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return wrong(path, "larger than 1 MiB; that is no configuration");
  return parse_config(text, path, environment);
}

std::vector<EffectiveValue> effective_values(const Config& config) {
  std::vector<EffectiveValue> values;
  Config copy = config;
  for (const ConfigKey& key : config_keys()) {
    EffectiveValue value{key.full_name(), "", config.origins[values.size()]};
    if (key.field.index() == 0) value.value = quoted(std::get<0>(key.field)(copy));
    if (key.field.index() == 1) value.value = std::to_string(std::get<1>(key.field)(copy));
    if (key.field.index() == 2) value.value = std::get<2>(key.field)(copy) ? "true" : "false";
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace halocline
