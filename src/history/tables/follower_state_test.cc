#include "history/tables/follower_state.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace halocline {
namespace {

namespace fs = std::filesystem;

class FollowerStateTest : public testing::Test {
 protected:
  FollowerStateTest() {
    char name[] = "/tmp/halocline-follower-state-XXXXXX";
    directory_ = mkdtemp(name);
    state_.seq = 11, state_.time = 1'764'115'200'000'000'000;
    state_.chain.fill(std::byte{7});
    for (int i = 0; i < 11; ++i) state_.tree.add(sha256(std::to_string(i)));
    state_.commands = std::make_shared<const std::vector<KeptCommand>>(std::vector<KeptCommand>{
        {1, 5, CommandType::kFirm, {std::byte{0}, std::byte{255}}}, {7, -3, CommandType::kLimitRemove, {}}});
  }
  ~FollowerStateTest() override { fs::remove_all(directory_); }

  std::string path() const { return directory_ + "/" + follower_state_name(11); }
  Code code() { return load_follower_state(disk_, directory_, journal_, 11).status().code(); }

  PosixDisk disk_;
  std::string directory_;
  JournalId journal_{std::byte{1}, std::byte{2}};
  FollowerState state_;
};

TEST_F(FollowerStateTest, IsReadAsItWasSaved) {
  EXPECT_EQ(code(), Code::kNotFound);
  ASSERT_TRUE(save(disk_, directory_, journal_, state_).ok());
  ASSERT_TRUE(save(disk_, directory_, journal_, state_).ok());  // again, as after a crash before its checkpoint was there
  const Result<FollowerState> read = load_follower_state(disk_, directory_, journal_, 11);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read.value().seq, 11u);
  EXPECT_EQ(read.value().time, state_.time);
  EXPECT_EQ(read.value().chain, state_.chain);
  EXPECT_EQ(read.value().tree.size(), 11u);
  EXPECT_EQ(read.value().tree.root(), state_.tree.root());
  ASSERT_EQ(read.value().commands->size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const KeptCommand &a = (*read.value().commands)[i], &b = (*state_.commands)[i];
    EXPECT_EQ(a.seq, b.seq);
    EXPECT_EQ(a.time, b.time);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.payload, b.payload);
  }
}

TEST_F(FollowerStateTest, WhatIsDamagedOrOfAnotherJournalIsNotTaken) {
  ASSERT_TRUE(save(disk_, directory_, journal_, state_).ok());
  EXPECT_EQ(load_follower_state(disk_, directory_, JournalId{}, 11).status().code(), Code::kDataLoss);
  fs::copy(path(), directory_ + "/" + follower_state_name(12));
  EXPECT_EQ(load_follower_state(disk_, directory_, journal_, 12).status().code(), Code::kDataLoss);
  std::ifstream in(path(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto write = [&](const std::string& text) { std::ofstream(path(), std::ios::binary) << text; };
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write(damaged);
    ASSERT_EQ(code(), Code::kDataLoss) << "byte " << at;
    write(whole.substr(0, at));
    ASSERT_EQ(code(), Code::kDataLoss) << "without what follows byte " << at;
  }
  // A digest that fits does not make sense of the rest.
  for (const char* text : {"", "\n", "halocline-follower-1\n", "halocline-follower-1 0102 11 5 7\ntree\n"}) {
    const std::string said = std::string(text) + "sha256 ";
    write(said + hex(sha256(said)) + "\n");
    EXPECT_EQ(code(), Code::kDataLoss) << text;
  }
  write(whole);
  EXPECT_EQ(code(), Code::kOk);
}

TEST_F(FollowerStateTest, OthersGo) {
  ASSERT_TRUE(save(disk_, directory_, journal_, state_).ok());
  std::ofstream(directory_ + "/" + follower_state_name(12) + ".new") << "half";
  std::ofstream(directory_ + "/" + follower_state_name(3)) << "old";
  std::ofstream(directory_ + "/notes") << "mine";
  ASSERT_TRUE(prune_follower_states(disk_, directory_, {11, 15}).ok());
  EXPECT_EQ(disk_.list(directory_).value(), (std::vector<std::string>{follower_state_name(11), "notes"}));
}

}  // namespace
}  // namespace halocline
