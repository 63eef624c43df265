#include "history/parquet/parquet_scan.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

namespace halocline::iceberg {
namespace {

constexpr std::int64_t kRowsAtOnce = 4'096;

Status broken(const std::string& why) { return Status(Code::kDataLoss, "broken Parquet file: " + why); }

// Whether values of a column of the file are read as those of the type.
bool readable(const arrow::DataType& stored, const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return stored.id() == arrow::Type::BOOL;
    case TypeKind::kInt: return stored.id() == arrow::Type::INT32;
    case TypeKind::kLong: return stored.id() == arrow::Type::INT64 || stored.id() == arrow::Type::INT32;  // "Schema Evolution": promoted
    case TypeKind::kDate: return stored.id() == arrow::Type::DATE32;
    case TypeKind::kTimestamptz:
      return stored.id() == arrow::Type::TIMESTAMP && static_cast<const arrow::TimestampType&>(stored).unit() == arrow::TimeUnit::MICRO;
    case TypeKind::kString: return stored.id() == arrow::Type::STRING || stored.id() == arrow::Type::LARGE_STRING;
    case TypeKind::kDecimal:
      return stored.id() == arrow::Type::DECIMAL128 && static_cast<const arrow::Decimal128Type&>(stored).scale() == type.scale;
    default: return false;
  }
}

std::int64_t number_at(const arrow::Array& array, std::int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT32: return static_cast<const arrow::Int32Array&>(array).Value(row);
    case arrow::Type::DATE32: return static_cast<const arrow::Date32Array&>(array).Value(row);
    case arrow::Type::TIMESTAMP: return static_cast<const arrow::TimestampArray&>(array).Value(row);
    default: return static_cast<const arrow::Int64Array&>(array).Value(row);
  }
}

Int128 decimal_at(const arrow::Array& array, std::int64_t row) {
  const arrow::Decimal128 value(static_cast<const arrow::Decimal128Array&>(array).GetValue(row));
  return static_cast<Int128>(static_cast<UInt128>(static_cast<std::uint64_t>(value.high_bits())) << 64 | value.low_bits());
}

}  // namespace

class ParquetScan::Reader {
 public:
  Reader(std::string bytes, const Schema& schema) : bytes_(std::move(bytes)), schema_(schema) {}

  Status open() {
    auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(
        reinterpret_cast<const std::uint8_t*>(bytes_.data()), static_cast<std::int64_t>(bytes_.size())));
    parquet::arrow::FileReaderBuilder builder;
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(kRowsAtOnce);
    parquet::ReaderProperties checking;
    checking.set_page_checksum_verification(true);  // of pages that have one
    if (auto opened = builder.Open(source, checking); !opened.ok()) return broken(opened.ToString());
    auto built = builder.properties(properties)->Build();
    if (!built.ok()) return broken(built.status().ToString());
    reader_ = std::move(*built);
    return choose_columns();
  }

  Result<bool> next() {
    ++position_;
    if (batch_ != nullptr && ++row_ < batch_->num_rows()) return true;
    do {
      if (auto read = batches_->ReadNext(&batch_); !read.ok()) return broken(read.ToString());
      if (batch_ == nullptr) return false;
    } while (batch_->num_rows() == 0);
    row_ = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      arrays_[i] = columns_[i] < 0 ? nullptr : batch_->column(columns_[i]).get();
      const Field& field = schema_.fields[i];
      if (arrays_[i] == nullptr) continue;
      if (!readable(*arrays_[i]->type(), field.type)) {
        return Status(Code::kUnsupported, "a Parquet file has " + field.name + " as " + arrays_[i]->type()->ToString());
      }
      if (field.required && arrays_[i]->null_count() != 0) return broken("nulls in " + field.name + ", which has none");
    }
    return true;
  }

  std::int64_t position() const { return position_; }

  std::optional<std::int64_t> number(std::size_t column) const {
    const arrow::Array* array = arrays_[column];
    if (array == nullptr || array->IsNull(row_)) return std::nullopt;
    return number_at(*array, row_);
  }

  std::optional<std::string> text(std::size_t column) const {
    const arrow::Array* array = arrays_[column];
    if (array == nullptr || array->IsNull(row_)) return std::nullopt;
    switch (array->type_id()) {
      case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(*array).Value(row_) ? "true" : "false";
      case arrow::Type::STRING: return std::string(static_cast<const arrow::StringArray&>(*array).GetView(row_));
      case arrow::Type::LARGE_STRING: return std::string(static_cast<const arrow::LargeStringArray&>(*array).GetView(row_));
      case arrow::Type::DECIMAL128:
        return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(*array).GetValue(row_)).ToIntegerString();
      default: return std::to_string(number_at(*array, row_));
    }
  }

  void copy(ParquetRows& to, std::size_t columns) const {
    for (std::size_t i = 0; i < columns; ++i) {
      const arrow::Array* array = arrays_[i];
      if (array == nullptr || array->IsNull(row_)) {
        to.null(i);
        continue;
      }
      switch (array->type_id()) {
        case arrow::Type::BOOL: to.flag(i, static_cast<const arrow::BooleanArray&>(*array).Value(row_)); break;
        case arrow::Type::STRING: to.text(i, static_cast<const arrow::StringArray&>(*array).GetView(row_)); break;
        case arrow::Type::LARGE_STRING: to.text(i, static_cast<const arrow::LargeStringArray&>(*array).GetView(row_)); break;
        case arrow::Type::DECIMAL128: to.decimal(i, decimal_at(*array, row_)); break;
        default: to.number(i, number_at(*array, row_)); break;
      }
    }
  }

 private:
  Status choose_columns() {
    const parquet::SchemaDescriptor& stored = *reader_->parquet_reader()->metadata()->schema();
    std::vector<int> wanted;
    for (const Field& field : schema_.fields) {
      int place = -1;
      for (int column = 0; column < stored.num_columns(); ++column) {
        if (stored.Column(column)->schema_node()->field_id() == field.id) place = column;
      }
      if (place < 0 && field.required) return broken("there is no " + field.name + ", field " + std::to_string(field.id));
      columns_.push_back(place < 0 ? -1 : static_cast<int>(wanted.size()));
      if (place >= 0) wanted.push_back(place);
    }
    // What is read comes in the order of the file.
    std::vector<int> ordered = wanted;
    std::sort(ordered.begin(), ordered.end());
    for (int& column : columns_) {
      if (column < 0) continue;
      const auto at = std::lower_bound(ordered.begin(), ordered.end(), wanted[static_cast<std::size_t>(column)]);
      column = static_cast<int>(at - ordered.begin());
    }
    std::vector<int> groups;
    for (int group = 0; group < reader_->num_row_groups(); ++group) groups.push_back(group);
    auto batches = reader_->GetRecordBatchReader(groups, ordered);
    if (!batches.ok()) return broken(batches.status().ToString());
    batches_ = std::move(*batches);
    arrays_.resize(columns_.size());
    return ok_status();
  }

  const std::string bytes_;
  const Schema schema_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<int> columns_;                  // of the batches, by place in the schema; -1: the file has none
  std::vector<const arrow::Array*> arrays_;   // of the batch, likewise
  std::int64_t row_ = 0;                      // in the batch
  std::int64_t position_ = -1;
};

ParquetScan::ParquetScan(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
ParquetScan::~ParquetScan() = default;
ParquetScan::ParquetScan(ParquetScan&&) noexcept = default;
ParquetScan& ParquetScan::operator=(ParquetScan&&) noexcept = default;

Result<ParquetScan> ParquetScan::open(std::string bytes, const Schema& schema) {
  try {
    auto reader = std::make_unique<Reader>(std::move(bytes), schema);
    if (Status status = reader->open(); !status.ok()) return status;
    return ParquetScan(std::move(reader));
  } catch (const std::exception& error) {
    return broken(error.what());
  }
}

Result<bool> ParquetScan::next() {
  try {
    return reader_->next();
  } catch (const std::exception& error) {
    return broken(error.what());
  }
}

std::int64_t ParquetScan::position() const { return reader_->position(); }
std::optional<std::int64_t> ParquetScan::number(std::size_t column) const { return reader_->number(column); }
std::optional<std::string> ParquetScan::text(std::size_t column) const { return reader_->text(column); }
void ParquetScan::copy(ParquetRows& to, std::size_t columns) const { reader_->copy(to, columns); }

}  // namespace halocline::iceberg
