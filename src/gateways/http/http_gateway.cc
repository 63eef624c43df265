#include "gateways/http/http_gateway.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "gateways/http/connection.h"

namespace halocline {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kDrain(2'000);  // for answers under way to be written at the end
constexpr std::chrono::milliseconds kAcceptPause(100);

class HttpGateway final : public Gateway, private http::ConnectionHost {
 public:
  HttpGateway(HttpOptions options, HttpHandler& handler) : options_(std::move(options)), handler_(handler), workers_(options_.threads) {}
  ~HttpGateway() override { stop(); }

  Status start(Port&) override {
    if (!options_.tls_certificate.empty()) {
      if (Status status = prepare_tls(); !status.ok()) return status;
    }
    if (Status status = listen(); !status.ok()) return status;
    work_.emplace(io_.get_executor());
    accept();
    thread_ = std::thread([this] { io_.run(); });
    return ok_status();
  }

  std::string address() const override { return address_; }

  void stop_accepting() override {
    if (!thread_.joinable()) return;
    on_thread([this] {
      error_code ignored;
      acceptor_.close(ignored);
      accept_timer_.cancel();
      // finish() may end a connection, which takes it out of the set.
      for (const auto& connection : std::set<std::shared_ptr<http::Connection>>(connections_)) connection->finish();
    });
  }

  void stop() override {
    if (!thread_.joinable()) return;
    stop_accepting();
    std::promise<void> drained;
    asio::post(io_, [this, &drained] {
      if (connections_.empty()) return drained.set_value();
      drained_ = &drained;
      drain_timer_.expires_after(kDrain);
      drain_timer_.async_wait([this](error_code error) {
        if (error) return;
        for (const auto& connection : std::set<std::shared_ptr<http::Connection>>(connections_)) connection->cut();
      });
    });
    drained.get_future().wait();
    workers_.join();
    work_.reset();
    thread_.join();
  }

 private:
  // http::ConnectionHost.
  void work(HttpRequest request, std::function<void(HttpResponse)> done) override {
    // At most one a connection: the pool's queue is bounded by them.
    asio::post(workers_, [this, request = std::move(request), done = std::move(done)]() mutable {
      HttpResponse response = handler_.answer(request);
      asio::post(io_, [response = std::move(response), done = std::move(done)]() mutable { done(std::move(response)); });
    });
  }

  void ended(const std::shared_ptr<http::Connection>& connection) override {
    connections_.erase(connection);
    if (connections_.empty() && drained_ != nullptr) {
      drain_timer_.cancel();
      std::exchange(drained_, nullptr)->set_value();
    }
  }

  template <class Do>
  void on_thread(Do&& what) {
    std::promise<void> done;
    asio::post(io_, [&] { what(), done.set_value(); });
    done.get_future().wait();
  }

  Status prepare_tls() {
    error_code error;
    tls_.emplace(asio::ssl::context::tls_server);
    const auto failed = [&](const std::string& file) {
      return Status(Code::kInvalidArgument, "cannot use " + file + " for HTTP over TLS: " + error.message());
    };
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 |
                      asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls_->use_certificate_chain_file(options_.tls_certificate, error);
    if (error) return failed(options_.tls_certificate);
    tls_->use_private_key_file(options_.tls_key, asio::ssl::context::pem, error);
    return error ? failed(options_.tls_key) : ok_status();
  }

  Status listen() {
    const std::size_t colon = options_.listen.rfind(':');
    std::string host = options_.listen.substr(0, colon);
    const std::string port = options_.listen.substr(colon + 1);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto failed = [&](const error_code& error) {
      return Status(error == asio::error::address_in_use ? Code::kFailedPrecondition : Code::kInvalidArgument,
                    "cannot listen for HTTP on " + options_.listen + ": " + error.message());
    };
    error_code error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(host, port, tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error) return failed(error);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return failed(error);
    address_ = options_.listen.substr(0, colon + 1) + std::to_string(acceptor_.local_endpoint().port());
    return ok_status();
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) {
        // No more file descriptors, most likely: those open go on, and the next try is a little later.
        log_line(LogLevel::kWarn, "http.accept_failed", {{"why", error.message()}});
        accept_timer_.expires_after(kAcceptPause);
        accept_timer_.async_wait([this](error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      if (connections_.size() >= options_.max_connections) {
        log_line(LogLevel::kWarn, "http.connection_refused", {{"why", "there are as many as catalog.connections allows"}});
      } else {
        const auto connection =
            http::make_connection(std::move(socket), tls_.has_value() ? &*tls_ : nullptr, *this, options_.max_body_bytes);
        connections_.insert(connection);
        connection->start();
      }
      accept();
    });
  }

  const HttpOptions options_;
  HttpHandler& handler_;
  std::string address_;
  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::optional<asio::ssl::context> tls_;
  tcp::acceptor acceptor_{io_};
  asio::steady_timer accept_timer_{io_}, drain_timer_{io_};
  asio::thread_pool workers_;
  std::thread thread_;

  // The gateway thread's.
  std::set<std::shared_ptr<http::Connection>> connections_;
  std::promise<void>* drained_ = nullptr;  // somebody waits for the last connection to end
};

}  // namespace

std::unique_ptr<Gateway> make_http_gateway(HttpOptions options, HttpHandler& handler) {
  return std::make_unique<HttpGateway>(std::move(options), handler);
}

}  // namespace halocline
