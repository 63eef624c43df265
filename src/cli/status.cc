#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

void print_status(const v1::Status& s) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"state", s.state() + ", up " + duration_text(s.uptime_ns()) + ", version " + s.version()},
      {"last seq", count_text(s.last_seq()) + " applied, " + count_text(s.durable_seq()) + " durable (" + s.durability() + ")"},
      {"last time", s.last_seq() == 0 ? "" : time_text(s.last_time_ns())},
      {"trades", count_text(s.live_trades()) + " live of " + count_text(s.trades()) + " known"},
      {"nodes", count_text(s.nodes()) + " with " + count_text(s.instruments()) + " instruments"},
      {"limits", count_text(s.limits()) + " with " + count_text(s.active_alerts()) + " active alerts"},
      {"last event", count_text(s.last_event_id()) + ", " + count_text(s.subscribers()) + " followers"},
      {"journal", s.data_directory() + ": " + bytes_text(s.journal_bytes()) + " in " + count_text(s.journal_segments()) +
                      " segments, " +
                      count_text(s.journal_blocks()) + " blocks, " + count_text(s.journal_syncs()) + " syncs"},
      {"recovery", s.recovered_records() == 0 ? "" : count_text(s.recovered_records()) + " records in " +
                                                         duration_text(s.recovery_time_ns())},
      {"memory", bytes_text(s.memory_bytes())}};
  if (!s.state_digest().empty()) pairs.emplace_back("state digest", s.state_digest());
  std::erase_if(pairs, [](const auto& pair) { return pair.second.empty(); });
  print_pairs(pairs, stdout);
  if (s.latencies_size() > 0) {
    std::puts("");
    Table table({{"stage"}, {"count", Table::kRight}, {"p50", Table::kRight}, {"p90", Table::kRight}, {"p99", Table::kRight},
                 {"p99.9", Table::kRight}, {"max", Table::kRight}});
    for (const v1::Latency& l : s.latencies()) {
      if (l.count() == 0) {
        table.add({l.stage(), "0", "", "", "", "", ""});
        continue;
      }
      table.add({l.stage(), count_text(l.count()), duration_text(l.p50_ns()), duration_text(l.p90_ns()), duration_text(l.p99_ns()),
                 duration_text(l.p999_ns()), duration_text(l.max_ns())});
    }
    table.print(stdout);
  }
  if (s.queues_size() > 0) {
    std::puts("");
    Table table({{"queue"}, {"depth", Table::kRight}, {"highest", Table::kRight}, {"capacity", Table::kRight}});
    for (const v1::Queue& q : s.queues()) table.add({q.name(), count_text(q.depth()), count_text(q.highest()), count_text(q.capacity())});
    table.print(stdout);
  }
  if (s.counters_size() > 0) {
    std::puts("");
    Table table({{"counter"}, {"value", Table::kRight}});
    for (const v1::Counter& c : s.counters()) {
      if (c.value() != 0) table.add({c.name(), count_text(c.value())});
    }
    table.print(stdout);
  }
}

}  // namespace

void add_status(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("status", "how the server is: seqs, latencies by stage, queues, counters");
  command->footer("Examples:\n  halocline status\n  halocline status --digest --json | jq -r .state_digest");
  auto digest = std::make_shared<bool>(false);
  command->add_flag("--digest", *digest, "also compute the digest of the whole state");
  add_server_options(*command, session);
  command->callback([digest, &session] {
    session.action = [digest, &session] {
      const Result<v1::Status> status = session.connect().status(*digest);
      if (!status.ok()) return report(status.status());
      session.json ? print_json(to_json(status.value())) : print_status(status.value());
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace halocline::cli
