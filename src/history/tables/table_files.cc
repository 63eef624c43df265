#include "history/tables/table_files.h"

#include <cstdio>
#include <utility>

#include "history/iceberg/table_change.h"

namespace halocline {

using namespace iceberg;

std::string new_data_location(const TableMetadata& table, const TableDefinition& definition, const DataFile& file, Seq seq) {
  std::string folder = data_folder(table);
  if (definition.day_of != 0) {
    folder += "/" + definition.spec().fields[0].name + "=" + day_text(static_cast<std::int32_t>(*file.partition[0].number()));
  }
  char number[32];
  std::snprintf(number, sizeof number, "%020llu", static_cast<unsigned long long>(seq));
  return folder + "/" + number + "-" + random_uuid() + ".parquet";
}

Result<DataFile> write_position_deletes(Warehouse& warehouse, const TableMetadata& table, std::vector<DeletedRow> rows,
                                        std::vector<std::string>& written) {
  Result<ParquetFile> deletes = position_delete_file(std::move(rows));
  if (!deletes.ok()) return deletes.status();
  ParquetFile& file = deletes.value();
  file.file.path = data_folder(table) + "/" + random_uuid() + "-deletes.parquet";
  written.push_back(file.file.path);
  if (Status status = warehouse.write(file.file.path, file.bytes); !status.ok()) return status;
  return std::move(file.file);
}

Result<std::vector<DataFile>> write_deletion_vectors(Warehouse& warehouse, const TableMetadata& table,
                                                     std::span<const DeletionVector> vectors, std::vector<std::string>& written) {
  DeletionVectorFile made = deletion_vector_file(vectors);
  const std::string location = data_folder(table) + "/" + random_uuid() + "-deletes.puffin";
  for (DataFile& file : made.files) file.path = location;
  written.push_back(location);
  if (Status status = warehouse.write(location, made.bytes); !status.ok()) return status;
  return std::move(made.files);
}

}  // namespace halocline
