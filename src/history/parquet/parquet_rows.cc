#include "history/parquet/parquet_rows.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "base/background_thread.h"
#include "base/check.h"
#include "history/iceberg/single_value.h"
#include "history/parquet/column.h"

namespace halocline::iceberg {
namespace {

constexpr char kFieldIdKey[] = "PARQUET:field_id";
constexpr std::int64_t kBytesPerRowGuess = 48;
// DuckDB's iceberg extension (1.4.4) misreads the bounds of decimals with more digits and leaves out files that have rows. Bounds are
// optional; the row groups' own statistics, which it reads right, are still there.
constexpr std::int32_t kBoundedDecimalDigits = 18;

Status internal(const arrow::Status& status) { return Status(Code::kInternal, "Arrow: " + status.ToString()); }

// An unscaled decimal of at most 18 digits as Parquet has it: an integer, little-endian.
Int128 plain_decimal(std::string bytes) {
  std::reverse(bytes.begin(), bytes.end());
  Int128 value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? -1 : 0;
  for (const char byte : bytes) value = static_cast<Int128>(static_cast<UInt128>(value) << 8 | static_cast<unsigned char>(byte));
  return value;
}

struct Bounds {
  std::optional<std::string> lower, upper;  // as the file has them, plain
};

// The order of a column's values, over the row groups of a file.
bool plain_before(const std::string& a, const std::string& b, const Type& type) {
  if (type.kind == TypeKind::kString) return a < b;
  if (type.kind == TypeKind::kDecimal) return plain_decimal(a) < plain_decimal(b);
  const auto number = [](const std::string& bytes) {  // little-endian: boolean, int32, int64
    std::int64_t value = (bytes.back() & 0x80) != 0 && bytes.size() > 1 ? -1 : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8 | static_cast<unsigned char>(bytes[i]));
    }
    return value;
  };
  return number(a) < number(b);
}

}  // namespace

class ParquetRows::Writer {
 public:
  Writer(const Schema& schema, ParquetOptions options) : schema_(schema), options_(std::move(options)) {
    arrow::FieldVector fields;
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)->compression_level(1)->enable_store_decimal_as_integer();
    properties.enable_page_checksum()->enable_write_page_index()->max_row_group_length(options_.row_group_rows);
    columns_.reserve(schema_.fields.size()), full_.reserve(schema_.fields.size());
    for (const Field& field : schema_.fields) {
      const bool distinct = options_.distinct.contains(field.name);
      if (distinct) properties.disable_dictionary(field.name);
      columns_.emplace_back(field, distinct), full_.emplace_back(field, distinct);
      fields.push_back(arrow::field(field.name, columns_.back().type(), !field.required,
                                    arrow::key_value_metadata({kFieldIdKey}, {std::to_string(field.id)})));
    }
    arrow_schema_ = arrow::schema(std::move(fields));
    properties_ = properties.build();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    if (encoder_.joinable()) encoder_.join();
  }

  Column& column(std::size_t place) { return columns_[place]; }
  bool required(std::size_t place) const { return schema_.fields[place].required; }

  Status end_row() {
    ++pending_;
    ++rows_;
    if (pending_ < options_.row_group_rows) return first_;
    finish_encoding();
    if (Status status = open(); !status.ok()) return status;
    columns_.swap(full_);
    full_rows_ = std::exchange(pending_, 0);
    if (!options_.encoded_aside || !has_processor_for_another()) {
      keep(encode(full_, std::exchange(full_rows_, 0)));
      return first_;
    }
    encoder_ = std::thread([this] { encoded_ = encode(full_, full_rows_); });
    return first_;
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t bytes() const {
    const std::int64_t encoded = sink_ == nullptr || encoder_.joinable() ? known_bytes_ : sink_->Tell().ValueOr(0);
    return encoded + (pending_ + full_rows_) * kBytesPerRowGuess;
  }

  Result<ParquetFile> finish() {
    finish_encoding();
    if (Status status = open(); !status.ok()) return status;
    if (pending_ > 0) keep(encode(columns_, std::exchange(pending_, 0)));
    if (!first_.ok()) return first_;
    keep(writer_->Close());
    auto buffer = sink_->Finish();
    if (!buffer.ok()) return internal(buffer.status());
    if (!first_.ok()) return first_;
    Result<DataFile> file = describe(*writer_->metadata());
    if (!file.ok()) return file.status();
    ParquetFile done{(*buffer)->ToString(), file.take()};
    done.file.file_size = static_cast<std::int64_t>(done.bytes.size());
    writer_.reset();
    sink_.reset();
    rows_ = known_bytes_ = 0;
    return done;
  }

  void keep(const arrow::Status& status) {
    if (!status.ok() && first_.ok()) first_ = internal(status);
  }

 private:
  Status open() {
    if (writer_ != nullptr) return first_;
    auto sink = arrow::io::BufferOutputStream::Create();
    if (!sink.ok()) return internal(sink.status());
    sink_ = *sink;
    auto opened = parquet::arrow::FileWriter::Open(*arrow_schema_, arrow::default_memory_pool(), sink_, properties_);
    if (!opened.ok()) return internal(opened.status());
    writer_ = std::move(*opened);
    return first_;
  }

  // The columns become a row group, and are empty then. One thread at a time.
  arrow::Status encode(std::vector<Column>& columns, std::int64_t rows) try {
    ARROW_RETURN_NOT_OK(writer_->NewRowGroup());
    for (Column& column : columns) {
      CHECK(column.size() == rows, "a column has %lld values for %lld rows", static_cast<long long>(column.size()),
            static_cast<long long>(rows));
      ARROW_RETURN_NOT_OK(writer_->WriteColumnChunk(*column.array()));
      column.clear();
      breathe();
    }
    return arrow::Status::OK();
  } catch (const std::exception& error) {
    return arrow::Status::UnknownError(error.what());
  }

  void finish_encoding() {
    if (!encoder_.joinable()) return;
    encoder_.join();
    keep(encoded_);
    full_rows_ = 0;
    known_bytes_ = sink_->Tell().ValueOr(0);
  }

  Result<DataFile> describe(const parquet::FileMetaData& metadata) const {
    DataFile file;
    file.record_count = metadata.num_rows();
    std::vector<Bounds> bounds(schema_.fields.size());
    for (int group = 0; group < metadata.num_row_groups(); ++group) {
      const auto row_group = metadata.RowGroup(group);
      for (int column = 0; column < row_group->num_columns(); ++column) {
        const Field& field = schema_.fields[static_cast<std::size_t>(column)];
        const auto chunk = row_group->ColumnChunk(column);
        if (column == 0) {
          const bool dictionary = chunk->has_dictionary_page() && chunk->dictionary_page_offset() > 0;
          file.split_offsets.push_back(dictionary ? std::min(chunk->dictionary_page_offset(), chunk->data_page_offset())
                                                  : chunk->data_page_offset());
        }
        file.column_sizes[field.id] += chunk->total_compressed_size();
        file.value_counts[field.id] += chunk->num_values();
        const auto statistics = chunk->statistics();
        if (statistics == nullptr || !statistics->HasNullCount())
          return Status(Code::kInternal, "Parquet gave no statistics of " + field.name);
        file.null_value_counts[field.id] += statistics->null_count();
        if (!statistics->HasMinMax()) continue;
        if (field.type.kind == TypeKind::kDecimal && field.type.precision > kBoundedDecimalDigits) continue;
        Bounds& all = bounds[static_cast<std::size_t>(column)];
        std::string lower = statistics->EncodeMin(), upper = statistics->EncodeMax();
        if (!all.lower.has_value() || plain_before(lower, *all.lower, field.type)) all.lower = std::move(lower);
        if (!all.upper.has_value() || plain_before(*all.upper, upper, field.type)) all.upper = std::move(upper);
      }
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      if (!bounds[i].lower.has_value()) continue;
      const Field& field = schema_.fields[i];
      file.lower_bounds[field.id] = bound(*bounds[i].lower, field.type, false).value();
      if (auto upper = bound(*bounds[i].upper, field.type, true)) file.upper_bounds[field.id] = *upper;
    }
    return file;
  }

  // From Parquet's plain bytes to Iceberg's, which are the same but for decimals and long texts.
  std::optional<std::string> bound(const std::string& plain, const Type& type, bool upper) const {
    if (type.kind == TypeKind::kDecimal) return decimal_bytes(plain_decimal(plain));
    if (type.kind != TypeKind::kString || options_.bound_whole_texts) return plain;
    return upper ? upper_text_bound(plain) : lower_text_bound(plain);
  }

  const Schema schema_;
  const ParquetOptions options_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::shared_ptr<parquet::WriterProperties> properties_;
  std::vector<Column> columns_;  // rows that come
  std::vector<Column> full_;     // those of the row group that is encoded
  std::shared_ptr<arrow::io::BufferOutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t pending_ = 0, full_rows_ = 0, rows_ = 0;  // in columns_; in full_; in the file
  std::int64_t known_bytes_ = 0;                         // of the file before full_
  Status first_;
  std::thread encoder_;    // of full_; joined before anything else of the file is touched
  arrow::Status encoded_;  // what it came to
};

ParquetRows::ParquetRows(const Schema& schema, ParquetOptions options)
    : writer_(std::make_unique<Writer>(schema, std::move(options))) {}
ParquetRows::~ParquetRows() = default;
ParquetRows::ParquetRows(ParquetRows&&) noexcept = default;
ParquetRows& ParquetRows::operator=(ParquetRows&&) noexcept = default;

void ParquetRows::number(std::size_t column, std::int64_t value) { writer_->column(column).number(value); }
void ParquetRows::text(std::size_t column, std::string_view value) { writer_->column(column).text(value); }
void ParquetRows::decimal(std::size_t column, Int128 unscaled) { writer_->column(column).decimal(unscaled); }
void ParquetRows::flag(std::size_t column, bool value) { writer_->column(column).flag(value); }
void ParquetRows::null(std::size_t column) {
  CHECK(!writer_->required(column), "column %zu is required", column);
  writer_->column(column).null();
}
std::int64_t ParquetRows::rows() const { return writer_->rows(); }
std::int64_t ParquetRows::bytes() const { return writer_->bytes(); }

Status ParquetRows::end_row() {
  try {
    return writer_->end_row();
  } catch (const std::exception& error) {
    return Status(Code::kInternal, std::string("Parquet: ") + error.what());
  }
}

Result<ParquetFile> ParquetRows::finish() {
  try {
    return writer_->finish();
  } catch (const std::exception& error) {
    return Status(Code::kInternal, std::string("Parquet: ") + error.what());
  }
}

}  // namespace halocline::iceberg
