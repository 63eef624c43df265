#include "server/serve.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include "base/slab.h"
#include "command/codec.h"
#include "command/port.h"

namespace halocline {
namespace {

// Stands where gRPC would: runs a story against the port when it is started.
class StoryGateway final : public Gateway {
 public:
  using Story = std::function<void(Port&)>;
  explicit StoryGateway(Story story) : story_(std::move(story)) {}
  Status start(Port& port) override {
    story_(port);
    return ok_status();
  }
  std::string address() const override { return "127.0.0.1:1"; }
  void stop_accepting() override {}
  void stop() override {}

 private:
  Story story_;
};

class RefusingGateway final : public Gateway {
 public:
  Status start(Port&) override { return Status(Code::kFailedPrecondition, "the address is in use"); }
  std::string address() const override { return ""; }
  void stop_accepting() override {}
  void stop() override {}
};

class Count final : public AckSink {
 public:
  void acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) override { done.set_value(acks.back()); }
  void abandoned(std::uint64_t, const Status&) override { done.set_value({}); }
  std::promise<Acknowledgement> done;
};

Acknowledgement send(Port& port, const Command& command) {
  auto sink = std::make_shared<Count>();
  Submission submission;
  append_record(command, submission.records);
  submission.count = 1;
  submission.sink = sink;
  EXPECT_TRUE(port.submit(std::move(submission)).ok());
  return sink->done.get_future().get();
}

void end_self(Port&) { kill(getpid(), SIGTERM); }

class ServeTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // In a process of its own, as the signals are the process's.
  int serve_once(const std::string& more, Gateway& gateway) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      const Result<Config> config = parse_config("[server]\ndata_directory = \"" + directory_ + "\"\n" + more, "test", {});
      if (!config.ok()) _exit(1);
      const int code = serve(config.value(), gateway);
      std::fflush(stdout);
      _exit(::testing::Test::HasFailure() ? 2 : code);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << status;
    EXPECT_FALSE(std::filesystem::exists(directory_ + "/serving"));
    return WEXITSTATUS(status);
  }
  int serve_once(const std::string& more, StoryGateway::Story story) {
    StoryGateway gateway(std::move(story));
    return serve_once(more, gateway);
  }

  const std::string directory_ = ::testing::TempDir() + "halocline_serve_" + std::to_string(getpid());
  static constexpr char kSmall[] = "[journal]\nsegment_bytes = 4194304\n";
};

TEST_F(ServeTest, TheFirstRecordIsTheFirmAndASignalDrains) {
  EXPECT_EQ(serve_once(kSmall, [](Port& port) {
    EXPECT_EQ(send(port, Desk{"rates"}).seq, 2u);
    end_self(port);
  }), kExitDrained);
  EXPECT_EQ(serve_once(kSmall, [](Port& port) {
    const Acknowledgement ack = send(port, Desk{"rates"});
    EXPECT_EQ(ack.seq, 3u);
    EXPECT_EQ(ack.outcome, Outcome::kUnchanged);
    end_self(port);
  }), kExitDrained);
}

TEST_F(ServeTest, AnotherFirmIsRefused) {
  EXPECT_EQ(serve_once(kSmall, end_self), kExitDrained);
  EXPECT_EQ(serve_once(std::string(kSmall) + "[firm]\ncurrency = \"EUR\"\n", end_self), kExitFirm);
  EXPECT_EQ(serve_once(std::string(kSmall) + "[firm]\nname = \"Other\"\n", end_self), kExitFirm);
  EXPECT_EQ(serve_once(std::string(kSmall) + "[firm]\nname = \"Halocline\"\ncurrency = \"USD\"\n", end_self), kExitDrained);
}

TEST_F(ServeTest, AJournalIsTakenAsItIsWhenTheConfigurationNamesNoFirm) {
  EXPECT_EQ(serve_once(std::string(kSmall) + "[firm]\nname = \"Acme\"\ncurrency = \"EUR\"\n", end_self), kExitDrained);
  EXPECT_EQ(serve_once(kSmall, end_self), kExitDrained);
}

TEST_F(ServeTest, WithoutAJournalNothingIsKept) {
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(serve_once("[journal]\ndurability = \"memory\"\n", [](Port& port) {
      EXPECT_EQ(send(port, Desk{"rates"}).outcome, Outcome::kAccepted);
      end_self(port);
    }), kExitDrained);
  }
}

TEST_F(ServeTest, MemoryIsReservedBeforeTheServerListens) {
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(serve_once(std::string(kSmall) + "[memory]\nreserve_bytes = 33554432\n", [](Port& port) {
      EXPECT_GE(Slab::bytes_ready(), 33'554'432u);
      end_self(port);
    }), kExitDrained);
  }
  EXPECT_EQ(serve_once(std::string(kSmall) + "[memory]\nreserve_bytes = 1099511627776\n", end_self), kExitUsage);
}

TEST_F(ServeTest, AnAddressThatIsTakenAndADamagedJournalHaveTheirExits) {
  RefusingGateway refusing;
  EXPECT_EQ(serve_once(kSmall, refusing), kExitAddress);
  for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/journal")) {
    if (entry.file_size() == 0) continue;
    std::ofstream(entry.path(), std::ios::binary | std::ios::in) << "not a journal at all";
  }
  const int code = serve_once(kSmall, end_self);
  EXPECT_TRUE(code == kExitDamaged) << code;
}

}  // namespace
}  // namespace halocline
