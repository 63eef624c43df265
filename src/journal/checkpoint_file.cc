#include "journal/checkpoint_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <zstd.h>

#include "base/check.h"
#include "base/crc32c.h"

namespace halocline {
namespace {

constexpr std::size_t kHeaderBytes = 4096;
constexpr std::uint32_t kVersion = 2;
constexpr char kMark[8] = {'H', 'A', 'L', 'O', 'C', 'K', 'P', 'T'};
constexpr std::uint32_t kBlockMark = 0x31424348;  // "HCB1"
constexpr int kLevel = 1;
constexpr char kUnfinished[] = ".new";

// Little-endian, as it stands in the file.
struct HeaderPage {
  char mark[8];
  std::uint32_t version;
  std::uint32_t crc;  // of the page with this field as 0
  JournalId journal;
  std::uint64_t seq;
  std::int64_t time;
  Digest chain, state_digest, block_headers;
  std::uint64_t blocks, bytes;
  std::uint32_t synced;
  std::uint32_t reserved;
};
static_assert(sizeof(HeaderPage) == 168);

struct BlockHead {
  std::uint32_t mark;
  std::uint32_t crc;  // of the head with this field as 0, and the stored bytes
  std::uint32_t part;
  std::uint32_t count;
  std::uint64_t first;
  std::uint32_t raw_bytes;
  std::uint32_t stored_bytes;
};
static_assert(sizeof(BlockHead) == 32);

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::uint32_t crc_of(BlockHead head, std::span<const std::byte> stored) {
  head.crc = 0;
  return crc32c(stored, crc32c(bytes_of(head)));
}

std::array<std::byte, kHeaderBytes> page_of(const HeaderPage& header) {
  std::array<std::byte, kHeaderBytes> page{};
  std::memcpy(page.data(), &header, sizeof header);
  return page;
}

std::uint32_t crc_of(HeaderPage header) {
  header.crc = 0;
  return crc32c(page_of(header));
}

}  // namespace

std::string checkpoint_name(Seq seq) {
  const std::string digits = std::to_string(seq);
  return "checkpoint-" + std::string(20 - digits.size(), '0') + digits + ".ckp";
}

std::optional<Seq> checkpoint_seq(const std::string& name) {
  constexpr std::string_view kBefore = "checkpoint-", kAfter = ".ckp";
  if (name.size() != kBefore.size() + 20 + kAfter.size() || !name.starts_with(kBefore) || !name.ends_with(kAfter)) return std::nullopt;
  Seq seq = 0;
  const char* const end = name.data() + kBefore.size() + 20;
  const auto [stopped, error] = std::from_chars(name.data() + kBefore.size(), end, seq);
  if (error != std::errc() || stopped != end || checkpoint_name(seq) != name) return std::nullopt;
  return seq;
}

Result<std::unique_ptr<CheckpointWriter>> CheckpointWriter::create(Disk& disk, const std::string& directory) {
  std::unique_ptr<CheckpointWriter> writer(new CheckpointWriter(disk, directory));
  const std::string path = directory + "/checkpoint" + kUnfinished;
  if (Status gone = disk.remove(path); !gone.ok() && gone.code() != Code::kNotFound) return gone;
  Result<std::unique_ptr<File>> file = disk.create(path);
  if (!file.ok()) return file.status();
  writer->file_ = file.take();
  writer->steady_.emplace(*writer->file_, kHeaderBytes);
  return writer;
}

CheckpointWriter::~CheckpointWriter() {
  if (file_ != nullptr) static_cast<void>(disk_.remove(file_->path()));  // what is left of it, any start removes
}

Status CheckpointWriter::add(std::uint32_t part, std::uint64_t first, std::uint32_t count, std::span<const std::byte> bytes) {
  CHECK(bytes.size() <= kMaxCheckpointBlock, "a block of %zu bytes", bytes.size());
  buffer_.resize(sizeof(BlockHead) + ZSTD_compressBound(bytes.size()));
  const std::size_t packed =
      ZSTD_compress(buffer_.data() + sizeof(BlockHead), buffer_.size() - sizeof(BlockHead), bytes.data(), bytes.size(), kLevel);
  CHECK(ZSTD_isError(packed) == 0, "zstd: %s", ZSTD_getErrorName(packed));
  BlockHead head{kBlockMark, 0, part, count, first, static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(packed)};
  const auto whole = std::span(buffer_).first(sizeof head + packed);
  head.crc = crc_of(head, whole.subspan(sizeof head));
  std::memcpy(buffer_.data(), &head, sizeof head);
  if (Status status = steady_->append(whole); !status.ok()) return status;
  block_headers_.update(bytes_of(head));
  ++blocks_;
  return ok_status();
}

Status CheckpointWriter::finish(CheckpointHeader header) {
  HeaderPage page{};
  std::memcpy(page.mark, kMark, sizeof kMark);
  page.version = kVersion;
  page.journal = header.journal;
  page.seq = header.seq;
  page.time = header.time;
  page.chain = header.chain;
  page.state_digest = header.state_digest;
  page.block_headers = block_headers_.finish();
  page.blocks = blocks_;
  page.bytes = steady_->end();
  page.synced = header.synced ? 1 : 0;
  page.crc = crc_of(page);
  if (Status status = write_all(*file_, 0, page_of(page)); !status.ok()) return status;
  if (Status status = steady_->finish(); !status.ok()) return status;
  if (Status status = disk_.rename(file_->path(), directory_ + "/" + checkpoint_name(header.seq)); !status.ok()) return status;
  file_.reset();
  return disk_.sync_directory(directory_);
}

Result<std::unique_ptr<CheckpointReader>> CheckpointReader::open(Disk& disk, const std::string& path) {
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return file.status();
  std::array<std::byte, kHeaderBytes> bytes{};
  Result<std::size_t> read = read_all(*file.value(), 0, bytes);
  if (!read.ok()) return read.status();
  Result<std::uint64_t> size = file.value()->size();
  if (!size.ok()) return size.status();
  HeaderPage page;
  std::memcpy(&page, bytes.data(), sizeof page);
  if (read.value() < kHeaderBytes || std::memcmp(page.mark, kMark, sizeof kMark) != 0) {
    return Status(Code::kUnsupported, path + " is no checkpoint");
  }
  if (page.version != kVersion) return Status(Code::kUnsupported, path + " is of format " + std::to_string(page.version));
  const std::uint32_t crc = page.crc;
  std::memset(bytes.data() + offsetof(HeaderPage, crc), 0, sizeof crc);
  if (crc32c(bytes) != crc) return Status(Code::kDataLoss, path + " is damaged: the header's CRC is wrong");
  if (size.value() != page.bytes) {
    return Status(Code::kDataLoss, path + " is damaged: it has " + std::to_string(size.value()) + " bytes instead of " +
                                       std::to_string(page.bytes));
  }
  if (page.bytes < kHeaderBytes || page.blocks > (page.bytes - kHeaderBytes) / sizeof(BlockHead)) {
    return Status(Code::kDataLoss, path + " is damaged: it has no room for " + std::to_string(page.blocks) + " blocks");
  }
  CheckpointHeader header;
  header.journal = page.journal;
  header.seq = page.seq;
  header.time = page.time;
  header.chain = page.chain;
  header.state_digest = page.state_digest;
  header.synced = page.synced != 0;
  header.blocks = page.blocks;
  header.bytes = page.bytes;
  header.block_headers = page.block_headers;
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader(file.take(), header));
  reader->offset_ = kHeaderBytes;
  return reader;
}

Status CheckpointReader::damage(const std::string& what) const {
  return Status(Code::kDataLoss, file_->path() + " is damaged at offset " + std::to_string(offset_) + ": " + what);
}

Result<std::optional<CheckpointBlock>> CheckpointReader::next() {
  if (ended_) return std::optional<CheckpointBlock>();
  if (blocks_ == header_.blocks) {
    const bool as_written = offset_ == header_.bytes && block_headers_.finish() == header_.block_headers;
    if (!as_written) return damage("these are not the blocks that were written");
    ended_ = true;
    return std::optional<CheckpointBlock>();
  }
  BlockHead head;
  Result<std::size_t> read = read_all(*file_, offset_, std::as_writable_bytes(std::span(&head, 1)));
  if (!read.ok()) return read.status();
  if (read.value() < sizeof head || head.mark != kBlockMark) return damage("there is no block");
  if (head.raw_bytes > kMaxCheckpointBlock || head.stored_bytes > ZSTD_compressBound(kMaxCheckpointBlock)) {
    return damage("the block's length is impossible");
  }
  CheckpointBlock block{head.part, head.count, head.first, head.raw_bytes, std::vector<std::byte>(head.stored_bytes)};
  read = read_all(*file_, offset_ + sizeof head, block.stored);
  if (!read.ok()) return read.status();
  if (read.value() < head.stored_bytes || crc_of(head, block.stored) != head.crc) return damage("the block's CRC is wrong");
  block_headers_.update(bytes_of(head));
  offset_ += sizeof head + head.stored_bytes;
  ++blocks_;
  return std::optional<CheckpointBlock>(std::move(block));
}

Status unpack(const CheckpointBlock& block, std::vector<std::byte>& bytes) {
  bytes.resize(block.raw_bytes);
  const std::size_t unpacked = ZSTD_decompress(bytes.data(), bytes.size(), block.stored.data(), block.stored.size());
  if (ZSTD_isError(unpacked) == 0 && unpacked == bytes.size()) return ok_status();
  return Status(Code::kDataLoss, "a block of part " + std::to_string(block.part) + " does not unpack");
}

Result<std::vector<Seq>> list_checkpoints(Disk& disk, const std::string& directory) {
  Result<std::vector<std::string>> names = disk.list(directory);
  if (!names.ok()) return names.status();
  std::vector<Seq> seqs;
  for (const std::string& name : names.value()) {
    if (const auto seq = checkpoint_seq(name)) seqs.push_back(*seq);
  }
  std::sort(seqs.rbegin(), seqs.rend());
  return seqs;
}

Status prune_checkpoints(Disk& disk, const std::string& directory, std::size_t keep) {
  const std::string unfinished = directory + "/checkpoint" + kUnfinished;
  if (Status status = disk.remove(unfinished); !status.ok() && status.code() != Code::kNotFound) return status;
  Result<std::vector<Seq>> seqs = list_checkpoints(disk, directory);
  if (!seqs.ok()) return seqs.status();
  for (std::size_t i = keep; i < seqs.value().size(); ++i) {
    if (Status status = disk.remove(directory + "/" + checkpoint_name(seqs.value()[i])); !status.ok()) return status;
  }
  return disk.sync_directory(directory);
}

}  // namespace halocline
