#include "engine/checkpoint/state_codec.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include "engine/checkpoint/columns.h"

namespace halocline::checkpoint {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;

// The numbers of a state that stand in no array.
template <class S, class Visit>
void each_number(S& state, Visit visit) {
  visit("seq", state.seq);
  visit("time", state.time);
  visit("firm_currency", state.catalog.firm_currency);
  visit("end_of_day", state.catalog.end_of_day);
  visit("free_entry", state.free_entry);
  visit("parked_released", state.parked_released);
  visit("parked_refused", state.parked_refused);
  visit("free_unanswered", state.free_unanswered);
  visit("fix_pending.session", state.fix_pending.session);
  visit("fix_pending.number", state.fix_pending.number);
  visit("fix_pending.commands", state.fix_pending.commands);
  visit("fix_pending.applied", state.fix_pending.applied);
  visit("fix_pending.reply", state.fix_pending.reply);
  visit("fix_pending.told.outcome", state.fix_pending.told.outcome);
  visit("fix_pending.told.index", state.fix_pending.told.index);
  visit("fix_pending.seq", state.fix_pending.seq);
  visit("live_trades", state.live_trades);
  visit("live_limits", state.live_limits);
  visit("active_alerts", state.active_alerts);
}

template <class T>
struct Layout {
  std::vector<Column> columns = Fields<T>::columns();
  std::uint32_t bytes = bytes_of(columns);
};
template <class T>
const Layout<T>& layout_of() {
  static const Layout<T> layout;
  return layout;
}

template <class Array>
using RecordOf = std::remove_cvref_t<decltype(std::declval<const Array&>()[0])>;

// Whole chunks, so that pieces can be filled at the same time.
template <class Array>
std::uint32_t records_in_piece() {
  const std::size_t chunk_bytes = Array::kPerChunk * layout_of<RecordOf<Array>>().bytes;
  return static_cast<std::uint32_t>(Array::kPerChunk * std::max<std::size_t>(1, kPieceBytes / chunk_bytes));
}

// Copies `count` values of a width between records and a column.
template <bool kToRecords>
void copy_column(std::byte* records, std::size_t stride, std::byte* column, std::uint32_t width, std::size_t count) {
  const auto copy = [&]<std::size_t kWidth>(std::integral_constant<std::size_t, kWidth>) {
    for (std::size_t i = 0; i < count; ++i, records += stride, column += kWidth) {
      kToRecords ? std::memcpy(records, column, kWidth) : std::memcpy(column, records, kWidth);
    }
  };
  switch (width) {
    case 1: return copy(std::integral_constant<std::size_t, 1>());
    case 2: return copy(std::integral_constant<std::size_t, 2>());
    case 4: return copy(std::integral_constant<std::size_t, 4>());
    case 8: return copy(std::integral_constant<std::size_t, 8>());
    case 16: return copy(std::integral_constant<std::size_t, 16>());
    case 20: return copy(std::integral_constant<std::size_t, 20>());
    default: break;
  }
  for (std::size_t i = 0; i < count; ++i, records += stride, column += width) {
    kToRecords ? std::memcpy(records, column, width) : std::memcpy(column, records, width);
  }
}

template <class Array>
void gather(const Array& array, std::uint64_t first, std::uint32_t count, std::byte* out) {
  using T = RecordOf<Array>;
  for (const Column& column : layout_of<T>().columns) {
    for (std::uint32_t done = 0; done < count;) {
      const std::span<const T> chunk = array.chunk((first + done) / Array::kPerChunk);
      const auto here = static_cast<std::uint32_t>(std::min<std::size_t>(chunk.size(), count - done));
      auto* records = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(chunk.data())) + column.offset;  // only read
      copy_column<false>(records, sizeof(T), out, column.width, here);
      out += static_cast<std::size_t>(here) * column.width;
      done += here;
    }
  }
}

template <class Array>
void scatter(Array& array, std::uint64_t first, std::uint32_t count, const std::byte* bytes) {
  using T = RecordOf<Array>;
  for (std::uint32_t done = 0; done < count; done += static_cast<std::uint32_t>(Array::kPerChunk)) {
    const std::span<T> chunk = array.fill((first + done) / Array::kPerChunk);
    std::memset(static_cast<void*>(chunk.data()), 0, chunk.size_bytes());
  }
  auto* in = const_cast<std::byte*>(bytes);  // only read
  for (const Column& column : layout_of<T>().columns) {
    for (std::uint32_t done = 0; done < count;) {
      const std::span<T> chunk = array.fill((first + done) / Array::kPerChunk);
      const auto here = static_cast<std::uint32_t>(std::min<std::size_t>(chunk.size(), count - done));
      copy_column<true>(reinterpret_cast<std::byte*>(chunk.data()) + column.offset, sizeof(T), in, column.width, here);
      in += static_cast<std::size_t>(here) * column.width;
      done += here;
    }
  }
}

// One line of an outline, in words.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  out = static_cast<Number>(number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// Whether the shape and the arrays of an index belong together, and every key leads to a segment.
bool sound(const CowIndex& index) {
  const std::uint64_t bits = index.shape().bits;
  std::size_t places = 0, segments = 0, heads = 0;
  std::uint32_t last = 0;
  CowIndex::each_array([&](std::string_view name, const auto& array) {
    if constexpr (std::is_same_v<RecordOf<decltype(array)>, std::uint32_t>) {
      places = array.size();
      for (std::size_t i = 0; i < places; ++i) last = std::max(last, array[i]);
    } else {
      (name == "heads" ? heads : segments) = array.size();
    }
  }, index);
  return bits < 32 && places == std::size_t{1} << bits && segments == heads && last < segments;
}

Status no_outline(std::string_view line) {
  return Status(Code::kDataLoss, "\"" + std::string(line.substr(0, 80)) + "\" does not belong in a checkpoint's outline");
}

}  // namespace

std::string outline_of(const State& state) {
  std::string out;
  each_number(state, [&](std::string_view name, const auto& number) {
    out += "number " + std::string(name) + " " + std::to_string(static_cast<std::int64_t>(number)) + "\n";
  });
  State::each_index([&](std::string_view name, const CowIndex& index) {
    const CowIndex::Shape shape = index.shape();
    out += "index " + std::string(name) + " " + std::to_string(shape.bits) + " " + std::to_string(shape.size) + "\n";
  }, state);
  State::each_array([&](std::string_view name, const auto& array) {
    using Array = std::remove_cvref_t<decltype(array)>;
    out += "part " + std::string(name) + " " + std::to_string(layout_of<RecordOf<Array>>().bytes) + " " +
           std::to_string(records_in_piece<Array>()) + " " + std::to_string(array.size()) + "\n";
  }, state);
  return out;
}

Status each_piece(const State& state, const std::function<Status(const Piece&)>& take) {
  std::vector<std::byte> bytes;
  Status failed;
  std::uint32_t part = 0;
  State::each_array([&](std::string_view, const auto& array) {
    using Array = std::remove_cvref_t<decltype(array)>;
    const std::uint32_t record_bytes = layout_of<RecordOf<Array>>().bytes;
    for (std::uint64_t first = 0; first < array.size() && failed.ok(); first += records_in_piece<Array>()) {
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(records_in_piece<Array>(), array.size() - first));
      bytes.resize(static_cast<std::size_t>(count) * record_bytes);
      gather(array, first, count, bytes.data());
      failed = take({part, first, count, bytes});
    }
    ++part;
  }, state);
  return failed;
}

Status Loader::begin(std::string_view outline, std::uint64_t pieces) {
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, CowIndex::Shape, std::less<>> shapes;
  while (!outline.empty()) {
    const std::string_view line = outline.substr(0, outline.find('\n'));
    outline.remove_prefix(std::min(line.size() + 1, outline.size()));
    const std::vector<std::string_view> words = words_of(line);
    const std::string name(words.size() > 1 ? words[1] : "");
    if (words.size() == 3 && words[0] == "number") {
      if (!read_number(words[2], numbers[name])) return no_outline(line);
    } else if (words.size() == 4 && words[0] == "index") {
      CowIndex::Shape& shape = shapes[name];
      if (!read_number(words[2], shape.bits) || !read_number(words[3], shape.size)) return no_outline(line);
    } else if (words.size() == 5 && words[0] == "part") {
      Part& part = parts_.emplace_back();
      part.name = name;
      const bool read = read_number(words[2], part.record_bytes) && read_number(words[3], part.piece_records) &&
                        read_number(words[4], part.records);
      if (!read || part.records > limits::kMaxTrades) return no_outline(line);
    } else {
      return no_outline(line);
    }
  }
  std::size_t known = 0;
  std::uint64_t expected = 0;
  Status wrong;
  const auto unlike = [&](std::string_view what) {
    if (wrong.ok()) wrong = Status(Code::kUnsupported, "another version of the program made it: " + std::string(what) + " is different");
  };
  each_number(*state_, [&](std::string_view name, auto& number) {
    const auto at = numbers.find(name);
    if (at == numbers.end()) return unlike(name);
    number = static_cast<std::remove_reference_t<decltype(number)>>(at->second);
  });
  State::each_index([&](std::string_view name, CowIndex& index) {
    const auto at = shapes.find(name);
    at == shapes.end() ? unlike(name) : index.set_shape(at->second);
  }, *state_);
  State::each_array([&](std::string_view name, auto& array) {
    using Array = std::remove_cvref_t<decltype(array)>;
    if (known == parts_.size()) return unlike(name);
    Part& part = parts_[known++];
    const std::uint32_t bytes = layout_of<RecordOf<Array>>().bytes;
    if (part.name != name || part.record_bytes != bytes || part.piece_records != records_in_piece<Array>()) return unlike(name);
    expected += part.pieces();
    part.scatter = [&array](std::uint64_t first, std::uint32_t count, const std::byte* from) { scatter(array, first, count, from); };
    records_ += part.records;
  }, *state_);
  if (known != parts_.size()) unlike("the number of arrays");
  if (!wrong.ok()) return wrong;
  if (expected != pieces) {
    return Status(Code::kDataLoss, std::to_string(expected) + " pieces belong to it, there are " + std::to_string(pieces));
  }
  auto part = parts_.begin();
  State::each_array([&](std::string_view, auto& array) {
    array = {};
    array.make(part->records);
    part->filled = std::make_unique<std::atomic<bool>[]>(part->pieces());
    ++part;
  }, *state_);
  return ok_status();
}

Status Loader::fill(const Piece& piece) {
  if (piece.part >= parts_.size()) return Status(Code::kDataLoss, "there is no part " + std::to_string(piece.part));
  const Part& part = parts_[piece.part];
  const bool fits = piece.first % part.piece_records == 0 && piece.first < part.records &&
                    piece.count == std::min<std::uint64_t>(part.piece_records, part.records - piece.first) &&
                    piece.bytes.size() == static_cast<std::size_t>(piece.count) * part.record_bytes;
  if (!fits) return Status(Code::kDataLoss, "a piece of " + part.name + " at " + std::to_string(piece.first) + " does not fit");
  if (part.filled[piece.first / part.piece_records].exchange(true)) {
    return Status(Code::kDataLoss, "a piece of " + part.name + " at " + std::to_string(piece.first) + " is there twice");
  }
  part.scatter(piece.first, piece.count, piece.bytes.data());
  filled_.fetch_add(piece.count);
  return ok_status();
}

Result<Snapshot> Loader::finish() {
  if (filled_.load() != records_) {
    return Status(Code::kDataLoss, std::to_string(filled_.load()) + " records are there, " + std::to_string(records_) + " belong to it");
  }
  Status unsound;
  State::each_index([&](std::string_view name, const CowIndex& index) {
    if (!sound(index)) unsound = Status(Code::kDataLoss, "the index " + std::string(name) + " does not fit its arrays");
  }, *state_);
  if (!unsound.ok()) return unsound;
  return Snapshot(std::move(state_));
}

}  // namespace halocline::checkpoint
