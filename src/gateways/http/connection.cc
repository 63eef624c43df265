#include "gateways/http/connection.h"

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <array>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateways/http/http_gateway.h"

namespace halocline::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;

using Plain = beast::tcp_stream;
using Tls = beast::ssl_stream<beast::tcp_stream>;

constexpr std::chrono::seconds kIdle(kHttpIdleSeconds);
constexpr std::chrono::seconds kTransfer(kHttpTransferSeconds);
constexpr std::size_t kMostDropped = 256u << 20;  // of what still comes after a refusal

template <class Stream>
class StreamConnection final : public Connection, public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, Tls>;

  template <class... Context>
  StreamConnection(ConnectionHost& host, std::size_t max_body_bytes, asio::ip::tcp::socket socket, Context&... context)
      : host_(host), max_body_bytes_(max_body_bytes), stream_(std::move(socket), context...) {
    beast::error_code ignored;
    tcp().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void start() override {
    if constexpr (kTls) {
      tcp().expires_after(kTransfer);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](beast::error_code error) {
        if (error) return self->end();
        self->read();
      });
    } else {
      read();
    }
  }

  void finish() override {
    finishing_ = true;
    if (!answering_) end();
  }

  void cut() override { end(); }

 private:
  beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }

  // First the header: what comes before it may take long, and the body is only asked for when it fits.
  void read() {
    if (finishing_) return end();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(kMaxHttpHeaderBytes));
    parser_->body_limit(max_body_bytes_);
    tcp().expires_after(buffer_.size() > 0 ? kTransfer : kIdle);
    wire::async_read_header(stream_, buffer_, *parser_, [self = this->shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->read_body();
    });
  }

  void read_body() {
    answering_ = true;
    tcp().expires_after(kTransfer);
    if (beast::iequals(parser_->get()[wire::field::expect], "100-continue")) {
      continue_ = {wire::status::continue_, parser_->get().version()};
      wire::async_write(stream_, continue_, [self = this->shared_from_this()](beast::error_code error, std::size_t) {
        if (error) return self->end();
        self->read_rest();
      });
    } else {
      read_rest();
    }
  }

  void read_rest() {
    wire::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->work();
    });
  }

  void work() {
    wire::request<wire::string_body> read = parser_->release();
    HttpRequest request;
    request.method = std::string(read.method_string());
    request.target = std::string(read.target());
    for (const auto& field : read) request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    request.body = std::move(read.body());
    head_ = read.method() == wire::verb::head;
    keep_alive_ = read.keep_alive();
    version_ = read.version();
    tcp().expires_never();
    host_.work(std::move(request), [self = this->shared_from_this()](HttpResponse response) {
      if (!self->ended_) self->write(std::move(response));
    });
  }

  // What cannot be read is answered where that makes sense.
  void refuse(beast::error_code error) {
    const bool ended = error == wire::error::end_of_stream || error == wire::error::partial_message;
    const bool not_http = !ended && error.category() == wire::make_error_code(wire::error::bad_method).category();
    const int status = error == wire::error::body_limit ? 413 : error == wire::error::header_limit ? 431 : not_http ? 400 : 0;
    if (status == 0) return end();
    const std::string message = status == 413   ? "the body has more than " + std::to_string(max_body_bytes_) + " bytes"
                                : status == 431 ? "the header has more than " + std::to_string(kMaxHttpHeaderBytes) + " bytes"
                                                : "not HTTP: " + error.message();
    answering_ = refused_ = true;
    head_ = keep_alive_ = false;
    write({status, {}, R"({"error":{"message":")" + message + R"(","type":"BadRequestException","code":)" + std::to_string(status) + "}}"});
  }

  void write(HttpResponse response) {
    response_ = {};
    response_.version(version_);
    response_.result(static_cast<unsigned>(response.status));
    response_.set(wire::field::server, "halocline");
    for (const auto& [name, value] : response.headers) response_.set(name, value);
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) {
      if (response_.find(wire::field::content_type) == response_.end()) response_.set(wire::field::content_type, "application/json");
      response_.set(wire::field::content_length, std::to_string(head_ ? 0 : response.body.size()));
      if (!head_) response_.body() = std::move(response.body);
    }
    response_.keep_alive(keep_alive_ && !finishing_);
    tcp().expires_after(kTransfer);
    wire::async_write(stream_, response_, [self = this->shared_from_this()](beast::error_code error, std::size_t) {
      self->answering_ = false;
      if (!error && self->refused_) return self->linger();
      if (error || !self->response_.keep_alive()) return self->end();
      self->read();
    });
  }

  // A client that is still sending would not see the answer if the connection were reset: what it sends is dropped for a while.
  void linger() {
    beast::error_code ignored;
    tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    tcp().expires_after(kTransfer);
    drop();
  }

  void drop() {
    stream_.async_read_some(asio::buffer(dropped_), [self = this->shared_from_this()](beast::error_code error, std::size_t bytes) {
      self->dropped_bytes_ += bytes;
      if (error || self->dropped_bytes_ > kMostDropped) return self->end();
      self->drop();
    });
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    beast::error_code ignored;
    tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    tcp().close();
    host_.ended(this->shared_from_this());
  }

  ConnectionHost& host_;
  const std::size_t max_body_bytes_;
  Stream stream_;
  beast::flat_buffer buffer_{kMaxHttpHeaderBytes + (64u << 10)};
  std::optional<wire::request_parser<wire::string_body>> parser_;
  wire::response<wire::empty_body> continue_;
  wire::response<wire::string_body> response_;
  unsigned version_ = 11;
  std::array<char, 4'096> dropped_;
  std::size_t dropped_bytes_ = 0;
  bool refused_ = false;
  bool head_ = false, keep_alive_ = false;
  bool answering_ = false;  // from a request's header to the end of its answer
  bool finishing_ = false, ended_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, asio::ssl::context* tls, ConnectionHost& host,
                                            std::size_t max_body_bytes) {
  if (tls != nullptr) return std::make_shared<StreamConnection<Tls>>(host, max_body_bytes, std::move(socket), *tls);
  return std::make_shared<StreamConnection<Plain>>(host, max_body_bytes, std::move(socket));
}

}  // namespace halocline::http
