#include "gateways/http/http_gateway.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "gateways/grpc/recording_port.h"

namespace halocline {
namespace {

// Answers with what was asked. "/wait" waits until it is let go.
class EchoHandler final : public HttpHandler {
 public:
  HttpResponse answer(const HttpRequest& request) override {
    if (request.target == "/wait") {
      std::unique_lock lock(mutex_);
      waiting_ = true;
      changed_.notify_all();
      changed_.wait(lock, [&] { return open_; });
    }
    if (request.target == "/nothing") return {204, {{"X-Kind", "nothing"}}, ""};
    const std::string said(request.header("x-said"));
    return {200, {{"X-Kind", "echo"}}, request.method + " " + request.target + " " + said + " " + request.body};
  }
  void wait_for_caller() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool waiting_ = false, open_ = false;
};

class Client {
 public:
  explicit Client(const std::string& address) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Client() { ::close(socket_); }

  void send(std::string_view text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // What comes, up to that; or all of it, when the other side closes before.
  std::string read_until(std::string_view end) {
    std::size_t at = 0;
    while ((at = text_.find(end)) == std::string::npos) {
      char bytes[4'096];
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) return std::exchange(text_, {});
      text_.append(bytes, static_cast<std::size_t>(got));
    }
    const std::string read = text_.substr(0, at + end.size());
    text_.erase(0, read.size());
    return read;
  }
  std::string read_all() { return read_until("never sent"); }

 private:
  int socket_;
  std::string text_;
};

class HttpGatewayTest : public testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    options.listen = "127.0.0.1:0";
    gateway_ = make_http_gateway(options, handler_);
    const Status started = gateway_->start(port_);
    ASSERT_TRUE(started.ok()) << started.message();
  }
  ~HttpGatewayTest() override {
    handler_.open();
    if (gateway_ != nullptr) gateway_->stop();
  }

  EchoHandler handler_;
  rpc::RecordingPort port_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(HttpGatewayTest, RequestsOfAConnectionAreAnsweredInTurn) {
  start();
  Client client(gateway_->address());
  client.send("POST /a?b=%1F HTTP/1.1\r\nHost: h\r\nX-Said: hello\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string first = client.read_until("POST /a?b=%1F hello xy");
  EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n")) << first;
  EXPECT_NE(first.find("X-Kind: echo\r\n"), std::string::npos) << first;
  EXPECT_NE(first.find("Content-Type: application/json\r\n"), std::string::npos) << first;
  EXPECT_NE(client.read_until("GET /b  ").find("Content-Length: 8\r\n"), std::string::npos);
  client.send("GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_all().ends_with("\r\n\r\nGET /c  "));
}

TEST_F(HttpGatewayTest, AnswersWithoutABodyHaveNone) {
  start();
  Client client(gateway_->address());
  client.send("DELETE /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string nothing = client.read_until("\r\n\r\n");
  EXPECT_TRUE(nothing.starts_with("HTTP/1.1 204 No Content\r\n")) << nothing;
  EXPECT_EQ(nothing.find("Content-Length"), std::string::npos) << nothing;
  client.send("HEAD /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_all().ends_with("\r\n\r\n"));
}

TEST_F(HttpGatewayTest, ABodyIsWaitedForAndAskedFor) {
  start();
  Client client(gateway_->address());
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 Continue\r\n"));
  client.send("a");
  client.send("bc");
  EXPECT_TRUE(client.read_until("POST /a  abc").starts_with("HTTP/1.1 200 OK\r\n"));
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_until("POST /a  xy").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpGatewayTest, WhatBreaksABoundIsAnsweredAndCut) {
  HttpOptions options;
  options.max_body_bytes = 8;
  start(options);
  const auto answer = [&](const std::string& text) {
    Client client(gateway_->address());
    client.send(text);
    const std::string all = client.read_all();
    return all.substr(0, all.find("\r\n"));
  };
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789"), "HTTP/1.1 413 Payload Too Large");
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n"),
            "HTTP/1.1 413 Payload Too Large");
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(answer("\x16\x03\x01 this is TLS\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), "HTTP/1.1 200 OK");
}

TEST_F(HttpGatewayTest, ConnectionsAreBounded) {
  HttpOptions options;
  options.max_connections = 1;
  start(options);
  Client first(gateway_->address());
  first.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(first.read_until("GET /a  "), "");
  EXPECT_EQ(Client(gateway_->address()).read_all(), "");
}

TEST_F(HttpGatewayTest, AClientThatWaitsHoldsUpNoOther) {
  start();
  Client slow(gateway_->address());
  slow.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  handler_.wait_for_caller();
  Client half(gateway_->address());
  half.send("POST /half HTTP/1.1\r\nHost: h\r\nContent-Le");
  Client other(gateway_->address());
  other.send("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(other.read_until("GET /b  "), "");
}

TEST_F(HttpGatewayTest, AnAnswerUnderWayIsStillSentAtTheEnd) {
  start();
  Client idle(gateway_->address()), busy(gateway_->address());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  handler_.wait_for_caller();
  gateway_->stop_accepting();
  EXPECT_EQ(idle.read_all(), "");
  handler_.open();
  gateway_->stop();
  EXPECT_TRUE(busy.read_all().ends_with("GET /wait  "));
}

TEST_F(HttpGatewayTest, AnAddressInUseIsSaid) {
  start();
  HttpOptions options;
  options.listen = gateway_->address();
  const Status second = make_http_gateway(options, handler_)->start(port_);
  EXPECT_EQ(second.code(), Code::kFailedPrecondition);
  EXPECT_NE(second.message().find("cannot listen for HTTP on " + options.listen), std::string::npos) << second.message();
}

}  // namespace
}  // namespace halocline
