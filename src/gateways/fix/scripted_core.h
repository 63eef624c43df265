// The core as a session sees it, for tests: submissions wait until settle(), which writes them into a journal of a kind and acknowledges
// them. A new session from `ledger` is the one after a crash.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "command/codec.h"
#include "gateways/fix/session.h"

namespace halocline::fix {

class ScriptedCore final : public SessionHost {
 public:
  struct Waiting {
    std::vector<std::byte> records;
    std::uint32_t count;
  };

  bool submit(Session&, std::vector<std::byte> records, std::uint32_t count, std::int64_t) override {
    waiting.push_back({std::move(records), count});
    return true;
  }
  void read_sent(Session&, std::uint32_t from, std::uint32_t to, std::size_t most) override {
    wanted = {from, to};
    most_wanted = most;
  }
  void count(const char* counter, std::uint64_t add) override { counters[counter] += add; }

  // What is under way becomes durable, and what that brings about. `rounds`: no more than so many submissions.
  void settle(Session& session, int rounds = 100'000) {
    while (rounds-- > 0 && (!waiting.empty() || wanted.first != 0)) {
      if (wanted.first != 0) {
        std::vector<FixSentRow> rows;
        for (auto it = sent.lower_bound(wanted.first); it != sent.end() && it->first <= wanted.second;
            ++it) {
          if (rows.size() < most_wanted) rows.push_back({it->first, it->second});
        }
        wanted = {0, 0};
        session.sent_rows(std::move(rows));
        continue;
      }
      const Waiting one = std::move(waiting.front());
      waiting.erase(waiting.begin());
      std::vector<Acknowledgement> acks;
      for (std::span<const std::byte> rest(one.records); !rest.empty();) {
        const FramedCommand next = first_command(rest);
        acks.push_back({++seq, 0, write(next.command, rest)});
        rest = rest.subspan(next.bytes);
      }
      CHECK(acks.size() == one.count, "%zu commands in a submission of %u", acks.size(), one.count);
      session.acknowledged(acks);
    }
  }


  std::vector<Waiting> waiting;
  std::pair<std::uint32_t, std::uint32_t> wanted{0, 0};  // a read_sent() that has not been answered
  std::size_t most_wanted = 0;
  std::map<std::string, std::uint64_t> counters;
  std::map<std::uint32_t, std::string> sent;  // number to message, as the journal has them
  std::vector<std::string> trades;            // ids, in the order they became durable
  FixLedgerRow ledger{"oms", 1, 1, 0, {}};
  Outcome outcome = Outcome::kAccepted;  // of trade reports
  Seq seq = 0;

 private:
  Outcome write(const Command& command, std::span<const std::byte> from) {
    if (const auto* received = std::get_if<FixReceived>(&command)) {
      ledger.next_in = received->number + 1;
      if (received->commands > 0 && (received->reply == FixReply::kAlways || is_refused(outcome))) {
        FixUnanswered unanswered{seq, received->number, received->commands, {outcome, 0}, {}};
        std::size_t bytes = 0;
        for (int i = 0; i <= received->commands; ++i) bytes += first_command(from.subspan(bytes)).bytes;
        unanswered.records.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(bytes));
        ledger.unanswered.push_back(std::move(unanswered));
      }
    } else if (const auto* out = std::get_if<FixSent>(&command)) {
      sent[out->number] = out->message;
      ledger.next_out = std::max(ledger.next_out, out->number + 1);
      std::erase_if(ledger.unanswered, [&](const FixUnanswered& one) { return one.seq == out->answers; });
    } else if (const auto* reserved = std::get_if<FixReserved>(&command)) {
      ledger.next_out = reserved->number;
    } else if (std::holds_alternative<FixReset>(command)) {
      ledger.next_in = ledger.next_out = 1;
      sent.clear();
    } else if (const auto* report = std::get_if<TradeReport>(&command)) {
      if (!is_refused(outcome)) trades.emplace_back(report->trade.trade_id);
      return outcome;
    }
    return Outcome::kAccepted;
  }
};

}  // namespace halocline::fix
