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

std::int32_t Words::number_of(std::string_view text) {
  if (last_ >= 0 && word(last_) == text) return last_;
  if (const auto known = numbers_.find(text); known != numbers_.end()) return last_ = *known;
  append_text(text, bytes_, ends_);
  last_ = static_cast<std::int32_t>(ends_.size()) - 2;
  numbers_.insert(last_);
  return last_;
}

void Words::clear() {
  numbers_.clear();
  bytes_.clear();
  ends_.resize(1);
  last_ = -1;
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
  if (!is_utf8(value)) return text(valid_text(value));
  plain_ ? append_text(value, bytes_, ends_) : ints_.push_back(words_->number_of(value));
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
