// An initiator's FIX 4.4 session, as small as a load may be: it encodes executions into a buffer, writes and reads without blocking, keeps
// up the session (Logon, TestRequest, Heartbeat) and counts what comes back. It resends nothing: a ResendRequest ends a bench.
//
// One thread. The owner polls the descriptor for what wants() says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "command/command.h"

namespace halocline::bench {

class FixClient {
 public:
  // Connects and logs on; ends the process when that does not work. `address` is HOST:PORT.
  FixClient(const std::string& address, std::string sender, std::string target);
  FixClient(const FixClient&) = delete;
  ~FixClient();

  int descriptor() const { return socket_; }
  bool wants_to_write() const { return written_ < out_.size(); }

  // Each puts a message into the buffer; flush() writes as much as the socket takes.
  void execution(const Trade& trade);       // ExecutionReport, ExecType F
  void capture(const Trade& trade);         // TradeCaptureReport: its answer says that it, and all before it, is durable
  void test_request(std::uint64_t id);
  void logout();
  void flush();
  std::size_t buffered() const { return out_.size() - written_; }
  // Reads and handles what is there.
  void receive();

  std::uint64_t executions() const { return executions_; }
  std::uint64_t tested() const { return tested_; }      // the highest id of a test_request() that was answered
  std::uint64_t captured() const { return captured_; }  // acknowledgements of captures that were accepted
  std::uint64_t refused() const { return refused_; }    // Rejects, BusinessMessageRejects, and acknowledgements that do not accept
  const std::string& last_refusal() const { return last_refusal_; }

 private:
  void begin(std::string_view type);
  void add(std::string_view tag_and_equals, std::string_view value);
  void add(std::string_view tag_and_equals, std::uint64_t value);
  void add_e8(std::string_view tag_and_equals, std::int64_t value);
  void add_parties(const Trade& trade);
  void end();
  void handle(std::string_view message);

  const std::string sender_, target_;
  int socket_ = -1;
  std::string out_, in_;
  std::size_t written_ = 0, message_ = 0, body_ = 0;  // where the message being built, and its body, begin in out_
  std::uint64_t next_number_ = 1;
  std::int64_t stamped_ = 0;  // the millisecond of stamp_
  std::string stamp_, date_;
  bool logged_on_ = false;
  std::uint64_t executions_ = 0, tested_ = 0, captured_ = 0, refused_ = 0;
  std::string last_refusal_;
};

}  // namespace halocline::bench
