#include "bench/fix_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/decimal.h"
#include "bench/floor_client.h"

namespace halocline::bench {
namespace {

constexpr char kSoh = '\x01';
// The header's fixed start. BodyLength has three digits: FIX numbers may have leading zeros.
constexpr std::string_view kHead = "8=FIX.4.4\x01" "9=000\x01";
constexpr std::size_t kLengthAt = 12;

int connect_to(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) fail("no HOST:PORT: " + address);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const std::string host = address.substr(0, colon), port = address.substr(colon + 1);
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) fail("unknown host: " + address);
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = socket >= 0 && ::connect(socket, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected) fail("cannot connect to " + address + ": " + std::strerror(errno));
  const int yes = 1, small = 256 << 10;
  (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  (void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);  // what has left us is soon with the server
  (void)fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  return socket;
}

// The value of a tag, empty when it is not there.
std::string_view field(std::string_view message, std::string_view soh_tag_and_equals) {
  const std::size_t at = message.find(soh_tag_and_equals);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + soh_tag_and_equals.size();
  return message.substr(from, message.find(kSoh, from) - from);
}

std::uint64_t to_number(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

FixClient::FixClient(const std::string& address, std::string sender, std::string target)
    : sender_(std::move(sender)), target_(std::move(target)), socket_(connect_to(address)) {
  out_.reserve(1 << 20);
  begin("A");
  add("98=", 0);
  add("108=", 60);
  end();
  flush();
  const std::int64_t patience = now() + 10'000'000'000;
  while (!logged_on_) {
    pollfd one{socket_, POLLIN, 0};
    if (now() > patience) fail(sender_ + ": no answer to the Logon");
    if (::poll(&one, 1, 100) > 0) receive();
  }
}

FixClient::~FixClient() { ::close(socket_); }

void FixClient::begin(std::string_view type) {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  const std::int64_t millisecond = t.tv_sec * 1'000 + t.tv_nsec / 1'000'000;
  if (millisecond != stamped_) {
    tm utc{};
    gmtime_r(&t.tv_sec, &utc);
    char text[32];
    const std::size_t seconds = std::strftime(text, sizeof text, "%Y%m%d-%H:%M:%S", &utc);
    std::snprintf(text + seconds, sizeof text - seconds, ".%03d", static_cast<int>(millisecond % 1'000));
    stamp_ = text;
    date_ = stamp_.substr(0, 8);
    stamped_ = millisecond;
  }
  message_ = out_.size();
  out_ += kHead;
  body_ = out_.size();
  add("35=", type);
  add("34=", next_number_++);
  add("49=", sender_);
  add("56=", target_);
  add("52=", stamp_);
}

void FixClient::add(std::string_view tag_and_equals, std::string_view value) {
  out_ += tag_and_equals;
  out_ += value;
  out_ += kSoh;
}

void FixClient::add(std::string_view tag_and_equals, std::uint64_t value) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  add(tag_and_equals, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void FixClient::add_e8(std::string_view tag_and_equals, std::int64_t value) { add(tag_and_equals, to_decimal(value)); }

void FixClient::add_parties(const Trade& trade) {
  out_ += "453=2\x01";
  add("448=", trade.trader);
  out_ += "447=D\x01" "452=12\x01";
  add("448=", trade.counterparty);
  out_ += "447=D\x01" "452=17\x01";
}

void FixClient::end() {
  const std::size_t length = out_.size() - body_;
  if (length > 999) fail("a message of " + std::to_string(length) + " bytes");
  for (std::size_t i = 0, rest = length; i < 3; ++i, rest /= 10) {
    out_[message_ + kLengthAt + 2 - i] = static_cast<char>('0' + rest % 10);
  }
  unsigned sum = 0;
  for (std::size_t i = message_; i < out_.size(); ++i) sum += static_cast<unsigned char>(out_[i]);
  char trailer[16];
  out_.append(trailer, static_cast<std::size_t>(std::snprintf(trailer, sizeof trailer, "10=%03u\x01", sum % 256)));
}

void FixClient::execution(const Trade& trade) {
  begin("8");
  add("37=", trade.trade_id);
  add("17=", trade.trade_id);
  out_ += "150=F\x01" "39=2\x01";
  add_parties(trade);
  add("1=", trade.book);
  add("55=", trade.instrument);
  out_ += trade.side == Side::kBuy ? "54=1\x01" : "54=2\x01";
  add_e8("38=", trade.quantity);
  add_e8("32=", trade.quantity);
  add_e8("31=", trade.price);
  out_ += "151=0\x01";
  add_e8("14=", trade.quantity);
  add_e8("6=", trade.price);
  add("60=", stamp_);
  end();
  ++executions_;
}

void FixClient::capture(const Trade& trade) {
  begin("AE");
  add("571=", trade.trade_id);
  out_ += "487=0\x01" "570=N\x01";
  add("55=", trade.instrument);
  add_e8("32=", trade.quantity);
  add_e8("31=", trade.price);
  add("75=", date_);
  add("60=", stamp_);
  out_ += trade.side == Side::kBuy ? "552=1\x01" "54=1\x01" : "552=1\x01" "54=2\x01";
  add("37=", trade.trade_id);
  add_parties(trade);
  add("1=", trade.book);
  end();
}

void FixClient::test_request(std::uint64_t id) {
  begin("1");
  add("112=", id);
  end();
}

void FixClient::logout() {
  begin("5");
  end();
}

void FixClient::flush() {
  while (written_ < out_.size()) {
    const ssize_t n = ::send(socket_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) fail(sender_ + ": the connection broke: " + std::strerror(errno) + "; " + last_refusal_);
    written_ += static_cast<std::size_t>(n);
  }
  out_.clear();
  written_ = 0;
}

void FixClient::receive() {
  char buffer[64 << 10];
  const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) fail(sender_ + ": the server closed the connection; " + last_refusal_);
  in_.append(buffer, static_cast<std::size_t>(n));
  std::size_t at = 0;
  // Every message ends with SOH 10=nnn SOH: what the server sends carries no data fields.
  for (std::size_t trailer = in_.find("\x01" "10=", at); trailer != std::string::npos; trailer = in_.find("\x01" "10=", at)) {
    const std::size_t end = in_.find(kSoh, trailer + 4);
    if (end == std::string::npos) break;
    handle(std::string_view(in_).substr(at, end + 1 - at));
    at = end + 1;
  }
  in_.erase(0, at);
}

void FixClient::handle(std::string_view message) {
  const std::string_view type = field(message, "\x01" "35=");
  if (type == "A") {
    logged_on_ = true;
  } else if (type == "0") {
    if (const std::string_view id = field(message, "\x01" "112="); !id.empty()) tested_ = std::max(tested_, to_number(id));
  } else if (type == "1") {
    begin("0");
    add("112=", field(message, "\x01" "112="));
    end();
  } else if (type == "AR" && field(message, "\x01" "939=") == "0") {
    ++captured_;
  } else if (type == "2") {
    fail(sender_ + ": asked to send again from " + std::string(field(message, "\x01" "7=")));
  } else if (type == "AR" || type == "j" || type == "3" || type == "5") {
    ++refused_;
    last_refusal_ = std::string(type) + ": " + std::string(field(message, "\x01" "58="));
  }
}

}  // namespace halocline::bench
