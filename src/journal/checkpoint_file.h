// A checkpoint: the books at one seq in one file, so that a start need not read the journal from its beginning. Only bytes
// here; what they mean is engine/checkpoint/'s. The format, and what a crash can leave, is docs/formats/checkpoint.md.
//
//   auto writer = CheckpointWriter::create(disk, directory);
//   writer.value()->add(kind, piece …);                  // as often as needed
//   writer.value()->finish(header);                      // from here on it is there, whole and durable
//
// One thread per writer and reader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/sha256.h"
#include "base/status.h"
#include "command/command.h"
#include "journal/segment.h"

namespace halocline {

struct CheckpointHeader {
  JournalId journal{};
  Seq seq = 0;            // of the last command in it
  Nanos time = 0;         // its journal time
  Digest chain{};         // the journal's hash chain after that command's block, which ends with it
  Digest state_digest{};  // docs/semantics.md, "Digest"
  bool synced = false;    // the journal was synced up to there: it must hold that command for ever
  // Set by the writer.
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;   // of the file
  Digest block_headers{};    // SHA-256 over them
};

inline constexpr std::uint32_t kOutlinePart = 0xFFFF'FFFFu;  // the block of the outline, the first one
inline constexpr std::size_t kMaxCheckpointBlock = 4u << 20;

// A block: compressed bytes, and which records of which part they are.
struct CheckpointBlock {
  std::uint32_t part = 0;
  std::uint32_t count = 0;
  std::uint64_t first = 0;
  std::uint32_t raw_bytes = 0;
  std::vector<std::byte> stored;
};

// "checkpoint-00000000000000001234.ckp": sorts by seq.
std::string checkpoint_name(Seq seq);
std::optional<Seq> checkpoint_seq(const std::string& name);

class CheckpointWriter {
 public:
  // Begins a file with a name of its own, which any start may delete.
  static Result<std::unique_ptr<CheckpointWriter>> create(Disk& disk, const std::string& directory);
  // Removes what was not finished.
  ~CheckpointWriter();

  // At most kMaxCheckpointBlock bytes, compressed here.
  Status add(std::uint32_t part, std::uint64_t first, std::uint32_t count, std::span<const std::byte> bytes);
  // Writes the header, syncs, and gives the file its name, durably.
  Status finish(CheckpointHeader header);

 private:
  CheckpointWriter(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  Disk& disk_;
  const std::string directory_;
  std::unique_ptr<File> file_;
  std::optional<SteadyWriter> steady_;
  std::uint64_t blocks_ = 0;
  Sha256 block_headers_;
  std::vector<std::byte> buffer_;
};

class CheckpointReader {
 public:
  // kDataLoss: the header does not check; kUnsupported: no checkpoint, or of a newer format; kNotFound, kIo.
  static Result<std::unique_ptr<CheckpointReader>> open(Disk& disk, const std::string& path);

  const CheckpointHeader& header() const { return header_; }
  // The next block, its CRC checked; nothing after the last one, when all of them together are what was written. kDataLoss, kIo.
  Result<std::optional<CheckpointBlock>> next();

 private:
  CheckpointReader(std::unique_ptr<File> file, const CheckpointHeader& header) : file_(std::move(file)), header_(header) {}
  Status damage(const std::string& what) const;

  std::unique_ptr<File> file_;
  CheckpointHeader header_;
  std::uint64_t offset_ = 0, blocks_ = 0;
  Sha256 block_headers_;
  bool ended_ = false;
};

// What add() was given. kDataLoss: it does not unpack to so many bytes. Any thread.
Status unpack(const CheckpointBlock& block, std::vector<std::byte>& bytes);

// The finished ones in the directory, newest first.
Result<std::vector<Seq>> list_checkpoints(Disk& disk, const std::string& directory);
// Removes unfinished ones, and all but the newest `keep`.
Status prune_checkpoints(Disk& disk, const std::string& directory, std::size_t keep);

}  // namespace halocline
