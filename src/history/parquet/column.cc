#include "history/parquet/column.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/load_bytes.h"
#include "base/utf8.h"

namespace halocline::iceberg {
namespace {

static_assert(std::endian::native == std::endian::little, "values are handed to Arrow as they lie in memory");

// "Parquet" says which type is which.
std::shared_ptr<arrow::DataType> arrow_type(const Type& type, bool plain) {
  switch (type.kind) {
    case TypeKind::kBoolean: return arrow::boolean();
    case TypeKind::kInt: return arrow::int32();
    case TypeKind::kLong: return arrow::int64();
    case TypeKind::kDate: return arrow::date32();
    case TypeKind::kTimestamptz: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kString: return plain ? arrow::utf8() : arrow::dictionary(arrow::int32(), arrow::utf8());
    case TypeKind::kDecimal: return arrow::decimal128(type.precision, type.scale);
    default: CHECK(false, "no column of type %s is written", type_text(type).c_str()); return nullptr;
  }
}

// Every sequence of bytes that is not UTF-8 becomes one replacement character a byte.
std::string valid_text(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    std::size_t length = std::min<std::size_t>(text.size(), 4);
    while (length > 0 && !is_utf8(text.substr(0, length))) --length;
    valid += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

// Adds a text to those that lie one after the other.
void append_text(std::string_view text, std::string& bytes, std::vector<std::int32_t>& ends) {
  CHECK(text.size() <= std::numeric_limits<std::int32_t>::max() - bytes.size(), "2 GiB of texts in a row group");
  bytes += text;
  ends.push_back(static_cast<std::int32_t>(bytes.size()));
}

// Memory that stays ours.
template <class T>
std::shared_ptr<arrow::Buffer> buffer_of(const T& items) {
  return std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(items.data()),
                                         static_cast<std::int64_t>(items.size() * sizeof(items[0])));
}

}  // namespace

std::string_view Words::word(std::int32_t number) const {
  const auto at = static_cast<std::size_t>(number);
  const auto begin = static_cast<std::size_t>(ends_[at]), end = static_cast<std::size_t>(ends_[at + 1]);
  return std::string_view(bytes_).substr(begin, end - begin);
}

Words::Key Words::key_of(std::string_view text) {
  if (text.size() > 16) return {hash_bytes(text), hash_bytes(text, 1), text.size()};
  const std::size_t low = std::min<std::size_t>(text.size(), 8);
  return {load_bytes(text.data(), low), load_bytes(text.data() + low, text.size() - low), text.size()};
}

Words::Slot& Words::slot_of(const Key& key, std::string_view text) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash_ids(key.low ^ key.size, key.high) & mask;
  while (slots_[at].number >= 0 && !(slots_[at].key == key && (key.size <= 16 || word(slots_[at].number) == text))) at = (at + 1) & mask;
  return slots_[at];
}

std::int32_t Words::find(std::string_view text) {
  const Key key = key_of(text);
  if (last_.number >= 0 && key == last_.key && key.size <= 16) return last_.number;
  const Slot& slot = slot_of(key, text);
  if (slot.number >= 0) last_ = slot;
  return slot.number;
}

std::int32_t Words::add(std::string_view text) {
  append_text(text, bytes_, ends_);
  const auto words = ends_.size() - 1;
  if (2 * words > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number >= 0) slot_of(slot.key, word(slot.number)) = slot;
    }
  }
  const Key key = key_of(text);
  slot_of(key, text) = {key, static_cast<std::int32_t>(words) - 1};
  return static_cast<std::int32_t>(words) - 1;
}

void Words::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  bytes_.clear();
  ends_.resize(1);
  last_ = {};
}

std::shared_ptr<arrow::ArrayData> Words::array() const {
  const auto words = static_cast<std::int64_t>(ends_.size()) - 1;
  return arrow::ArrayData::Make(arrow::utf8(), words, {nullptr, buffer_of(ends_), buffer_of(bytes_)}, 0);
}

Column::Column(const Field& field, bool distinct)
    : kind_(field.type.kind),
      narrow_(kind_ == TypeKind::kInt || kind_ == TypeKind::kDate),
      plain_(kind_ == TypeKind::kString && distinct),
      type_(arrow_type(field.type, plain_)),
      words_(kind_ == TypeKind::kString && !distinct ? std::make_unique<Words>() : nullptr) {}

void Column::text(std::string_view value) {
  std::int32_t word = plain_ ? -1 : words_->find(value);
  if (word < 0) {
    if (!is_utf8(value)) return text(valid_text(value));  // which may be known, as what it is replaced by
    plain_ ? append_text(value, bytes_, ends_) : void(word = words_->add(value));
  }
  if (!plain_) ints_.push_back(word);
  valid();
}

void Column::null() {
  if (nulls_++ == 0) {
    // All so far are none; the bits of the last byte that are beyond them stay zero.
    validity_.assign(static_cast<std::size_t>(size_) / 8, 0xff);
    if (size_ % 8 != 0) validity_.push_back(static_cast<std::uint8_t>((1 << size_ % 8) - 1));
  }
  set_bit(validity_, false);
  switch (kind_) {
    case TypeKind::kBoolean: set_bit(bits_, false); break;
    case TypeKind::kDecimal: decimals_.push_back(0); break;
    case TypeKind::kString: plain_ ? ends_.push_back(ends_.back()) : ints_.push_back(0); break;
    default: narrow_ ? ints_.push_back(0) : longs_.push_back(0);
  }
  ++size_;
}

std::shared_ptr<arrow::Array> Column::array() const {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers{nulls_ > 0 ? buffer_of(validity_) : nullptr};
  switch (kind_) {
    case TypeKind::kBoolean: buffers.push_back(buffer_of(bits_)); break;
    case TypeKind::kDecimal: buffers.push_back(buffer_of(decimals_)); break;
    case TypeKind::kString:
      buffers.push_back(plain_ ? buffer_of(ends_) : buffer_of(ints_));
      if (plain_) buffers.push_back(buffer_of(bytes_));
      break;
    default: buffers.push_back(narrow_ ? buffer_of(ints_) : buffer_of(longs_));
  }
  auto data = arrow::ArrayData::Make(type_, size_, std::move(buffers), nulls_);
  if (words_ != nullptr) data->dictionary = words_->array();
  return arrow::MakeArray(data);
}

void Column::clear() {
  size_ = nulls_ = 0;
  validity_.clear(), ints_.clear(), longs_.clear(), decimals_.clear(), bits_.clear(), bytes_.clear();
  ends_.resize(1);
  if (words_ != nullptr) words_->clear();
}

}  // namespace halocline::iceberg
