// A state as pieces of bytes, and back: an outline in words (the numbers, and how large each array is), then pieces of the arrays, by
// column. Pure: where the bytes go is the caller's business (journal/checkpoint_file.h). The format is docs/formats/checkpoint.md.
//
//   std::string outline = checkpoint::outline_of(state);
//   checkpoint::each_piece(state, [&](const Piece& piece) { return file.add(piece …); });
//
//   checkpoint::Loader loader;
//   loader.begin(outline, pieces);            // makes the arrays
//   loader.fill(part, first, count, bytes);   // any thread, each piece once
//   Result<Snapshot> books = loader.finish();
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "engine/state/state.h"

namespace halocline::checkpoint {

// Some records of one array. `bytes` hold until the next piece.
struct Piece {
  std::uint32_t part = 0;    // which array: the part's line in the outline, from 0
  std::uint64_t first = 0;   // record
  std::uint32_t count = 0;
  std::span<const std::byte> bytes;
};

std::string outline_of(const State& state);
// Until one fails. Any thread.
Status each_piece(const State& state, const std::function<Status(const Piece&)>& take);

class Loader {
 public:
  // `pieces`: how many there are to come; nothing is made that they cannot fill. kUnsupported: it is not made of what this program's
  // states are made of; kDataLoss: it is no outline, or that of another number of pieces.
  Status begin(std::string_view outline, std::uint64_t pieces);
  // kDataLoss: there is no such piece, it was there before, or its bytes are not so many.
  Status fill(const Piece& piece);
  // kDataLoss: records are missing, or an index is none.
  Result<Snapshot> finish();

 private:
  struct Part {
    std::string name;
    std::uint32_t record_bytes = 0;
    std::uint64_t records = 0;
    std::uint32_t piece_records = 0;
    std::unique_ptr<std::atomic<bool>[]> filled;  // pieces

    std::uint64_t pieces() const { return (records + piece_records - 1) / piece_records; }
    std::function<void(std::uint64_t first, std::uint32_t count, const std::byte* bytes)> scatter;
  };

  std::unique_ptr<State> state_ = std::make_unique<State>();
  std::vector<Part> parts_;
  std::uint64_t records_ = 0;
  std::atomic<std::uint64_t> filled_{0};
};

}  // namespace halocline::checkpoint
