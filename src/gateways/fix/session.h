// One FIX session over the life of the process: its numbers as the journal has them, the messages on their way into the journal, the
// replies on their way out. QuickFIX does the session layer (session_machine.h); this is its store and its application.
//
// What makes a number durable: each message that counts adds a FixReceived, before the commands it became, to the batch under way; the
// batch is one submission. What makes a sent number durable: numbers are reserved in the journal ahead of use, and an application message
// is in the journal (FixSent) before it leaves. A message that must wait for its batch carries the batch's number, its gate; messages leave
// in order. docs/fix.md, "Sequence numbers"; docs/decisions/0006-fix-sessions.md.
//
// One thread, the gateway's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "command/port.h"
#include "gateways/fix/fix_gateway.h"
#include "gateways/fix/replies.h"
#include "gateways/fix/session_machine.h"

namespace halocline::fix {

class Session;

// Where a session's messages go while somebody is connected.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // Sends when the session's batches up to `gate` are durable, in the order of the calls.
  virtual void send(std::string text, std::uint64_t gate) = 0;
  // Closes after what was sent; the session is detached already.
  virtual void close() = 0;
  // The session takes messages again.
  virtual void resume() = 0;
  // Whether so much waits to be read by the counterparty that more should wait for Session::drained().
  virtual bool backed_up() const = 0;
};

// What a session needs of its gateway.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // Submits; false when the core takes nothing more. Acknowledged by Session::acknowledged, in the order of the calls.
  virtual bool submit(Session& session, std::vector<std::byte> records, std::uint32_t count, std::int64_t received) = 0;
  // Answered by Session::sent_rows.
  virtual void read_sent(Session& session, std::uint32_t from, std::uint32_t to, std::size_t most) = 0;
  virtual void count(const char* counter, std::uint64_t add) = 0;
};

class Session final : public MachineOwner {
 public:
  Session(const FixSessionTerms& terms, SessionHost& host, const Clock& clock, const FixLedgerRow& ledger);

  const FixSessionTerms& terms() const { return terms_; }

  // Makes the replies that the last process did not. Once, before anything else.
  void answer_what_is_left(const FixLedgerRow& ledger);

  // Why nobody can be connected now; empty when somebody can.
  std::string refusal() const;
  void attach(Outlet& outlet, std::string address, bool tls);
  // The connection is gone.
  void lost(const std::string& why);

  // A whole message. Call flush() after the last one at hand.
  void receive(std::string_view text, std::int64_t received);
  void garbled();
  void flush();
  // Whether another message is taken now; if not, Outlet::resume() says when, but for the rate, which needs only time.
  bool takes_message();
  bool waits_for_time() const { return rate_waits_; }

  void tick();
  void acknowledged(std::span<const Acknowledgement> acks);
  void abandoned();
  void sent_rows(Result<std::vector<FixSentRow>> rows);
  // The outlet is not backed up (any more).
  void drained();
  std::uint64_t durable_batch() const { return durable_batch_; }

  void reset(std::function<void(const Status&)> done);
  // The end: first no more messages; then, when all is durable and answered, the Logout, and the wait for theirs; then the numbers that
  // were used, exactly.
  void stop_taking() { stopping_ = true; }
  bool idle() const { return in_flight_.empty() && records_.empty() && replies_.empty(); }
  bool connected() const { return outlet_ != nullptr; }
  void log_out_for_good();
  void settle_numbers();

  FixSessionRow row() const;

 private:
  struct Incoming {
    std::uint32_t number = 0;
    std::uint32_t place = 0;   // of its FixReceived among the batch's commands
    std::size_t offset = 0;    // … and among its bytes
    std::uint16_t commands = 0;
    FixReply reply = FixReply::kNone;
  };
  struct Batch {
    std::vector<std::byte> records;
    std::vector<Incoming> incoming;
    std::uint64_t messages = 0;
    std::uint32_t next_in = 1;     // when it is durable
    std::uint32_t reserved = 0;    // 0: it reserves nothing
    std::vector<std::function<void(const Status&)>> waiting;
  };

  // MachineOwner
  int next_in() const override { return static_cast<int>(next_in_); }
  int next_out() const override { return static_cast<int>(next_out_); }
  void advance_in() override;
  void advance_out() override { ++next_out_; }
  void set_next_in(int number) override;
  void set_next_out(int number) override { next_out_ = static_cast<std::uint32_t>(number); }
  void reset_numbers() override;
  std::int64_t created_second() const override { return created_ / 1'000'000'000; }
  void keep(int number, const std::string& text, bool application) override;
  void kept(int from, int to, std::vector<std::string>& texts) const override;
  void send(const std::string& text) override;
  void disconnect() override;
  std::string refuse_logon(const std::string& username, const std::string& password, int heartbeat_seconds) override;
  void application(int number) override;
  void logged(bool on) override;
  void event(const std::string& what) override;

  void log_on(std::string_view text);
  void receive_application(std::string_view text);
  bool split();
  void map(const Message& message);
  void send_replies();
  std::uint64_t open_batch() const { return submitted_ + 1; }
  template <class C>
  void add(const C& command);
  void add_received(const FixReceived& received, std::span<const std::byte> commands);
  void reserve(std::uint32_t up_to);
  void ask_for_resend();
  void trouble(std::string what);
  std::string framed(std::string_view type, std::uint32_t number) const;
  std::string whole(const std::string& body) const;
  std::string with_range(const std::string& request, std::uint32_t from, std::uint32_t to) const;
  std::string as_heartbeat(const std::string& request) const;
  std::string without_too_large() const;

  const FixSessionTerms terms_;
  SessionHost& host_;
  const Clock& clock_;
  const Mapping mapping_;
  std::unique_ptr<SessionMachine> machine_;
  Outlet* outlet_ = nullptr;
  std::string address_;
  bool tls_ = false, stopping_ = false, leaving_ = false;

  // Numbers.
  std::uint32_t next_in_, next_out_, durable_in_;
  std::uint32_t reserved_, durable_reserved_;  // numbers below may be used; and may leave
  std::uint64_t reserved_batch_ = 0, reset_batch_ = 0;
  Nanos created_;

  // The batch under way and those submitted.
  std::vector<std::byte> records_;
  Batch batch_;
  std::uint32_t count_ = 0;
  std::int64_t received_at_ = 0;
  std::uint64_t submitted_ = 0, durable_batch_ = 0;
  std::deque<Batch> in_flight_;
  std::uint64_t messages_in_flight_ = 0, unanswered_ = 0;

  // The message at hand.
  Message message_;
  std::string readable_;  // its text, when that had to be changed
  std::vector<TagValue> head_, body_;
  Mapped mapped_;
  std::vector<std::byte> mapped_records_;
  std::string mapped_type_, echo_;
  std::uint32_t mapped_number_ = 0, taken_number_ = 0;
  std::uint32_t held_number_ = 0;  // one that came too early, while the gap before it is asked for
  std::string held_text_;
  std::vector<std::pair<Reply, Seq>> replies_;
  std::uint64_t next_gate_ = 0;
  Seq answering_ = 0;

  // A resend under way.
  bool resending_ = false, resend_pauses_ = false;
  std::string resend_request_;
  std::uint32_t resend_number_ = 0, resend_from_ = 0, resend_to_ = 0;
  std::vector<FixSentRow> resend_rows_;

  // The rate.
  double allowance_ = 0;
  std::int64_t allowance_time_ = 0;
  bool rate_waits_ = false, waits_ = false;

  // What is told.
  std::map<std::string, std::uint64_t, std::less<>> by_type_;
  std::uint64_t received_ = 0, sent_ = 0, rejected_ = 0, ignored_ = 0, garbled_ = 0;
  std::uint64_t received_at_tick_ = 0, ignored_told_ = 0;
  std::int64_t tick_time_ = 0;
  double per_second_ = 0;
  Nanos last_received_ = 0;
  std::string last_error_;
  Nanos last_error_time_ = 0;
  std::string last_event_, logon_trouble_;  // in the session layer's words
  bool logging_on_ = false;
};

}  // namespace halocline::fix
