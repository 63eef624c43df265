// Any bytes as a checkpoint's file, read as a start reads it. The first byte says what the others are:
//   0  the whole file
//   1  edits (u16 offset, byte; little-endian) of a good file of small books
//   2  … after which the CRCs and the hash over the block heads are put right, so that what lies behind them is reached
//   3  lines of an outline, each instead of the good file's line of the same two first words, or added
//   4  which pieces of the good file follow its outline, by number
// What must hold beside the sanitizers: nothing is made that the file cannot fill; a failure says what is wrong; a file that is taken, and
// is no forgery (2 and 3), holds the books that were written, and an engine goes on from them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/sha256.h"
#include "bench/floor_workload.h"
#include "engine/checkpoint/state_codec.h"
#include "engine/engine.h"
#include "engine/views.h"
#include "journal/faulty_disk_test.h"
#include "server/checkpoints.h"

namespace {

using namespace halocline;

constexpr char kDirectory[] = "/checkpoints";
constexpr Nanos kTime = 1'790'000'000'000'000'000;
constexpr std::size_t kHeaderBytes = 4096, kHeadBytes = 32;
enum Place : std::size_t { kHeaderCrc = 12, kHeadsHash = 112, kBlockCrc = 4, kStoredBytes = 28 };  // docs/formats/checkpoint.md

struct OwnedPiece {
  checkpoint::Piece piece;
  std::vector<std::byte> bytes;
};

// A good checkpoint: its books, and what it is made of.
struct Good {
  Snapshot books;
  std::string digest;
  std::string outline;
  std::vector<OwnedPiece> pieces;
  FaultyDisk::Bytes file;
};

std::string path_of(const Snapshot& books) { return std::string(kDirectory) + "/" + checkpoint_name(views::seq_of(*books)); }

FaultyDisk::Bytes file_of(const Snapshot& books, std::string_view outline, const std::vector<const OwnedPiece*>& pieces) {
  FaultyDisk disk(1);
  auto writer = CheckpointWriter::create(disk, kDirectory);
  CHECK(writer.ok() && writer.value()->add(kOutlinePart, 0, 0, std::as_bytes(std::span(outline))).ok());
  for (const OwnedPiece* one : pieces) {
    CHECK(writer.value()->add(one->piece.part, one->piece.first, one->piece.count, one->bytes).ok());
  }
  CheckpointHeader header;
  header.seq = views::seq_of(*books);
  header.time = views::time_of(*books);
  CHECK(writer.value()->finish(header).ok());
  return disk.bytes(path_of(books));
}

std::vector<const OwnedPiece*> all_of(const Good& good) {
  std::vector<const OwnedPiece*> all;
  for (const OwnedPiece& one : good.pieces) all.push_back(&one);
  return all;
}

Good make_good() {
  bench::FloorWorkload floor(3, {2, 3, 4, 2, 5, 2});
  Engine engine;
  std::vector<AlertEvent> events;
  const auto apply = [&](const Command& command) {
    CHECK(engine.apply(engine.last_seq() + 1, kTime, command, events).outcome == Outcome::kAccepted);
  };
  for (const Command& command : floor.reference()) apply(command);
  apply(Limit{"small", NodeKind::kBook, "*", Measure::kGross, 0, 1, 0, false, "risk", 0});
  apply(QueryCreate{"large", AlertLevel::kWarn, "SELECT trade_id FROM trades WHERE live AND quantity > 10"});
  for (int i = 0; i < 20; ++i) {
    std::string id;
    apply(floor.next_trade(id));
  }
  Good good;
  good.books = engine.snapshot();
  good.digest = views::state_digest(*good.books);
  good.outline = checkpoint::outline_of(*good.books);
  CHECK(checkpoint::each_piece(*good.books, [&](const checkpoint::Piece& piece) {
    good.pieces.push_back({piece, {piece.bytes.begin(), piece.bytes.end()}});
    return ok_status();
  }).ok());
  good.file = file_of(good.books, good.outline, all_of(good));
  return good;
}

void put_right(FaultyDisk::Bytes& bytes) {
  if (bytes.size() < kHeaderBytes) return;
  Sha256 heads;
  for (std::size_t at = kHeaderBytes; at + kHeadBytes <= bytes.size();) {
    std::uint32_t stored;
    std::memcpy(&stored, &bytes[at + kStoredBytes], sizeof stored);
    const std::size_t block = std::min<std::size_t>(bytes.size() - at, kHeadBytes + std::size_t{stored});
    std::memset(&bytes[at + kBlockCrc], 0, 4);
    const std::uint32_t crc = crc32c(std::span<const std::byte>(bytes).subspan(at, block));
    std::memcpy(&bytes[at + kBlockCrc], &crc, 4);
    heads.update(std::span<const std::byte>(bytes).subspan(at, kHeadBytes));
    at += block;
  }
  const Digest hash = heads.finish();
  std::memcpy(&bytes[kHeadsHash], hash.data(), hash.size());
  std::memset(&bytes[kHeaderCrc], 0, 4);
  const std::uint32_t crc = crc32c(std::span<const std::byte>(bytes).first(kHeaderBytes));
  std::memcpy(&bytes[kHeaderCrc], &crc, 4);
}

// The first two words of a line of an outline.
std::string_view key_of(std::string_view line) {
  const std::size_t first = line.find(' ');
  return line.substr(0, first == std::string_view::npos ? first : line.find(' ', first + 1));
}

std::string with_lines(std::string_view outline, std::string_view lines) {
  std::map<std::string_view, std::string_view> instead;
  const auto each_line = [](std::string_view text, auto visit) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      visit(line);
    }
  };
  each_line(lines, [&](std::string_view line) { instead[key_of(line)] = line; });
  std::string out;
  each_line(outline, [&](std::string_view line) {
    const auto found = instead.find(key_of(line));
    out += std::string(found == instead.end() ? line : found->second) + "\n";
    if (found != instead.end()) instead.erase(found);
  });
  for (const auto& [key, line] : instead) out += std::string(line) + "\n";
  return out;
}

FaultyDisk::Bytes image(const Good& good, unsigned how, std::span<const std::byte> input) {
  switch (how) {
    case 0: return {input.begin(), input.end()};
    case 3: return file_of(good.books, with_lines(good.outline, {reinterpret_cast<const char*>(input.data()), input.size()}), all_of(good));
    case 4: {
      input = input.first(std::min(input.size(), 2 * good.pieces.size()));
      std::vector<const OwnedPiece*> pieces;
      for (const std::byte number : input) pieces.push_back(&good.pieces[std::to_integer<std::size_t>(number) % good.pieces.size()]);
      return file_of(good.books, good.outline, pieces);
    }
    default: break;
  }
  FaultyDisk::Bytes bytes = good.file;
  for (; input.size() >= 3; input = input.subspan(3)) {
    const std::size_t offset = std::to_integer<std::size_t>(input[0]) | std::to_integer<std::size_t>(input[1]) << 8;
    bytes[offset % bytes.size()] = input[2];
  }
  if (how == 2) put_right(bytes);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Good kGood = make_good();
  if (size == 0) return 0;
  const unsigned how = data[0] % 5;
  FaultyDisk disk(1);
  const std::string path = path_of(kGood.books);
  disk.put(path, image(kGood, how, std::as_bytes(std::span(data, size)).subspan(1)));
  const Result<LoadedCheckpoint> loaded = load_checkpoint(disk, path);
  if (!loaded.ok()) {
    CHECK(!loaded.status().message().empty());
    return 0;
  }
  CHECK(loaded.value().header.seq == views::seq_of(*loaded.value().books));
  if (how == 2 || how == 3) return 0;
  CHECK(views::state_digest(*loaded.value().books) == kGood.digest, "it was taken, and has other books");
  const Result<std::unique_ptr<Engine>> resumed = Engine::resume(*loaded.value().books);
  CHECK(resumed.ok(), "%s", resumed.status().message().c_str());
  return 0;
}
