// FIX load on a running server, which has sessions bench0, bench1, … to HALOCLINE. Prints one JSON line.
//   bench_fix_load latency SERVER FIX RATE SECONDS WARMUP     one session, open loop: execution sent (as planned) -> alert received
//   bench_fix_load throughput SERVER FIX SESSIONS SECONDS     as many executions as are durable, closed loop
// SERVER is the gRPC address, FIX the acceptor's.
//
// Latency: every 100th execution brings an alert (bench/floor_client.h), measured from its planned send time.
//
// Throughput: one thread writes and reads all sessions, each with at most kWindow executions on their way. How far a session is taken is
// known by TestRequests, whose Heartbeats come after what was before them. After the time is up each session sends a trade capture: its
// acknowledgement says that all before it is durable, and only then the clock stops. Fairness is what the slowest session got through
// in the time, over the fastest.
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/fix_client.h"
#include "bench/floor_client.h"

namespace {

using namespace halocline;
using bench::fail, bench::FixClient, bench::now, bench::wait_until;

constexpr std::uint64_t kWindow = 4'096;     // executions of a session on their way
constexpr std::uint64_t kTestEvery = 128;    // executions between TestRequests
constexpr std::size_t kBuffer = 64 << 10;    // bytes made ahead of the socket
constexpr std::int64_t kPatience = 60'000'000'000;

void poll_for(FixClient& client, int milliseconds) {
  pollfd one{client.descriptor(), static_cast<short>(POLLIN | (client.wants_to_write() ? POLLOUT : 0)), 0};
  if (::poll(&one, 1, milliseconds) <= 0) return;
  if ((one.revents & POLLIN) != 0 || (one.revents & (POLLERR | POLLHUP)) != 0) client.receive();
  client.flush();
}

// Sends a trade capture on each session and waits for all answers: then everything is durable.
void settle(std::vector<std::unique_ptr<FixClient>>& clients, bench::FloorWorkload& floor) {
  std::string id;
  for (auto& client : clients) {
    const Trade trade = floor.next_trade(id);
    client->capture(trade);
    client->flush();
  }
  const std::int64_t patience = now() + kPatience;
  for (auto& client : clients) {
    while (client->captured() == 0 && client->refused() == 0) {
      if (now() > patience) fail("no acknowledgement of a trade capture");
      for (auto& other : clients) {
        if (other->wants_to_write()) poll_for(*other, 0);
      }
      poll_for(*client, 100);
    }
  }
}

std::uint64_t refused(const std::vector<std::unique_ptr<FixClient>>& clients) {
  std::uint64_t all = 0;
  for (const auto& client : clients) {
    if (client->refused() != 0) std::fprintf(stderr, "bench_fix_load: refused: %s\n", client->last_refusal().c_str());
    all += client->refused();
  }
  return all;
}

int latency(const std::string& server, const std::string& fix, int rate, int seconds, int warmup) {
  prctl(PR_SET_TIMERSLACK, 1);
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);

  const std::int64_t total = static_cast<std::int64_t>(rate) * (seconds + warmup);
  const std::int64_t first_counted = static_cast<std::int64_t>(rate) * warmup;
  bench::AlertClock alerts(server, 1'000'000'000 / rate, first_counted, total);
  std::vector<std::unique_ptr<FixClient>> sessions;
  sessions.push_back(std::make_unique<FixClient>(fix, "bench0", "HALOCLINE"));
  FixClient& session = *sessions.front();

  std::string id;
  bench::WatchedTrades trades;
  std::int64_t late = 0;
  const std::int64_t start = now() + 200'000'000;
  alerts.start(start);
  for (std::int64_t i = 0; i < total; ++i) {
    const std::int64_t planned = alerts.planned(i);
    if (now() < planned) wait_until(planned);
    if (i >= first_counted) late = std::max(late, now() - planned);
    session.execution(trades.next(floor, id, i));
    session.flush();
    while (session.wants_to_write()) poll_for(session, 100);
    if (i % 512 == 0) poll_for(session, 0);
  }
  settle(sessions, floor);
  const double took = static_cast<double>(now() - start) / 1e9;
  alerts.stop();
  session.logout();
  session.flush();

  const std::uint64_t not_taken = refused(sessions);
  std::printf("{%s,\"sent\":%lld,\"reports_per_s\":%.0f,\"seconds\":%.2f,\"refused\":%llu,\"sender_late_max_us\":%.1f}\n",
              alerts.json().c_str(), static_cast<long long>(total), static_cast<double>(total) / took, took,
              static_cast<unsigned long long>(not_taken), static_cast<double>(late) / 1000);
  return alerts.missed() == 0 && not_taken == 0 ? 0 : 1;
}

int throughput(const std::string& server, const std::string& fix, int count, int seconds) {
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  std::vector<std::unique_ptr<FixClient>> sessions;
  std::vector<pollfd> polled;
  for (int i = 0; i < count; ++i) {
    sessions.push_back(std::make_unique<FixClient>(fix, "bench" + std::to_string(i), "HALOCLINE"));
    polled.push_back({sessions.back()->descriptor(), POLLIN, 0});
  }
  std::string id;
  const std::int64_t start = now(), end = start + seconds * 1'000'000'000LL;
  while (now() < end) {
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      FixClient& session = *sessions[i];
      // A quarter of the buffer at a time: all sessions get their turn.
      for (const std::size_t full = std::min(kBuffer, session.buffered() + kBuffer / 4);
           session.buffered() < full && session.executions() - session.tested() < kWindow;) {
        session.execution(floor.next_trade(id));
        if (session.executions() % kTestEvery == 0) session.test_request(session.executions());
      }
      session.flush();
      polled[i].events = static_cast<short>(POLLIN | (session.wants_to_write() ? POLLOUT : 0));
    }
    // Waits only when every session has used up its window, or its socket is full.
    bool could_send = false;
    for (const auto& session : sessions) {
      could_send = could_send || (!session->wants_to_write() && session->executions() - session->tested() < kWindow);
    }
    if (::poll(polled.data(), polled.size(), could_send ? 0 : 10) <= 0) continue;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      if ((polled[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0) sessions[i]->receive();
    }
  }
  std::uint64_t slowest = UINT64_MAX, fastest = 0, sent = 0;
  for (const auto& session : sessions) {
    slowest = std::min(slowest, session->tested());
    fastest = std::max(fastest, session->tested());
  }
  settle(sessions, floor);
  const double took = static_cast<double>(now() - start) / 1e9;
  for (auto& session : sessions) {
    sent += session->executions();
    session->logout();
    session->flush();
  }
  const std::uint64_t not_taken = refused(sessions);
  const double fairness = fastest == 0 ? 0 : static_cast<double>(slowest) / static_cast<double>(fastest);
  std::printf("{\"reports_per_s\":%.0f,\"seconds\":%.2f,\"sessions\":%d,\"durable\":%llu,\"slowest\":%llu,\"fastest\":%llu,"
              "\"fairness\":%.3f,\"refused\":%llu}\n",
              static_cast<double>(sent) / took, took, count, static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(slowest), static_cast<unsigned long long>(fastest), fairness, static_cast<unsigned long long>(not_taken));
  return not_taken == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 7 && std::strcmp(argv[1], "latency") == 0) {
    return latency(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]), std::atoi(argv[6]));
  }
  if (argc == 6 && std::strcmp(argv[1], "throughput") == 0) return throughput(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]));
  std::fprintf(stderr, "usage: see the head of bench/fix_load.cc\n");
  return 2;
}
