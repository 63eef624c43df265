// The table of keys, and the two texts made from it.
#include <sstream>

#include "server/config.h"

namespace halocline {
namespace {

#define HALOCLINE_SESSION_KEY(type, name) "fix.session", #name, +[](FixSessionConfig& c) -> type& { return c.name; }
#define HALOCLINE_KEY(type, section, name) #section, #name, +[](Config& c) -> type& { return c.section.name; }
using Text = std::string;
using Number = std::uint64_t;

constexpr std::uint64_t kKiB = 1u << 10, kMiB = 1u << 20, kGiB = 1u << 30;

const ConfigKey kKeys[] = {
    {HALOCLINE_KEY(Text, server, listen), "127.0.0.1:7117", 1, 256, nullptr,
     "Where gRPC listens: host:port, [v6]:port or unix:/path. Port 0 takes a free one; the file `serving` in the data directory tells "
     "which."},
    {HALOCLINE_KEY(Text, server, data_directory), "halocline-data", 1, 4'096, nullptr,
     "Where the journal lives. Made if it does not exist. One server at a time may use it."},
    {HALOCLINE_KEY(Text, server, tls_certificate), "", 0, 4'096, nullptr, "PEM file with the certificate chain. Empty: no TLS."},
    {HALOCLINE_KEY(Text, server, tls_key), "", 0, 4'096, nullptr, "PEM file with the certificate's private key."},
    {HALOCLINE_KEY(bool, server, allow_plaintext_remote), "false", 0, 0, nullptr,
     "Without TLS only loopback addresses and unix sockets are listened on, unless this is true: then everybody who reaches the port can "
     "read and trade."},

    {HALOCLINE_KEY(Text, firm, name), "", 0, 64, nullptr,
     "The firm: the top of the hierarchy. Becomes the first record of a new journal (empty: Halocline). Another name than an existing "
     "journal's is refused; empty takes it as it is."},
    {HALOCLINE_KEY(Text, firm, currency), "", 0, 64, nullptr,
     "The currency of every measure and limit. Fixed like the name; empty is USD for a new journal."},

    {HALOCLINE_KEY(Text, journal, durability), "fsync", 0, 0, "fsync|os|memory",
     "When a command counts as kept: `fsync`, it is on the disk and survives a power failure; `os`, the operating system has it, it "
     "survives the "
     "process; `memory`, nothing is kept."},
    {HALOCLINE_KEY(Number, journal, segment_bytes), "268435456", 320 * kKiB, kGiB, nullptr,
     "Size of new segment files, in bytes; a multiple of 4096. They are reserved ahead, so the disk needs room for two."},

    {HALOCLINE_KEY(Number, memory, reserve_bytes), "0", 0, 1'024 * kGiB, nullptr,
     "Memory that is touched before the server listens, for the books to grow into, in huge pages where the system has them; about 130 "
     "bytes a new trade. Without it the first touch costs time while trades come. 0: none is taken before it is needed."},

    {HALOCLINE_KEY(Number, limits, streams), "256", 1, 65'536, nullptr, "Calls open on one connection; more wait at the client."},
    {HALOCLINE_KEY(Number, limits, calls), "4096", 1, 65'536, nullptr, "Calls open in all; more are refused."},
    {HALOCLINE_KEY(Number, limits, listings), "64", 1, 4'096, nullptr, "Calls that may hold the rows of a listing at the same time."},
    {HALOCLINE_KEY(Number, limits, message_bytes), "1048576", 64 * kKiB, 16 * kMiB, nullptr, "The largest request, in bytes."},
    {HALOCLINE_KEY(Number, limits, stream_window_bytes), "4194304", 64 * kKiB, 256 * kMiB, nullptr,
     "Unanswered requests of one stream, in bytes; then it is read no further until some are answered."},
    {HALOCLINE_KEY(Number, limits, total_window_bytes), "134217728", kMiB, 4 * kGiB, nullptr, "The same of all streams together."},
    {HALOCLINE_KEY(Number, limits, in_flight_bytes), "8388608", kMiB, 4 * kGiB, nullptr,
     "Bytes of commands that wait for the sequencer; then senders wait. More is no faster, only later: 8 MiB are about 80000 trades."},
    {HALOCLINE_KEY(Number, limits, queue_length), "4096", 2, 1'048'576, nullptr,
     "Submissions and reads that wait for the sequencer; then senders wait. Rounded up to a power of two."},
    {HALOCLINE_KEY(Number, limits, reads), "64", 1, 4'096, nullptr, "Reads under way; more are refused."},
    {HALOCLINE_KEY(Number, limits, reader_threads), "2", 1, 64, nullptr, "Threads that compute the rows of reads."},
    {HALOCLINE_KEY(Number, limits, subscribers), "256", 1, 65'536, nullptr, "Followers of the alerts; more are refused."},
    {HALOCLINE_KEY(Number, limits, subscriber_queue), "8192", 1'024, 1'048'576, nullptr,
     "Alert events that a follower may lag behind; then it is cut and told the bookmark to resume from."},
    {HALOCLINE_KEY(Number, limits, client_queries), "100000", 1, 200'000, nullptr,
     "Subscriptions to queries of one client, which is the address it comes from; more are refused, each by itself."},

    {HALOCLINE_KEY(Text, fix, listen), "", 0, 256, nullptr,
     "Where FIX sessions are accepted without TLS: host:port or [v6]:port; port 0 takes a free one. Empty: nowhere. Who may log on is "
     "said by "
     "[[fix.session]] entries, docs/fix.md."},
    {HALOCLINE_KEY(Text, fix, tls_listen), "", 0, 256, nullptr, "The same with TLS."},
    {HALOCLINE_KEY(Text, fix, tls_certificate), "", 0, 4'096, nullptr, "PEM file with the certificate chain for tls_listen."},
    {HALOCLINE_KEY(Text, fix, tls_key), "", 0, 4'096, nullptr, "PEM file with the certificate's private key."},
    {HALOCLINE_KEY(Text, fix, tls_client_ca), "", 0, 4'096, nullptr,
     "PEM file with the authorities that sign the clients' certificates. Empty: clients need none."},
    {HALOCLINE_KEY(bool, fix, allow_plaintext_remote), "false", 0, 0, nullptr,
     "Without TLS only loopback addresses are listened on, unless this is true."},
    {HALOCLINE_KEY(Number, fix, message_bytes), "65536", kKiB, kMiB, nullptr,
        "The largest FIX message, in bytes; a larger one cuts the connection."},
    {HALOCLINE_KEY(Number, fix, connections), "256", 1, 4'096, nullptr, "FIX connections open at a time; more are refused."},
    {HALOCLINE_KEY(Number, fix, logon_seconds), "10", 1, 3'600, nullptr, "Time for a new connection to log on, in seconds."},
    {HALOCLINE_KEY(Number, fix, out_queue_bytes), "4194304", 2 * kMiB, 256 * kMiB, nullptr,
     "Bytes that wait for a counterparty that does not read; then it is cut."},

    {HALOCLINE_KEY(Text, catalog, listen), "", 0, 256, nullptr,
     "Where the Iceberg REST catalog is served over HTTP: host:port or [v6]:port; port 0 takes a free one, which the file `serving` tells. "
     "Empty: nowhere."},
    {HALOCLINE_KEY(Text, catalog, warehouse), "", 0, 4'096, nullptr,
     "Where tables lie: a folder, which clients must reach by the same path and which is made if it does not exist, or s3://bucket/prefix "
     "in a bucket that exists. Empty: `warehouse` in the data directory. With uri: what that catalog is asked for by, a name or a place, "
     "or empty; tables lie where it says."},
    {HALOCLINE_KEY(Text, catalog, uri), "", 0, 4'096, nullptr,
     "Another one's Iceberg REST catalog, which the history is written to instead of ours: http://host:port/path or https://… It must be "
     "able to commit to several tables at once. Empty: ours. Not together with listen."},
    {HALOCLINE_KEY(Text, catalog, uri_token_file), "", 0, 4'096, nullptr,
     "File whose first line is the bearer token that catalog wants; read for each request."},
    {HALOCLINE_KEY(Text, catalog, uri_oauth2_file), "", 0, 4'096, nullptr,
     "File with the lines `client_id = …` and `client_secret = …` that a token is had for (OAuth 2.0, client credentials)."},
    {HALOCLINE_KEY(Text, catalog, uri_oauth2_address), "", 0, 4'096, nullptr,
     "Where the token is had. Empty: v1/oauth/tokens below uri."},
    {HALOCLINE_KEY(Text, catalog, uri_oauth2_scope), "catalog", 0, 1'024, nullptr, "The scope that is asked for; empty: none."},
    {HALOCLINE_KEY(Text, catalog, uri_ca_file), "", 0, 4'096, nullptr,
     "PEM file with whom to trust with the certificates of uri and uri_oauth2_address. Empty: whom the machine trusts."},
    {HALOCLINE_KEY(Text, catalog, s3_endpoint), "", 0, 512, nullptr,
     "Of an s3:// warehouse, for us and for clients: http://host:port or https://host:port. Empty: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL "
     "of the environment; else Amazon's."},
    {HALOCLINE_KEY(Text, catalog, s3_region), "", 0, 64, nullptr,
     "Its region. Empty: AWS_REGION or AWS_DEFAULT_REGION; else us-east-1 at an endpoint, and without one what the AWS SDK finds."},
    {HALOCLINE_KEY(bool, catalog, s3_path_style), "true", 0, 0, nullptr,
     "Whether the bucket stands in the path of URLs at an endpoint, as MinIO and Ceph want it, or before its host. Amazon's own is always "
     "asked by host."},
    {HALOCLINE_KEY(Text, catalog, s3_ca_file), "", 0, 4'096, nullptr,
     "PEM file with whom to trust with the endpoint's certificate. Empty: AWS_CA_BUNDLE of the environment; else whom the machine trusts."},
    {HALOCLINE_KEY(Text, catalog, s3_credentials_file), "", 0, 4'096, nullptr,
     "File with the lines `aws_access_key_id = …` and `aws_secret_access_key = …` that the server uses the bucket with. Empty: "
     "the usual ones of AWS (AWS_ACCESS_KEY_ID …, ~/.aws/credentials, the machine's role)."},
    {HALOCLINE_KEY(Text, catalog, s3_client_credentials_file), "", 0, 4'096, nullptr,
     "The same for clients: everybody who may load a table is given these, so let them do no more. Empty: clients have their own."},
    {HALOCLINE_KEY(Text, catalog, tls_certificate), "", 0, 4'096, nullptr, "PEM file with the certificate chain. Empty: no TLS."},
    {HALOCLINE_KEY(Text, catalog, tls_key), "", 0, 4'096, nullptr, "PEM file with the certificate's private key."},
    {HALOCLINE_KEY(Text, catalog, token_file), "", 0, 4'096, nullptr,
     "File whose first line every request must carry as a bearer token. Empty: everybody who reaches the port may read and commit."},
    {HALOCLINE_KEY(bool, catalog, allow_plaintext_remote), "false", 0, 0, nullptr,
     "Without TLS only loopback addresses are listened on, and no secret is sent to another machine, unless this is true."},
    {HALOCLINE_KEY(Number, catalog, body_bytes), "8388608", 64 * kKiB, 256 * kMiB, nullptr,
     "The largest request, in bytes; a larger one is refused. Times `connections`: the most memory requests can take."},
    {HALOCLINE_KEY(Number, catalog, connections), "64", 1, 4'096, nullptr, "HTTP connections open at a time; more are refused."},

    {HALOCLINE_KEY(bool, checkpoint, enabled), "true", 0, 0, nullptr,
     "Whether the books are written down now and then (docs/formats/checkpoint.md), so that a start or a rewind need not read the whole "
     "journal. Without a journal there are none."},
    {HALOCLINE_KEY(Number, checkpoint, records), "2000000", 1, 1'000'000'000'000, nullptr,
     "One when so many commands came since then, but never before a quarter as many as there are trades."},
    {HALOCLINE_KEY(Number, checkpoint, journal_bytes), "268435456", 1, 1'024 * kGiB, nullptr, "… or so many bytes of them."},
    {HALOCLINE_KEY(Number, checkpoint, keep), "3", 1, 10'000, nullptr,
     "How many are kept, the newest; about 50 bytes a trade each. More of them bring rewinds nearer."},

    {HALOCLINE_KEY(Text, archive, folder), "", 0, 4'000, nullptr,
     "The folder that old segments of the journal are moved to, compressed: those that no start needs, as all of them is before the oldest "
     "checkpoint. Made if it does not exist; best on another disk. Or s3://bucket/prefix, reached as catalog.s3_endpoint and its like say. "
     "Empty: they stay where they are."},
    {HALOCLINE_KEY(Number, archive, local_bytes), "1073741824", 0, 1'024 * kGiB, nullptr,
     "So many bytes of the newest segments stay in the journal's directory, …"},
    {HALOCLINE_KEY(Number, archive, local_days), "0", 0, 36'500, nullptr,
     "… but none whose last command is older, in days. 0: age does not matter."},
    {HALOCLINE_KEY(Number, archive, keep_days), "0", 0, 36'500, nullptr,
     "Archived segments whose last command is older are removed, in days: what was before can neither be asked nor audited any more. "
     "0: never. With history.enabled nothing goes that its next start needs: it then keeps its books every checkpoint.records commands."},

    {HALOCLINE_KEY(Number, rewind, threads), "2", 1, 16, nullptr,
     "Reads of the past worked out at a time, each on a thread of low priority and with the memory the books took then."},
    {HALOCLINE_KEY(Number, rewind, waiting), "16", 1, 4'096, nullptr, "Reads of the past that wait for that; more are refused."},
    {HALOCLINE_KEY(Number, rewind, states), "8", 0, 256, nullptr, "Past states kept in memory: what is near one is answered soon."},
    {HALOCLINE_KEY(Number, rewind, bytes), "1073741824", 0, 1'024 * kGiB, nullptr,
     "Memory of the past states kept, in bytes; what they share is counted once. Those used longest ago go first."},

    {HALOCLINE_KEY(bool, history, enabled), "false", 0, 0, nullptr,
     "Whether everything in the journal is also written to Iceberg tables (docs/formats/tables.md). Not with journal.durability `memory`."},
    {HALOCLINE_KEY(Number, history, commit_seconds), "5", 1, 3'600, nullptr,
     "Within so many seconds what is durable can be read in the tables: commits aim at five sixths of it and begin earlier by as "
     "long as they took of late, at most by half; sooner when 64 MiB of rows wait."},
    {HALOCLINE_KEY(Number, history, format_version), "2", 2, 3, nullptr, "Of Iceberg, for tables that are made: 2 or 3."},
    {HALOCLINE_KEY(Number, history, upkeep_seconds), "60", 0, 86'400, nullptr,
     "How often the tables are looked after, in seconds: small files become larger ones, old snapshots and lost files go. 0: never."},
    {HALOCLINE_KEY(Number, history, snapshot_minutes), "60", 1, 5'256'000, nullptr,
     "How long every snapshot of the tables is kept for time travel, in minutes. Those with a tag or branch are kept as these say; any "
     "instant of the books is in the journal."},
    {HALOCLINE_KEY(Number, history, orphan_hours), "72", 1, 87'600, nullptr,
     "Files in a table's folder that no snapshot names and that are older are removed, in hours: longer than any commit takes."},

    {HALOCLINE_KEY(bool, audit, enabled), "true", 0, 0, nullptr,
     "Whether heads of the journal's Merkle tree are signed, so that nothing can be altered or left out unseen (docs/formats/audit.md). "
     "Never with journal.durability `memory`."},
    {HALOCLINE_KEY(Text, audit, witness), "", 0, 4'096, nullptr,
     "The file the signed heads go to; best on another disk or machine than the journal. Its folder exists. Empty: `audit/witness` in the "
     "data directory."},
    {HALOCLINE_KEY(Number, audit, head_seconds), "10", 1, 86'400, nullptr,
     "A head of what came since the last one, so often, in seconds, and when the server ends."},
    {HALOCLINE_KEY(Number, audit, head_records), "1000000", 1'000, 1'000'000'000, nullptr, "… and after so many records at the latest."},

    {HALOCLINE_KEY(Text, log, level), "info", 0, 0, "debug|info|warn|error", "The least level that is written to stderr."},
    {HALOCLINE_KEY(Text, log, format), "text", 0, 0, "text|json", "Lines for people, or one JSON object a line."},
    {HALOCLINE_KEY(Number, log, status_seconds), "60", 1, 86'400, nullptr,
     "How often a line with rates, queues and latencies is written, in seconds; only when something happened."},
};
#undef HALOCLINE_KEY

const FixSessionKey kSessionKeys[] = {
    {HALOCLINE_SESSION_KEY(Text, name), "", 0, 64, nullptr, "The session's name, in the journal, logs and commands. Empty: their_comp_id."},
    {HALOCLINE_SESSION_KEY(Text, begin_string), "FIX.4.4", 0, 0, "FIX.4.2|FIX.4.4|FIXT.1.1", "The version; FIXT.1.1 carries 5.0 SP2."},
    {HALOCLINE_SESSION_KEY(Text, our_comp_id), "HALOCLINE", 1, 64, nullptr, "TargetCompID of what they send."},
    {HALOCLINE_SESSION_KEY(Text, their_comp_id), "", 1, 64, nullptr, "SenderCompID of what they send. Required."},
    {HALOCLINE_SESSION_KEY(Text, source), "", 0, 32, nullptr,
     "The source of its trades. Sessions with the same source share their trade ids. Empty: the name."},
    {HALOCLINE_SESSION_KEY(Text, username), "", 0, 64, nullptr, "What Logon must carry as Username(553). Empty: nothing."},
    {HALOCLINE_SESSION_KEY(Text, password), "", 0, 256, nullptr, "What Logon must carry as Password(554). Empty: nothing."},
    {HALOCLINE_SESSION_KEY(Number, heartbeat_least_seconds), "1", 0, 86'400, nullptr,
     "The least HeartBtInt(108) of a Logon, in seconds. 0: a session without heartbeats may be."},
    {HALOCLINE_SESSION_KEY(Number, heartbeat_most_seconds), "3600", 1, 86'400, nullptr, "The most, in seconds."},
    {HALOCLINE_SESSION_KEY(Number, clock_skew_seconds), "120", 0, 86'400, nullptr,
     "How far SendingTime(52) may be off, in seconds. 0: any."},
    {HALOCLINE_SESSION_KEY(Text, schedule), "", 0, 64, nullptr,
     "When it may be logged on, in UTC: \"07:00:00-18:30:00\" each day, or \"mon 07:00:00-fri 18:30:00\". Each time begins with the "
     "numbers at 1. "
     "Empty: always."},
    {HALOCLINE_SESSION_KEY(Number, messages_per_second), "0", 0, 10'000'000, nullptr, "Faster is not read. 0: no bound."},
    {HALOCLINE_SESSION_KEY(Text, unknown_instrument), "refuse", 0, 0, "refuse|park",
     "What becomes of a trade in an instrument that is not known: refused, or kept until it is."},
    {HALOCLINE_SESSION_KEY(Text, book), "1", 1, 256, nullptr, "Where the book stands: a rule, see docs/fix.md."},
    {HALOCLINE_SESSION_KEY(Text, trader), "party:12 party:11 party:36 party:53 116 50", 1, 256, nullptr, "The trader."},
    {HALOCLINE_SESSION_KEY(Text, counterparty), "party:17 party:1 375 76 49", 1, 256, nullptr, "The counterparty."},
    {HALOCLINE_SESSION_KEY(Text, desk), "", 0, 256, nullptr, "The desk; when found, the book must be of it. Empty: not looked at."},
    {HALOCLINE_SESSION_KEY(Text, instrument), "55 48", 1, 256, nullptr, "The instrument."},
    {HALOCLINE_SESSION_KEY(Text, currency), "15 120", 0, 256, nullptr,
     "The currency; when found, the instrument must be in it, but for FX pairs. Empty: not looked at."},
    {HALOCLINE_SESSION_KEY(Text, id_day), "", 0, 256, nullptr,
     "The day of the trade's ids, for an order system whose ids begin anew each day. Empty: its ids are for ever."},
};
#undef HALOCLINE_SESSION_KEY

const char* section_meaning(std::string_view section) {
  if (section == "server") return "The process: where it listens and keeps its data.";
  if (section == "firm") return "Whose books these are.";
  if (section == "journal") return "How commands are kept.";
  if (section == "memory") return "What the books grow into; docs/operations.md says when to set it.";
  if (section == "fix") return "FIX sessions; docs/fix.md says what becomes of their messages.";
  if (section == "catalog") return "The catalog of Iceberg tables that Spark, Trino, PyIceberg and DuckDB attach to; docs/iceberg.md.";
  if (section == "checkpoint") return "The books in files beside the journal, which is the truth; these save time.";
  if (section == "archive") return "Old segments of the journal, which rewinds and audits read from there.";
  if (section == "rewind") return "The books as they were: AS OF, --as-of.";
  if (section == "audit") return "The signed record that nothing was changed; `halocline audit verify` checks it.";
  if (section == "history") return "The books' memory in Iceberg tables, which other engines read.";
  if (section == "limits")
    return "Bounds. Everything is allocated or counted against them; reaching one slows or refuses a sender, never grows memory.";
  return "What the server says about itself.";
}

template <class Holder>
std::string value_in_toml(const KeyOf<Holder>& key) {
  const bool text = key.field.index() == 0;
  return text ? "\"" + std::string(key.default_value) + "\"" : key.default_value;
}

template <class Holder>
std::string bounds_of(const KeyOf<Holder>& key) {
  if (key.choices != nullptr) return key.choices;
  if (key.field.index() == 1) return std::to_string(key.least) + " .. " + std::to_string(key.most);
  return key.field.index() == 2 ? "true|false" : "text of at most " + std::to_string(key.most) + " bytes";
}

template <class Holder>
std::string bounds_in_words(const KeyOf<Holder>& key) {
  std::string bounds = bounds_of(key);
  for (std::size_t at = 0; (at = bounds.find('|', at)) != std::string::npos; at += 2) bounds.replace(at, 1, ", ");
  return bounds;
}

// Breaks a text at spaces into lines of at most 110 characters, each behind "# ".
void append_comment(std::ostringstream& out, const std::string& text) {
  std::istringstream words(text);
  std::string word, line = "#";
  while (words >> word) {
    if (line.size() + 1 + word.size() > 110) out << line << "\n", line = "#";
    line += " " + word;
  }
  out << line << "\n";
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }
std::span<const FixSessionKey> fix_session_keys() { return kSessionKeys; }

std::string example_toml() {
  std::ostringstream out;
  out << "# Halocline's configuration, with every key at its default. Made from src/server/config_keys.cc: see docs/configuration.md.\n"
         "#   halocline serve --config halocline.toml\n";
  std::string_view section;
  for (const ConfigKey& key : kKeys) {
    if (section != key.section) {
      section = key.section;
      out << "\n# " << section_meaning(section) << "\n[" << section << "]\n";
    }
    append_comment(out, std::string(key.meaning) + " (" + bounds_of(key) + ")");
    out << key.name << " = " << value_in_toml(key) << "\n";
  }
  out << "\n# One for each FIX session; the keys with their defaults:\n# [[fix.session]]\n";
  for (const FixSessionKey& key : kSessionKeys) out << "# " << key.name << " = " << value_in_toml(key) << "\n";
  return out.str();
}

std::string configuration_page() {
  std::ostringstream out;
  out << "# Configuration\n\n"
         "Made from the table in `src/server/config_keys.cc`; a test compares. A commented file with every default: "
         "`halocline.example.toml`.\n\n"
         "A value comes from the environment, else from the TOML file, else it is the default. The variable of `[server] listen` is\n"
         "`HALOCLINE_SERVER_LISTEN`. `halocline config show` prints every value and where it comes from; `halocline config check` only "
         "looks\n"
         "whether the file is right. An unknown key is an error that names the file, the line and the nearest known key.\n";
  std::string_view section;
  for (const ConfigKey& key : kKeys) {
    if (section != key.section) {
      section = key.section;
      out << "\n## [" << section << "]\n"
          << section_meaning(section) << "\n\n| key | default | values | meaning | environment |\n|---|---|---|---|---|\n";
    }
    out << "| `" << key.name << "` | `" << value_in_toml(key) << "` | " << bounds_in_words(key) << " | " << key.meaning << " | `HALOCLINE_"
        << upper(key.section) << "_" << upper(key.name) << "` |\n";
  }
  out << "\n## [[fix.session]]\nOne for each FIX session; in the file only.\n\n| key | default | values | meaning |\n|---|---|---|---|\n";
  for (const FixSessionKey& key : kSessionKeys) {
    out << "| `" << key.name << "` | `" << value_in_toml(key) << "` | " << bounds_in_words(key) << " | " << key.meaning << " |\n";
  }
  return out.str();
}

}  // namespace halocline
