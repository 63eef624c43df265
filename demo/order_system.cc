#include "demo/order_system.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/decimal.h"

extern char** environ;

namespace halocline::demo {
namespace {

constexpr const char* kPython = "build/venv/bin/python";
constexpr const char* kScript = "demo/order_system.py";

}  // namespace

OrderSystem::OrderSystem(std::string fix, std::string directory, Events events)
    : fix_(std::move(fix)), directory_(std::move(directory)), events_(std::move(events)) {}

OrderSystem::~OrderSystem() { (void)close(); }

Status OrderSystem::start() {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return errno_status(errno, "make a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string fix = fix_, directory = directory_, python = kPython, script = kScript;
  char* arguments[] = {python.data(), script.data(), fix.data(), directory.data(), nullptr};
  const int error = posix_spawn(&process_, kPython, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  in_ = fdopen(in[1], "w");
  out_ = fdopen(out[0], "r");
  if (error != 0) {
    process_ = -1;
    return errno_status(error, std::string("run ") + kPython + ", which ./run installs");
  }
  char line[64] = "";
  if (std::fgets(line, sizeof line, out_) == nullptr || std::strcmp(line, "ready\n") != 0) {
    return Status(Code::kUnavailable, "the order system did not log on to " + fix_);
  }
  reader_ = std::thread([this] { read(); });
  return ok_status();
}

bool OrderSystem::is_capture(const v1::Trade& trade) { return trade.trader().back() % 2 == 0; }

Status OrderSystem::submit(const v1::Trade& trade, std::uint64_t token) {
  const std::string line = std::to_string(token) + '\t' + (is_capture(trade) ? '1' : '0') + '\t' + std::to_string(trade.version()) + '\t' +
                           std::to_string(trade.action()) + '\t' + trade.trade_id() + '\t' + trade.book() + '\t' + trade.trader() + '\t' +
                           trade.counterparty() + '\t' + trade.instrument() + '\t' + std::to_string(trade.side()) + '\t' +
                           to_decimal(trade.quantity_e8()) + '\t' + to_decimal(trade.price_e8()) + '\t' + to_decimal(trade.fees_e8()) + '\n';
  if (std::fputs(line.c_str(), in_) == EOF || std::fflush(in_) == EOF) return Status(Code::kUnavailable, "the order system has ended");
  return ok_status();
}

Result<OrderSystem::Settled> OrderSystem::close() {
  if (in_ != nullptr) std::fclose(std::exchange(in_, nullptr));
  if (reader_.joinable()) reader_.join();
  if (out_ != nullptr) std::fclose(std::exchange(out_, nullptr));
  int code = 0;
  if (process_ > 0) waitpid(std::exchange(process_, -1), &code, 0);
  if (!is_settled_ || code != 0) return Status(Code::kUnavailable, "the order system ended before all was settled");
  return settled_;
}

void OrderSystem::read() {
  char* line = nullptr;
  std::size_t capacity = 0;
  while (getline(&line, &capacity, out_) > 0) {
    std::uint64_t token = 0;
    std::int64_t at = 0;
    int rest = 0;
    if (std::sscanf(line, "sent %" SCNu64 " %" SCNd64, &token, &at) == 2) {
      events_.sent(token, at);
    } else if (std::sscanf(line, "answer %" SCNu64 " %" SCNd64 " %n", &token, &at, &rest) == 2) {
      std::string_view text(line + rest);
      if (text.ends_with('\n')) text.remove_suffix(1);
      events_.answered(token, at, text);
    } else {
      is_settled_ = std::sscanf(line, "settled %" SCNu64 " %" SCNu64 " %" SCNu64, &settled_.messages, &settled_.resent, &settled_.logons) == 3;
    }
  }
  std::free(line);
}

}  // namespace halocline::demo
