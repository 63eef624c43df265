#include "base/disk.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace halocline {
namespace {

// Writes a little at a time, and knows how much was never synced at once.
class CountingFile final : public File {
 public:
  Result<std::size_t> pread(std::uint64_t, std::span<std::byte>) override { return std::size_t{0}; }
  Result<std::size_t> pwrite(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const auto some = bytes.first(std::min<std::size_t>(bytes.size(), 300'000));
    contents.resize(std::max<std::size_t>(contents.size(), offset + some.size()));
    std::copy(some.begin(), some.end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
    most_unsynced = std::max(most_unsynced, unsynced += some.size());
    return some.size();
  }
  Status preallocate(std::uint64_t) override { return ok_status(); }
  Status sync_data() override {
    if (syncs++ == failing_sync) return Status(Code::kIo, "the medium is gone");
    unsynced = 0;
    return ok_status();
  }
  Result<std::uint64_t> size() override { return contents.size(); }
  const std::string& path() const override { return path_; }

  std::vector<std::byte> contents;
  std::size_t unsynced = 0, most_unsynced = 0;
  int syncs = 0, failing_sync = -1;

 private:
  const std::string path_ = "counting";
};

std::vector<std::byte> bytes_of(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  return bytes;
}

TEST(SteadyWriterTest, ALargeFileIsSyncedStepByStepWhateverThePiecesAre) {
  const std::vector<std::byte> all = bytes_of(5 * SteadyWriter::kStep + 777);
  for (const std::size_t piece : {std::size_t{10'007}, std::size_t{1} << 20, all.size()}) {
    CountingFile file;
    SteadyWriter writer(file, 3);
    for (std::size_t at = 0; at < all.size(); at += piece) {
      ASSERT_TRUE(writer.append(std::span(all).subspan(at, std::min(piece, all.size() - at))).ok());
    }
    EXPECT_EQ(writer.end(), 3 + all.size());
    EXPECT_EQ(file.unsynced, 777u);
    ASSERT_TRUE(writer.finish().ok());
    EXPECT_EQ(file.unsynced, 0u);
    EXPECT_EQ(file.syncs, 6);
    EXPECT_EQ(file.most_unsynced, SteadyWriter::kStep);
    EXPECT_TRUE(std::equal(all.begin(), all.end(), file.contents.begin() + 3, file.contents.end()));
  }
}

TEST(SteadyWriterTest, ASyncThatFailsOnTheWayIsTold) {
  CountingFile file;
  file.failing_sync = 1;
  SteadyWriter writer(file);
  EXPECT_EQ(writer.append(bytes_of(5 * SteadyWriter::kStep)).code(), Code::kIo);
  EXPECT_EQ(file.syncs, 2) << "nothing is tried after it";
}

}  // namespace
}  // namespace halocline
