#include "history/parquet/position_deletes.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "history/parquet/parquet_columns.h"

namespace halocline::iceberg {
namespace {

constexpr std::int32_t kFilePathId = 2'147'483'546, kPositionId = 2'147'483'545;  // "Reserved Field IDs"

}  // namespace

Result<ParquetFile> position_delete_file(std::vector<DeletedRow> rows) {
  CHECK(!rows.empty());
  std::sort(rows.begin(), rows.end());
  Schema schema;
  schema.fields = {required(kFilePathId, "file_path", primitive(TypeKind::kString)),
                   required(kPositionId, "pos", primitive(TypeKind::kLong))};
  // Readers prune by the bounds of the path, which are useless when cut short.
  ParquetRows writer(schema, {.distinct = {}, .row_group_rows = 1 << 20, .bound_whole_texts = true});
  for (const DeletedRow& row : rows) {
    writer.text(0, row.file);
    writer.number(1, row.position);
    if (Status status = writer.end_row(); !status.ok()) return status;
  }
  Result<ParquetFile> file = writer.finish();
  if (!file.ok()) return file;
  file.value().file.content = FileContent::kPositionDeletes;
  if (rows.front().file == rows.back().file) file.value().file.referenced_data_file = rows.front().file;
  return file;
}

Result<std::vector<DeletedRow>> read_position_deletes(std::string_view bytes) {
  Result<std::vector<std::string>> files = read_texts(bytes, kFilePathId);
  if (!files.ok()) return files.status();
  Result<std::vector<std::int64_t>> positions = read_numbers(bytes, kPositionId);
  if (!positions.ok()) return positions.status();
  std::vector<DeletedRow> rows;
  for (std::size_t i = 0; i < files.value().size(); ++i) rows.push_back({std::move(files.value()[i]), positions.value()[i]});
  return rows;
}

}  // namespace halocline::iceberg
