#include "gateways/fix/fix_gateway.h"

#include <pthread.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/ssl/context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "command/port.h"
#include "gateways/fix/connection.h"
#include "gateways/fix/session.h"

namespace halocline {
namespace {

using asio::ip::tcp;
using fix::Connection;
using fix::Session;

constexpr std::chrono::seconds kTick(1);
constexpr std::chrono::milliseconds kAcceptAgain(100);
constexpr std::chrono::milliseconds kDrainTick(5);
constexpr std::chrono::seconds kDrainWithin(5);

class FixGateway final : public Gateway,
                         public FixDesk,
                         public fix::SessionHost,
                         public fix::ConnectionHost,
                         public std::enable_shared_from_this<FixGateway> {
 public:
  FixGateway(FixOptions options, Clock& clock)
      : options_(std::move(options)), clock_(clock), plain_timer_(io_), secure_timer_(io_), tick_timer_(io_), drain_timer_(io_) {
    limits_ = {options_.max_message_bytes, options_.out_queue_bytes, options_.logon_seconds};
  }
  ~FixGateway() override { stop(); }

  Status start(Port& port) override {
    port_ = &port;
    sink_ = std::make_shared<Sink>(*this);
    std::promise<Result<At<FixLedger>>> promise;
    port.fix_ledger([&promise](Result<At<FixLedger>> ledger) { promise.set_value(std::move(ledger)); });
    const Result<At<FixLedger>> ledger = promise.get_future().get();
    if (!ledger.ok()) return ledger.status();
    if (!options_.listen.empty()) {
      if (Status status = listen(options_.listen, plain_); !status.ok()) return status;
    }
    if (!options_.tls_listen.empty()) {
      if (Status status = load_tls(); !status.ok()) return status;
      if (Status status = listen(options_.tls_listen, secure_); !status.ok()) return status;
    }
    for (const FixSessionTerms& terms : options_.sessions) {
      FixLedgerRow row;
      for (const FixLedgerRow& known : ledger.value().rows.sessions) {
        if (known.session == terms.name) row = known;
      }
      sessions_.push_back(std::make_unique<Session>(terms, *this, clock_, row));
      sessions_.back()->answer_what_is_left(row);
    }
    work_.emplace(io_.get_executor());
    if (plain_.has_value()) accept(*plain_, false);
    if (secure_.has_value()) accept(*secure_, true);
    tick();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "fix");
      io_.run();
    });
    port.set_fix_desk(this);
    return ok_status();
  }

  std::string address() const override {
    std::string text = plain_.has_value() ? text_of(*plain_) : std::string();
    if (secure_.has_value()) text += (text.empty() ? "tls " : " tls ") + text_of(*secure_);
    return text;
  }

  // No new connections; what was read becomes durable and is answered, then everybody is logged out.
  void stop_accepting() override {
    if (!thread_.joinable() || drained_) return;
    drained_ = true;
    std::promise<void> done;
    asio::post(io_, [this, &done] {
      stop_listening();
      for (const auto& session : sessions_) session->stop_taking();
      drain_until_ = std::chrono::steady_clock::now() + kDrainWithin;
      drain([&done] { done.set_value(); });
    });
    done.get_future().wait();
  }

  void stop() override {
    if (!thread_.joinable()) return;
    port_->set_fix_desk(nullptr);
    asio::post(io_, [this] {
      stop_listening();
      tick_timer_.cancel();
      const std::set<std::shared_ptr<Connection>> open = connections_;
      for (const auto& connection : open) connection->cut("the server stops");
      work_.reset();
    });
    thread_.join();
  }

  // FixDesk
  std::vector<FixSessionRow> sessions() override {
    std::promise<std::vector<FixSessionRow>> rows;
    asio::post(io_, [&] {
      std::vector<FixSessionRow> all;
      for (const auto& session : sessions_) all.push_back(session->row());
      rows.set_value(std::move(all));
    });
    return rows.get_future().get();
  }
  void reset(const std::string& name, std::function<void(const Status&)> done) override {
    asio::post(io_, [this, name, done = std::move(done)]() mutable {
      for (const auto& session : sessions_) {
        if (session->terms().name == name) return session->reset(std::move(done));
      }
      done(Status(Code::kNotFound, "there is no FIX session \"" + name + "\"; `halocline fix sessions` lists them"));
    });
  }

  // fix::SessionHost
  bool submit(Session& session, std::vector<std::byte> records, std::uint32_t count, std::int64_t received) override {
    Submission submission;
    submission.records = std::move(records);
    submission.count = count;
    submission.sink = sink_;
    submission.received = received;
    submitted_.push_back(&session);
    if (port_->submit(std::move(submission)).ok()) return true;
    // The core stops: whatever is under way ends as after a crash.
    submitted_.pop_back();
    asio::post(io_, [&session] { session.abandoned(); });
    return false;
  }
  void read_sent(Session& session, std::uint32_t from, std::uint32_t to, std::size_t most) override {
    port_->fix_sent(session.terms().name, from, to, most, [this, &session](Result<At<std::vector<FixSentRow>>> rows) {
      asio::post(io_, [&session, rows = std::move(rows)]() mutable {
        session.sent_rows(rows.ok() ? Result<std::vector<FixSentRow>>(std::move(rows.value().rows)) : rows.status());
      });
    });
  }
  void count(const char* counter, std::uint64_t add) override { port_->count(counter, add); }

  // fix::ConnectionHost
  Session* admit(const fix::Message& logon, const std::string& address) override {
    const auto is = [&](int tag, const std::string& value) { return fix::value_of(logon.fields(), tag) == value; };
    for (const auto& session : sessions_) {
      const fix::MachineTerms& terms = session->terms().machine;
      if (!is(fix::tag::kSenderCompId, terms.their_comp_id) || !is(fix::tag::kTargetCompId, terms.our_comp_id) ||
          !is(fix::tag::kBeginString, terms.begin_string)) {
        continue;
      }
      const std::string why = session->refusal();
      if (why.empty()) return session.get();
      count("fix_logon_refused", 1);
      log_line(LogLevel::kWarn, "fix.logon_refused", {{"session", session->terms().name}, {"address", address}, {"why", why}});
      return nullptr;
    }
    count("fix_logon_unknown", 1);
    log_line(LogLevel::kWarn, "fix.logon_unknown",
             {{"address", address}, {"begin_string", fix::value_of(logon.fields(), fix::tag::kBeginString)},
              {"sender", fix::value_of(logon.fields(), fix::tag::kSenderCompId)},
              {"target", fix::value_of(logon.fields(), fix::tag::kTargetCompId)}});
    return nullptr;
  }
  void closed(Connection& connection) override { connections_.erase(connection.shared_from_this()); }

 private:
  // The core's side of the submissions: takes acknowledgements to the gateway's thread, several at a time.
  class Sink final : public AckSink {
   public:
    explicit Sink(FixGateway& gateway) : gateway_(gateway) {}
    void acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) override { add({acks.begin(), acks.end()}); }
    void abandoned(std::uint64_t, const Status&) override { add({}); }

   private:
    void add(std::vector<Acknowledgement> acks) {
      bool first = false;
      {
        const std::lock_guard lock(gateway_.acks_mutex_);
        first = gateway_.acks_.empty();
        gateway_.acks_.push_back(std::move(acks));
      }
      if (first) asio::post(gateway_.io_, [gateway = &gateway_] { gateway->take_acks(); });
    }
    FixGateway& gateway_;
  };

  void take_acks() {
    std::vector<std::vector<Acknowledgement>> all;
    {
      const std::lock_guard lock(acks_mutex_);
      all.swap(acks_);
    }
    for (const std::vector<Acknowledgement>& acks : all) {
      Session* session = submitted_.front();
      submitted_.pop_front();
      acks.empty() ? session->abandoned() : session->acknowledged(acks);
    }
    // Written to after all: one write for many.
    const std::set<std::shared_ptr<Connection>> open = connections_;
    for (const auto& connection : open) connection->pump();
  }

  Status listen(const std::string& address, std::optional<tcp::acceptor>& acceptor) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const std::string port = address.substr(colon + 1);
    asio::error_code error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(host, port, tcp::resolver::passive, error);
    if (error || found.empty()) return Status(Code::kInvalidArgument, "cannot resolve the FIX address " + address + ": " + error.message());
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.emplace(io_);
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (!error) return ok_status();
    acceptor.reset();
    return Status(Code::kFailedPrecondition, "cannot listen for FIX on " + address + ": " + error.message() +
        "; choose another address, or end what uses it");
  }

  Status load_tls() {
    asio::error_code error;
    const auto failed = [&](const std::string& file) {
      return Status(Code::kInvalidArgument, "cannot use " + file + " for FIX over TLS: " + error.message());
    };
    tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 |
                     asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls_.use_certificate_chain_file(options_.tls_certificate, error);
    if (error) return failed(options_.tls_certificate);
    tls_.use_private_key_file(options_.tls_key, asio::ssl::context::pem, error);
    if (error) return failed(options_.tls_key);
    if (options_.tls_client_ca.empty()) return ok_status();
    tls_.load_verify_file(options_.tls_client_ca, error);
    if (error) return failed(options_.tls_client_ca);
    tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    return ok_status();
  }

  void accept(tcp::acceptor& acceptor, bool secure) {
    acceptor.async_accept([this, &acceptor, secure](const asio::error_code& error, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (error) return accept_later(acceptor, secure, error);
      if (connections_.size() >= options_.max_connections) {
        count("fix_connections_refused", 1);
        log_line(LogLevel::kWarn, "fix.connection_refused", {{"why", "there are as many as fix.connections allows"}});
      } else {
        const std::shared_ptr<Connection> connection =
            secure ? make_tls_connection(std::move(socket), tls_, *this, limits_, clock_)
                : make_connection(std::move(socket), *this, limits_, clock_);
        connections_.insert(connection);
        connection->start();
      }
      accept(acceptor, secure);
    });
  }

  // No more file descriptors, most likely: it would fail again at once. Those that are connected go on.
  void accept_later(tcp::acceptor& acceptor, bool secure, const asio::error_code& error) {
    count("fix_accept_failed", 1);
    log_line(LogLevel::kWarn, "fix.accept_failed", {{"why", error.message()}});
    asio::steady_timer& timer = secure ? secure_timer_ : plain_timer_;
    timer.expires_after(kAcceptAgain);
    timer.async_wait([this, &acceptor, secure](const asio::error_code& cancelled) {
      if (!cancelled && acceptor.is_open()) accept(acceptor, secure);
    });
  }

  void stop_listening() {
    plain_timer_.cancel();
    secure_timer_.cancel();
    asio::error_code ignored;
    if (plain_.has_value()) plain_->close(ignored);
    if (secure_.has_value()) secure_->close(ignored);
  }

  void tick() {
    for (const auto& session : sessions_) session->tick();
    const std::set<std::shared_ptr<Connection>> open = connections_;
    for (const auto& connection : open) connection->tick();
    tick_timer_.expires_after(kTick);
    tick_timer_.async_wait([this](const asio::error_code& error) {
      if (!error) tick();
    });
  }

  // Waits until all is durable and answered, logs out, waits for the others' Logouts, and until the numbers are durable.
  void drain(std::function<void()> done) {
    bool idle = true, connected = false;
    for (const auto& session : sessions_) {
      idle = idle && session->idle();
      connected = connected || session->connected();
    }
    const bool late = std::chrono::steady_clock::now() >= drain_until_;
    switch (drained_to_) {
      case Drained::kNothing:
        if (!idle && !late) break;
        for (const auto& session : sessions_) session->log_out_for_good();
        drained_to_ = Drained::kLoggedOut;
        break;
      case Drained::kLoggedOut:
        if ((!idle || connected) && !late) break;
        for (const auto& session : sessions_) session->settle_numbers();
        drained_to_ = Drained::kSettled;
        break;
      case Drained::kSettled:
        if (idle || late) return done();
    }
    drain_timer_.expires_after(kDrainTick);
    drain_timer_.async_wait([this, done = std::move(done)](const asio::error_code&) mutable { drain(std::move(done)); });
  }

  static std::string text_of(const tcp::acceptor& acceptor) {
    asio::error_code error;
    const tcp::endpoint local = acceptor.local_endpoint(error);
    const std::string host = local.address().to_string();
    return (local.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(local.port());
  }

  const FixOptions options_;
  Clock& clock_;
  fix::ConnectionLimits limits_;
  Port* port_ = nullptr;
  std::shared_ptr<Sink> sink_;

  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  std::optional<tcp::acceptor> plain_, secure_;
  asio::steady_timer plain_timer_, secure_timer_;  // until the next attempt to accept
  asio::steady_timer tick_timer_, drain_timer_;
  std::thread thread_;
  bool drained_ = false;
  enum class Drained { kNothing, kLoggedOut, kSettled } drained_to_ = Drained::kNothing;
  std::chrono::steady_clock::time_point drain_until_;

  // The gateway thread's.
  std::vector<std::unique_ptr<Session>> sessions_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::deque<Session*> submitted_;  // whose submissions are under way, in order

  std::mutex acks_mutex_;
  std::vector<std::vector<Acknowledgement>> acks_;
};

}  // namespace

std::unique_ptr<Gateway> make_fix_gateway(FixOptions options, Clock& clock) {
  return std::make_unique<FixGateway>(std::move(options), clock);
}

}  // namespace halocline
