// The floor's order system in a process of its own (order_system.py): two FIX sessions of simplefix, an engine that is not ours. Executions
// go by one, trade captures by the other; a trader's trades all go by the same, in order.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/status.h"
#include "halocline/v1/ingest.pb.h"

namespace halocline::demo {

class OrderSystem {
 public:
  struct Events {
    // A message leaves; `at` is CLOCK_MONOTONIC before it is encoded.
    std::function<void(std::uint64_t token, std::int64_t at)> sent;
    // An acknowledgement or a refusal, with its Text(58): empty when there is nothing to say.
    std::function<void(std::uint64_t token, std::int64_t at, std::string_view text)> answered;
  };
  struct Settled {
    std::uint64_t messages = 0, resent = 0, logons = 0;
  };

  // `fix` is where the server takes FIX; the sessions' numbers are kept in `directory`. `events` come on a thread of ours.
  OrderSystem(std::string fix, std::string directory, Events events);
  ~OrderSystem();
  OrderSystem(const OrderSystem&) = delete;
  OrderSystem& operator=(const OrderSystem&) = delete;

  // Returns when both sessions are logged on.
  Status start();
  // Whether its trade goes as a capture, which is acknowledged, or as an execution, which is not.
  static bool is_capture(const v1::Trade& trade);
  Status submit(const v1::Trade& trade, std::uint64_t token);
  // Ends when each capture is answered and each execution has been taken, and both have logged out.
  Result<Settled> close();

 private:
  void read();

  const std::string fix_, directory_;
  const Events events_;
  pid_t process_ = -1;
  std::FILE* in_ = nullptr;
  std::FILE* out_ = nullptr;
  std::thread reader_;
  bool is_settled_ = false;
  Settled settled_;
};

}  // namespace halocline::demo
