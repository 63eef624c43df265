#include "gateways/fix/connection.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <deque>
#include <type_traits>
#include <utility>

#include "base/log.h"
#include "gateways/fix/framer.h"

namespace halocline::fix {
namespace {

constexpr std::size_t kReadBytes = 65'536;
constexpr std::size_t kWriteBytes = 65'536;  // gathered for one write
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kCloseWithin = 5 * kSecond;   // what is still to be sent when the session has let go
constexpr std::int64_t kWriteWithin = 30 * kSecond;  // a write that gets nowhere
constexpr std::chrono::milliseconds kRateWait(5);

using Socket = asio::ip::tcp::socket;
using TlsSocket = asio::ssl::stream<Socket>;

std::string address_of(const Socket& socket) {
  asio::error_code error;
  const asio::ip::tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return "unknown";
  const std::string host = remote.address().to_string();
  return (remote.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(remote.port());
}

template <class Stream>
class StreamConnection final : public Connection {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsSocket>;

  template <class... Tls>
  StreamConnection(Socket socket, ConnectionHost& host, const ConnectionLimits& limits, const Clock& clock, Tls&... tls)
      : host_(host), limits_(limits), clock_(clock), address_(address_of(socket)), stream_(std::move(socket), tls...),
        rate_timer_(stream_.get_executor()), framer_(limits.message_bytes), opened_(clock.monotonic()) {
    asio::error_code ignored;
    stream_.lowest_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void start() override {
    if constexpr (kTls) {
      stream_.async_handshake(asio::ssl::stream_base::server, [self = shared()](const asio::error_code& error) {
        if (error) return self->cut("the TLS handshake failed: " + error.message());
        self->read();
      });
    } else {
      read();
    }
  }

  void send(std::string text, std::uint64_t gate) override {
    out_bytes_ += text.size();
    out_.push_back({std::move(text), gate});
    if (out_bytes_ > limits_.out_queue_bytes) {
      host_.count("fix_slow_cut", 1);
      return cut("it does not read what is sent: " + std::to_string(out_bytes_) + " bytes wait (fix.out_queue_bytes)");
    }
    pump();
  }

  void close() override {
    closing_since_ = clock_.monotonic();
    if (detached_) return;
    detached_ = true;
    pump();
  }

  void resume() override {
    if (ended_ || detached_ || reading_) return;
    process();
  }

  bool backed_up() const override { return out_bytes_ > limits_.out_queue_bytes / 4; }

  void pump() override {
    if (ended_ || writing_) return;
    buffer_.clear();
    while (!out_.empty() && out_.front().gate <= durable_batch() && buffer_.size() < kWriteBytes) {
      buffer_ += out_.front().text;
      out_.pop_front();
    }
    if (buffer_.empty()) {
      if (detached_ && out_.empty()) end();
      return;
    }
    writing_ = true;
    writing_since_ = clock_.monotonic();
    asio::async_write(stream_, asio::buffer(buffer_), [self = shared()](const asio::error_code& error, std::size_t) {
      self->writing_ = false;
      if (self->ended_) return;
      if (error) return self->cut("writing failed: " + error.message());
      self->out_bytes_ -= self->buffer_.size();
      self->pump();
      if (self->session_ != nullptr && !self->detached_ && !self->backed_up()) self->session_->drained();
    });
  }

  void tick() override {
    const std::int64_t now = clock_.monotonic();
    if (detached_ && now - closing_since_ > kCloseWithin) return end();
    if (session_ == nullptr && now - opened_ > limits_.logon_seconds * kSecond) {
      host_.count("fix_logon_timeout", 1);
      return cut("nobody logged on within " + std::to_string(limits_.logon_seconds) + " s (fix.logon_seconds)");
    }
    if (writing_ && now - writing_since_ > kWriteWithin) {
      host_.count("fix_slow_cut", 1);
      cut("it does not read what is sent");
    }
  }

  void cut(const std::string& why) override {
    if (ended_) return;
    log_line(LogLevel::kWarn, "fix.cut", {{"address", address_}, {"session", session_ == nullptr ? "" : session_->terms().name},
        {"why", why}});
    lose(why);
  }

 private:
  struct Out {
    std::string text;
    std::uint64_t gate;
  };

  std::shared_ptr<StreamConnection> shared() { return std::static_pointer_cast<StreamConnection>(this->shared_from_this()); }
  std::uint64_t durable_batch() const { return session_ == nullptr ? 0 : session_->durable_batch(); }

  void read() {
    reading_ = true;
    stream_.async_read_some(asio::buffer(in_), [self = shared()](const asio::error_code& error, std::size_t bytes) {
      self->reading_ = false;
      if (self->ended_ || self->detached_) return;
      if (error) return self->lose(error == asio::error::eof ? "the counterparty closed the connection" : "reading failed: " +
          error.message());
      self->received_ = self->clock_.monotonic();
      self->framer_.take(std::string_view(self->in_.data(), bytes));
      self->process();
    });
  }

  // Every whole message at hand, then the batch they make.
  void process() {
    std::string_view text;
    while (!ended_ && !detached_) {
      if (session_ != nullptr && !session_->takes_message()) {
        session_->flush();
        if (session_->waits_for_time()) wait_for_rate();
        return;
      }
      const Framer::Step step = framer_.next(text);
      if (step == Framer::kNeedsMore) break;
      if (step == Framer::kTooLarge) {
        host_.count("fix_too_large", 1);
        return cut("a message of more than " + std::to_string(limits_.message_bytes) + " bytes (fix.message_bytes)");
      }
      if (step == Framer::kGarbled) {
        if (session_ == nullptr) return cut("what it sends is no FIX message");
        session_->garbled();
      } else if (session_ == nullptr) {
        if (!log_on(text)) return;
      } else {
        session_->receive(text, received_);
      }
    }
    if (session_ != nullptr) session_->flush();
    if (!ended_ && !detached_) read();
  }

  bool log_on(std::string_view text) {
    Message logon;
    if (!logon.parse(text) || logon.type() != "A") {
      cut("its first message is no Logon");
      return false;
    }
    session_ = host_.admit(logon, address_);
    if (session_ == nullptr) {
      lose("");
      return false;
    }
    session_->attach(*this, address_, kTls);
    session_->receive(text, received_);
    return true;
  }

  void wait_for_rate() {
    rate_timer_.expires_after(kRateWait);
    rate_timer_.async_wait([self = shared()](const asio::error_code& error) {
      if (!error) self->resume();
    });
  }

  // The session must know; then nothing more.
  void lose(const std::string& why) {
    if (ended_) return;
    const bool attached = session_ != nullptr && !detached_;
    detached_ = true;
    end();
    if (attached) session_->lost(why);
  }

  void end() {
    if (ended_) return;
    ended_ = true;
    asio::error_code ignored;
    rate_timer_.cancel();
    stream_.lowest_layer().shutdown(Socket::shutdown_both, ignored);
    stream_.lowest_layer().close(ignored);
    host_.closed(*this);
  }

  ConnectionHost& host_;
  const ConnectionLimits limits_;
  const Clock& clock_;
  const std::string address_;
  Stream stream_;
  asio::steady_timer rate_timer_;
  Framer framer_;
  Session* session_ = nullptr;  // stays when it has let go: it knows what is durable
  std::array<char, kReadBytes> in_{};
  std::deque<Out> out_;
  std::string buffer_;
  std::size_t out_bytes_ = 0;
  std::int64_t opened_, received_ = 0, writing_since_ = 0, closing_since_ = 0;
  bool reading_ = false, writing_ = false, detached_ = false, ended_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, ConnectionHost& host, const ConnectionLimits& limits,
                                            const Clock& clock) {
  return std::make_shared<StreamConnection<Socket>>(std::move(socket), host, limits, clock);
}

std::shared_ptr<Connection> make_tls_connection(asio::ip::tcp::socket socket, asio::ssl::context& tls, ConnectionHost& host,
                                                const ConnectionLimits& limits, const Clock& clock) {
  return std::make_shared<StreamConnection<TlsSocket>>(std::move(socket), host, limits, clock, tls);
}

}  // namespace halocline::fix
