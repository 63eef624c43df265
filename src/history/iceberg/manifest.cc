#include "history/iceberg/manifest.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "base/check.h"
#include "history/iceberg/avro_rows.h"
#include "history/iceberg/schema_json.h"
#include "history/iceberg/single_value.h"

namespace halocline::iceberg {
namespace {

std::string entry_schema(const ManifestLayout& layout) {
  Json partition = Json::array();
  const std::vector<Type> types = partition_types(*layout.spec, *layout.schema);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const PartitionField& field = layout.spec->fields[i];
    partition.push_back(avro_optional_field(field.field_id, avro_name(field.name).c_str(), avro_type(types[i])));
  }
  Json file = Json::array({avro_field(134, "content", "int"), avro_field(100, "file_path", "string"),
                           avro_field(101, "file_format", "string"), avro_field(102, "partition", avro_record("r102", partition)),
                           avro_field(103, "record_count", "long"), avro_field(104, "file_size_in_bytes", "long"),
                           avro_optional_field(108, "column_sizes", avro_number_map(117, 118, "long")),
                           avro_optional_field(109, "value_counts", avro_number_map(119, 120, "long")),
                           avro_optional_field(110, "null_value_counts", avro_number_map(121, 122, "long")),
                           avro_optional_field(137, "nan_value_counts", avro_number_map(138, 139, "long")),
                           avro_optional_field(125, "lower_bounds", avro_number_map(126, 127, "bytes")),
                           avro_optional_field(128, "upper_bounds", avro_number_map(129, 130, "bytes")),
                           avro_optional_field(131, "key_metadata", "bytes"),
                           avro_optional_field(132, "split_offsets", avro_list(133, "long")),
                           avro_optional_field(135, "equality_ids", avro_list(136, "int")),
                           avro_optional_field(140, "sort_order_id", "int"),
                           avro_optional_field(143, "referenced_data_file", "string")});
  if (layout.format_version >= 3) {
    file.push_back(avro_optional_field(142, "first_row_id", "long"));
    file.push_back(avro_optional_field(144, "content_offset", "long"));
    file.push_back(avro_optional_field(145, "content_size_in_bytes", "long"));
  }
  return json_text(avro_record("manifest_entry", Json::array({avro_field(0, "status", "int"),
                                                              avro_optional_field(1, "snapshot_id", "long"),
                                                              avro_optional_field(3, "sequence_number", "long"),
                                                              avro_optional_field(4, "file_sequence_number", "long"),
                                                              avro_field(2, "data_file", avro_record("r2", file))})));
}

avro::Value file_value(const DataFile& file, int format_version) {
  std::vector<avro::Value> row{static_cast<std::int32_t>(file.content), file.path, file.format, file.partition, file.record_count,
                               file.file_size, counts_value(file.column_sizes), counts_value(file.value_counts),
                               counts_value(file.null_value_counts), counts_value(file.nan_value_counts),
                               bounds_value(file.lower_bounds), bounds_value(file.upper_bounds), optional_value(file.key_metadata),
                               numbers_value(file.split_offsets), numbers_value(file.equality_ids), optional_value(file.sort_order_id),
                               optional_value(file.referenced_data_file)};
  if (format_version >= 3) {
    for (const auto& number : {file.first_row_id, file.content_offset, file.content_size}) row.push_back(optional_value(number));
  }
  return row;
}

DataFile read_file(RowReader in) {
  DataFile file;
  const std::int64_t content = in.maybe_number(134).value_or(0);
  if (content < 0 || content > 2) in.fail(134);
  file.content = static_cast<FileContent>(content);
  file.path = in.text(100);
  file.format = in.text(101);
  for (char& letter : file.format) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));  // either is written
  const avro::Value* partition = in.find(102);
  if (partition != nullptr && partition->list() != nullptr) file.partition = *partition->list();
  else in.fail(102);
  file.record_count = in.number(103);
  file.file_size = in.number(104);
  file.column_sizes = in.counts(108);
  file.value_counts = in.counts(109);
  file.null_value_counts = in.counts(110);
  file.nan_value_counts = in.counts(137);
  file.lower_bounds = in.bounds(125);
  file.upper_bounds = in.bounds(128);
  file.key_metadata = in.maybe_text(131);
  file.split_offsets = in.numbers(132);
  file.equality_ids = in.numbers(135);
  file.sort_order_id = in.maybe_number(140);
  file.first_row_id = in.maybe_number(142);
  file.referenced_data_file = in.maybe_text(143);
  file.content_offset = in.maybe_number(144);
  file.content_size = in.maybe_number(145);
  return file;
}

}  // namespace

std::vector<Type> partition_types(const PartitionSpec& spec, const Schema& schema) {
  std::vector<Type> types;
  for (const PartitionField& field : spec.fields) {
    const Field* source = schema.find(field.source_id);
    CHECK(source != nullptr, "partition field %s has no source", field.name.c_str());
    types.push_back(field.transform.result(source->type));
  }
  return types;
}

std::string manifest_bytes(std::span<const ManifestEntry> entries, const ManifestLayout& layout) {
  avro::ContainerWriter writer(entry_schema(layout), {{"schema", json_text(to_json(*layout.schema))},
                                                      {"schema-id", std::to_string(layout.schema->schema_id)},
                                                      {"partition-spec", json_text(to_json(*layout.spec)["fields"])},
                                                      {"partition-spec-id", std::to_string(layout.spec->spec_id)},
                                                      {"format-version", std::to_string(layout.format_version)},
                                                      {"content", layout.deletes ? "deletes" : "data"}});
  for (const ManifestEntry& entry : entries) {
    writer.append(std::vector<avro::Value>{static_cast<std::int32_t>(entry.status), optional_value(entry.snapshot_id),
                                           optional_value(entry.sequence_number), optional_value(entry.file_sequence_number),
                                           file_value(entry.file, layout.format_version)});
  }
  return writer.finish();
}

ManifestFile describe_manifest(std::span<const ManifestEntry> entries, const ManifestLayout& layout) {
  const std::vector<Type> types = partition_types(*layout.spec, *layout.schema);
  ManifestFile manifest;
  manifest.spec_id = layout.spec->spec_id;
  manifest.deletes = layout.deletes;
  manifest.partitions.resize(types.size());
  std::vector<const avro::Value*> least(types.size()), most(types.size());
  for (const ManifestEntry& entry : entries) {
    const bool added = entry.status == EntryStatus::kAdded, existing = entry.status == EntryStatus::kExisting;
    ++(added ? manifest.added_files : existing ? manifest.existing_files : manifest.deleted_files);
    (added ? manifest.added_rows : existing ? manifest.existing_rows : manifest.deleted_rows) += entry.file.record_count;
    CHECK(entry.file.partition.size() == types.size(), "a file with a partition of another spec");
    for (std::size_t i = 0; i < types.size(); ++i) {
      const avro::Value& value = entry.file.partition[i];
      manifest.partitions[i].contains_nan = false;
      if (value.null()) {
        manifest.partitions[i].contains_null = true;
        continue;
      }
      if (least[i] == nullptr || value_before(value, *least[i], types[i])) least[i] = &value;
      if (most[i] == nullptr || value_before(*most[i], value, types[i])) most[i] = &value;
    }
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (least[i] == nullptr) continue;
    manifest.partitions[i].lower = value_bytes(*least[i], types[i]);
    manifest.partitions[i].upper = value_bytes(*most[i], types[i]);
  }
  return manifest;
}

Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& manifest) {
  Result<avro::Container> container = avro::read_container(bytes);
  if (!container.ok()) return container.status();
  std::vector<ManifestEntry> entries;
  Status first;
  std::optional<std::int64_t> next_row_id = manifest.first_row_id;
  for (const avro::Value& row : container.value().rows) {
    RowReader in(*container.value().schema, row, first);
    ManifestEntry& entry = entries.emplace_back();
    const std::int64_t status = in.number(0);
    if (status < 0 || status > 2) in.fail(0);
    const avro::Value* file = in.find(2);
    if (file == nullptr) in.fail(2);
    if (!first.ok()) return first;
    entry.status = static_cast<EntryStatus>(status);
    entry.snapshot_id = in.maybe_number(1).value_or(manifest.added_snapshot_id);
    entry.sequence_number = in.maybe_number(3);
    entry.file_sequence_number = in.maybe_number(4);
    entry.file = read_file(RowReader(*in.schema_of(2), *file, first));
    if (!first.ok()) return first;
    // "Sequence Number Inheritance": only of added files; what a version 1 table had is 0.
    const bool added = entry.status == EntryStatus::kAdded;
    if (!entry.sequence_number.has_value()) entry.sequence_number = added ? manifest.sequence_number : 0;
    if (!entry.file_sequence_number.has_value()) entry.file_sequence_number = added ? manifest.sequence_number : 0;
    // "First Row ID Inheritance".
    if (next_row_id.has_value() && entry.file.content == FileContent::kData && !entry.file.first_row_id.has_value()) {
      if (entry.status != EntryStatus::kDeleted) {
        entry.file.first_row_id = next_row_id;
        *next_row_id += entry.file.record_count;
      }
    }
  }
  return entries;
}

}  // namespace halocline::iceberg
