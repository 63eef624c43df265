#include "history/http/curl_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

namespace halocline {
namespace {

// Takes connections one after the other: reads a request up to its `until`, says `answer` and closes.
class OneAnswer {
 public:
  OneAnswer(std::string until, std::string answer, int times = 1) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this, until = std::move(until), answer = std::move(answer), times] {
      for (int i = 0; i < times; ++i) serve(until, answer);
    });
  }
  ~OneAnswer() {
    thread_.join();
    ::close(listener_);
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string asked;

 private:
  void serve(const std::string& until, const std::string& answer) {
    const int client = ::accept(listener_, nullptr, nullptr);
    char bytes[4'096];
    while (asked.find(until) == std::string::npos) {
      const ssize_t got = ::recv(client, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      asked.append(bytes, static_cast<std::size_t>(got));
    }
    EXPECT_EQ(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    ::close(client);
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Result<HttpResponse> ask(const OneAnswer& server, const HttpRequest& request, std::size_t most = 1'000) {
  return make_http_client({.address = server.address() + "/base/", .most_bytes = most}).value()->send(request);
}

TEST(CurlClient, SendsAndTakesWhatStands) {
  OneAnswer server("{}", "HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\nX-Kind:  odd\r\n\r\nbody");
  const HttpHeaders headers = {{"Authorization", "Bearer t"}, {"Content-Type", "application/json"}};
  const Result<HttpResponse> response = ask(server, {"POST", "/v1/x?a=%1F", headers, "{}"});
  ASSERT_TRUE(response.ok()) << response.status().message();
  EXPECT_EQ(response.value().status, 409);
  EXPECT_EQ(response.value().body, "body");
  ASSERT_EQ(response.value().headers.size(), 2u);
  EXPECT_EQ(response.value().headers[1], (std::pair<std::string, std::string>{"X-Kind", "odd"}));
  EXPECT_TRUE(server.asked.starts_with("POST /base/v1/x?a=%1F HTTP/1.1\r\n")) << server.asked;
  EXPECT_NE(server.asked.find("Authorization: Bearer t\r\n"), std::string::npos);
  EXPECT_EQ(server.asked.find("Expect"), std::string::npos);
}

TEST(CurlClient, ARedirectIsNotFollowed) {
  OneAnswer server("\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(ask(server, {"GET", "", {}, ""}).value().status, 302);
}

TEST(CurlClient, WhatIsCutOffIsUnknownAndSentOnce) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive.", "HTTP/1.1 200 O"}) {
    OneAnswer server("{}", answer);
    EXPECT_EQ(ask(server, {"POST", "", {}, "{}"}).status().code(), Code::kUnavailable) << answer;
    EXPECT_EQ(server.asked.find("POST", 1), std::string::npos);
  }
}

TEST(CurlClient, AnAnswerThatIsTooLargeIsNotTaken) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789.";
  OneAnswer server("\r\n\r\n", answer);
  const Status large = ask(server, {"GET", "", {}, ""}, 10).status();
  EXPECT_EQ(large.code(), Code::kUnavailable);
  EXPECT_NE(large.message().find("larger"), std::string::npos) << large.message();
  OneAnswer other("\r\n\r\n", answer);
  EXPECT_EQ(ask(other, {"GET", "", {}, ""}, 11).value().body, "0123456789.");
}

TEST(CurlClient, WhereNobodyListensNothingWasSent) {
  std::string address;
  {
    OneAnswer server("\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
    address = server.address();
    EXPECT_EQ(ask(server, {"GET", "", {}, ""}).status().code(), Code::kOk);
  }
  EXPECT_EQ(make_http_client({.address = address}).value()->send({"POST", "/x", {}, "{}"}).status().code(), Code::kIo);
  EXPECT_EQ(make_http_client({.address = "https://127.0.0.1:1"}).value()->send({"GET", "/x", {}, ""}).status().code(), Code::kIo);
}

TEST(CurlClient, AddressesThatAreNoneAreRefused) {
  for (const char* address : {"", "127.0.0.1:80", "ftp://host", "file:///etc/passwd", "http://", "http://user:secret@host",
                              "http://host?x=1", "http://host#x", "http://host:70000"}) {
    const Status refused = make_http_client({.address = address}).status();
    EXPECT_EQ(refused.code(), Code::kInvalidArgument) << address;
    EXPECT_EQ(refused.message().find("secret"), std::string::npos);
  }
  for (const char* address : {"http://host", "https://host:8181/a/b/", "http://[::1]:80"}) {
    EXPECT_TRUE(make_http_client({.address = address}).ok()) << address;
  }
}

TEST(CurlClient, WhereASecretMayBeSent) {
  for (const char* address : {"https://host", "http://127.0.0.1:80/x", "http://localhost", "http://[::1]:1"}) {
    EXPECT_TRUE(is_private(address)) << address;
  }
  for (const char* address : {"http://host", "http://127.evil.example", "http://10.0.0.1", "http://localhost.example"}) {
    EXPECT_FALSE(is_private(address)) << address;
  }
}

}  // namespace
}  // namespace halocline
