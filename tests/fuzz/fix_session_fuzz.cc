// Any bytes on a FIX session, from the first of a connection to its end, over a journal that becomes durable now and then, with crashes.
// The input is lines, ended by LF:
//   =…    bytes as they come, with | for SOH
//   !     what is under way becomes durable
//   #     the process dies, a new one begins from the journal, and the counterparty connects anew
//   else  the body of a message from 35= on, with | for SOH; BodyLength and CheckSum are put in
// What must hold beside the CHECKs of the session and the sanitizers: the number expected never lies behind the durable one, a number of
// ours is
// journaled once, nothing leaves before it may, and what leaves is a message with the next number, or a resend.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/log.h"
#include "gateways/fix/fix_text.h"
#include "gateways/fix/framer.h"
#include "gateways/fix/scripted_core.h"

namespace {

using namespace halocline;
using namespace halocline::fix;

constexpr std::size_t kMostBytes = 4'096;  // of a message

FixSessionTerms terms() {
  FixSessionTerms all;
  all.name = "oms";
  all.machine = {"FIX.4.4", "HALOCLINE", "OMS"};
  all.machine.clock_skew_seconds = 0;  // an input says the same tomorrow
  all.rules.source = "OMS";
  const auto set = [](TagRule& rule, const char* text) { rule = TagRule::parse(text).take(); };
  set(all.rules.book, "1"), set(all.rules.trader, "50 =t"), set(all.rules.counterparty, "49"), set(all.rules.instrument, "55"),
      set(all.rules.currency, "15");
  return all;
}

// A connection without a socket.
class Line final : public Outlet {
 public:
  explicit Line(Session& session) : session_(session) {}

  void take(std::string_view bytes) {
    framer_.take(bytes);
    read();
  }
  void read() {
    std::string_view text;
    while (open_ && session_.takes_message()) {
      const Framer::Step step = framer_.next(text);
      if (step == Framer::kNeedsMore) break;
      if (step == Framer::kTooLarge) return lose();
      if (step == Framer::kGarbled) {
        if (!attached_) return lose();
        session_.garbled();
      } else if (attached_) {
        session_.receive(text, 1);
      } else {
        Message logon;
        if (!logon.parse(text) || logon.type() != "A" || !session_.refusal().empty()) return lose();
        attached_ = true;
        session_.attach(*this, "fuzz", false);
        session_.receive(text, 1);
      }
    }
    session_.flush();
  }
  void lose() {
    if (open_ && attached_) session_.lost("fuzz");
    open_ = false;
  }

  void send(std::string text, std::uint64_t gate) override {
    Message message;
    CHECK(message.parse(text) && message.number() > 0, "it sends what is no message: %s", text.c_str());
    waiting_.push_back(gate);
    pump();
  }
  void pump() {
    while (!waiting_.empty() && waiting_.front() <= session_.durable_batch()) waiting_.pop_front();
  }
  void close() override { open_ = false; }
  void resume() override { read(); }
  bool backed_up() const override { return false; }

 private:
  Session& session_;
  Framer framer_{kMostBytes};
  std::deque<std::uint64_t> waiting_;
  bool attached_ = false, open_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = (set_log_level(LogLevel::kError), true);
  static_cast<void>(quiet);
  static const FixSessionTerms kTerms = terms();
  SystemClock clock;
  ScriptedCore core;
  auto session = std::make_unique<Session>(kTerms, core, clock, core.ledger);
  auto line = std::make_unique<Line>(*session);

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one == "!") {
      core.settle(*session);
      line->pump();
      const FixSessionRow row = session->row();
      CHECK(row.durable_in == row.next_in && row.in_flight == 0 && row.unanswered == 0, "all is durable, up to %u of %u", row.durable_in,
          row.next_in);
    } else if (one == "#") {
      line->lose();
      core.waiting.clear();
      core.wanted = {0, 0};
      const FixLedgerRow ledger = core.ledger;
      session = std::make_unique<Session>(kTerms, core, clock, ledger);
      session->answer_what_is_left(ledger);
      line = std::make_unique<Line>(*session);
    } else if (one.starts_with('=')) {
      line->take(with_soh(std::string(one.substr(1))));
    } else if (!one.empty()) {
      std::string body(one);
      if (!body.ends_with('|')) body += '|';
      line->take(whole_message("FIX.4.4", body));
    }
  }
  line->lose();
  core.settle(*session);
  CHECK(core.ledger.unanswered.empty(), "%zu messages are left unanswered", core.ledger.unanswered.size());
  return 0;
}
