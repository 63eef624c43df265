#include "history/iceberg/manifest_list.h"

#include <limits>

#include "history/iceberg/avro_rows.h"

namespace halocline::iceberg {
namespace {

std::string list_schema(int format_version) {
  Json summary = avro_record("r508", Json::array({avro_field(509, "contains_null", "boolean"),
                                                  avro_optional_field(518, "contains_nan", "boolean"),
                                                  avro_optional_field(510, "lower_bound", "bytes"),
                                                  avro_optional_field(511, "upper_bound", "bytes")}));
  Json fields = Json::array({avro_field(500, "manifest_path", "string"), avro_field(501, "manifest_length", "long"),
                             avro_field(502, "partition_spec_id", "int"), avro_field(517, "content", "int"),
                             avro_field(515, "sequence_number", "long"), avro_field(516, "min_sequence_number", "long"),
                             avro_field(503, "added_snapshot_id", "long"), avro_field(504, "added_files_count", "int"),
                             avro_field(505, "existing_files_count", "int"), avro_field(506, "deleted_files_count", "int"),
                             avro_field(512, "added_rows_count", "long"), avro_field(513, "existing_rows_count", "long"),
                             avro_field(514, "deleted_rows_count", "long"),
                             avro_optional_field(507, "partitions", avro_list(508, summary)),
                             avro_optional_field(519, "key_metadata", "bytes")});
  if (format_version >= 3) fields.push_back(avro_optional_field(520, "first_row_id", "long"));
  return json_text(avro_record("manifest_file", fields));
}

}  // namespace

std::string manifest_list_bytes(std::span<const ManifestFile> manifests, const Snapshot& snapshot, int format_version) {
  std::map<std::string, std::string> metadata = {{"snapshot-id", std::to_string(snapshot.snapshot_id)},
                                                 {"sequence-number", std::to_string(snapshot.sequence_number)},
                                                 {"format-version", std::to_string(format_version)}};
  if (snapshot.parent_snapshot_id.has_value()) metadata["parent-snapshot-id"] = std::to_string(*snapshot.parent_snapshot_id);
  if (snapshot.first_row_id.has_value()) metadata["first-row-id"] = std::to_string(*snapshot.first_row_id);
  avro::ContainerWriter writer(list_schema(format_version), metadata);
  for (const ManifestFile& manifest : manifests) {
    std::vector<avro::Value> partitions;
    for (const FieldSummary& summary : manifest.partitions) {
      partitions.emplace_back(std::vector<avro::Value>{summary.contains_null, optional_value(summary.contains_nan),
                                                       optional_value(summary.lower), optional_value(summary.upper)});
    }
    std::vector<avro::Value> row{manifest.path, manifest.length, manifest.spec_id, manifest.deletes ? 1 : 0, manifest.sequence_number,
                                 manifest.min_sequence_number, manifest.added_snapshot_id, manifest.added_files,
                                 manifest.existing_files, manifest.deleted_files, manifest.added_rows, manifest.existing_rows,
                                 manifest.deleted_rows, partitions, optional_value(manifest.key_metadata)};
    if (format_version >= 3) row.push_back(optional_value(manifest.first_row_id));
    writer.append(row);
  }
  return writer.finish();
}

Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes) {
  Result<avro::Container> container = avro::read_container(bytes);
  if (!container.ok()) return container.status();
  std::vector<ManifestFile> manifests;
  Status first;
  for (const avro::Value& row : container.value().rows) {
    RowReader in(*container.value().schema, row, first);
    ManifestFile& manifest = manifests.emplace_back();
    manifest.path = in.text(500);
    manifest.length = in.number(501);
    const std::int64_t spec = in.number(502);
    if (spec < 0 || spec > std::numeric_limits<std::int32_t>::max()) in.fail(502);
    manifest.spec_id = static_cast<std::int32_t>(spec);
    manifest.deletes = in.maybe_number(517).value_or(0) == 1;
    manifest.sequence_number = in.maybe_number(515).value_or(0);
    manifest.min_sequence_number = in.maybe_number(516).value_or(0);
    manifest.added_snapshot_id = in.number(503);
    manifest.added_files = in.maybe_number(504).value_or(0);
    manifest.existing_files = in.maybe_number(505).value_or(0);
    manifest.deleted_files = in.maybe_number(506).value_or(0);
    manifest.added_rows = in.maybe_number(512).value_or(0);
    manifest.existing_rows = in.maybe_number(513).value_or(0);
    manifest.deleted_rows = in.maybe_number(514).value_or(0);
    manifest.key_metadata = in.maybe_text(519);
    manifest.first_row_id = in.maybe_number(520);
    const avro::Value* partitions = in.find(507);
    if (partitions == nullptr || !first.ok()) continue;
    const avro::Schema* list = in.schema_of(507);
    if (list->kind == avro::Kind::kUnion) list = list->parts.back().get();
    if (list->kind != avro::Kind::kArray) in.fail(507);
    if (!first.ok()) continue;
    for (const avro::Value& item : *partitions->list()) {
      RowReader summary(*list->parts[0], item, first);
      manifest.partitions.push_back({summary.maybe_flag(509).value_or(false), summary.maybe_flag(518), summary.maybe_text(510),
                                     summary.maybe_text(511)});
    }
  }
  if (!first.ok()) return first;
  return manifests;
}

}  // namespace halocline::iceberg
