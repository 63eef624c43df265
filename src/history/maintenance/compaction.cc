#include "history/maintenance/compaction.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/background_thread.h"
#include "history/parquet/parquet_scan.h"
#include "history/tables/live_deletes.h"
#include "history/tables/table_files.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr std::uint64_t kRowsABreath = 1'024;

// "Reserved Field IDs".
constexpr std::int32_t kRowId = 2'147'483'540, kLastUpdatedId = 2'147'483'539;

// Whether the columns are those that ParquetRows writes, without values that files do not have.
bool rewritable(const Schema& schema) {
  return std::all_of(schema.fields.begin(), schema.fields.end(), [](const Field& field) {
    switch (field.type.kind) {
      case TypeKind::kBoolean: case TypeKind::kInt: case TypeKind::kLong: case TypeKind::kDate: case TypeKind::kTimestamptz:
      case TypeKind::kString: case TypeKind::kDecimal: return !field.initial_default.has_value();
      default: return false;
    }
  });
}

// A file being read, at one of its rows that are not deleted.
struct Cursor {
  ParquetScan scan;
  const LiveFile* from;
  const std::vector<std::int64_t>* deleted;
  std::size_t next_deleted = 0;
  std::int64_t key = 0;  // value of the first column that the table is sorted by

  // False: there are no more.
  Result<bool> advance(std::size_t key_column) {
    while (true) {
      Result<bool> row = scan.next();
      if (!row.ok()) return Status(row.status().code(), from->file.path + ": " + row.status().message());
      if (!row.value()) return false;
      while (next_deleted < deleted->size() && (*deleted)[next_deleted] < scan.position()) ++next_deleted;
      if (next_deleted < deleted->size() && (*deleted)[next_deleted] == scan.position()) continue;
      key = scan.number(key_column).value_or(INT64_MIN);
      return true;
    }
  }
};

class Compaction {
 public:
  Compaction(Warehouse& warehouse, const TableDefinition& definition, const TableMetadata& table, const CompactionOptions& options)
      : warehouse_(warehouse), definition_(definition), table_(table), options_(options), schema_(table.current_schema()) {
    columns_ = schema_.fields.size();
    for (std::size_t i = 0; i < columns_; ++i) {
      if (!definition_.sorted_by.empty() && schema_.fields[i].id == definition_.sorted_by.front()) key_column_ = i;
    }
    if (!version_3()) return;
    schema_.fields.push_back(optional(kRowId, "_row_id", primitive(TypeKind::kLong)));
    schema_.fields.push_back(optional(kLastUpdatedId, "_last_updated_sequence_number", primitive(TypeKind::kLong)));
  }

  Result<std::optional<Rewrite>> run() {
    Result<std::vector<LiveFile>> live = live_files(warehouse_, table_);
    if (!live.ok()) return live.status();
    const auto of_default_spec = [&](const LiveFile& one) {
      return one.spec_id == table_.default_spec_id && one.file.partition.size() <= 1;
    };
    if (!rewritable(table_.current_schema()) || !std::all_of(live.value().begin(), live.value().end(), of_default_spec)) {
      return std::optional<Rewrite>();
    }
    Result<LiveDeletes> deleted = read_live_deletes(warehouse_, live.value());
    if (deleted.status().code() == Code::kUnsupported) return std::optional<Rewrite>();
    if (!deleted.ok()) return deleted.status();
    deleted_ = deleted.take();
    const std::vector<LiveFile> chosen = choose(live.value());
    collect_deletes(live.value(), chosen);
    if (chosen.empty() && rewrite_.removed_deletes.size() < options_.least_files) return std::optional<Rewrite>();
    Status status = rewrite_data(chosen);
    if (status.ok() && !version_3()) status = rewrite_deletes(live.value());
    if (!status.ok()) {
      discard(warehouse_, rewrite_);
      return status;
    }
    rewrite_.table = definition_.name;
    return std::optional(std::move(rewrite_));
  }

 private:
  // Of its partition, where the table has any.
  static std::int64_t day_of(const DataFile& file) {
    const std::int64_t* day = file.partition.empty() ? nullptr : file.partition.front().number();
    return day == nullptr ? INT64_MIN : *day;
  }

  bool version_3() const { return table_.format_version >= 3; }

  // Of the partition in which most files are to be made anew.
  std::vector<LiveFile> choose(const std::vector<LiveFile>& live) const {
    std::map<std::int64_t, std::vector<LiveFile>> partitions;
    std::map<std::string, std::int64_t> deleted;
    for (const auto& [file, positions] : deleted_.positions) deleted[file] = static_cast<std::int64_t>(positions.size());
    for (const LiveFile& one : live) {
      if (one.file.content == FileContent::kData && one.file.format == "PARQUET") partitions[day_of(one.file)].push_back(one);
    }
    std::vector<LiveFile> most;
    for (auto& [day, files] : partitions) {
      std::vector<LiveFile> chosen = choose_files(std::move(files), deleted, options_);
      if (chosen.size() > most.size()) most = std::move(chosen);
    }
    return most;
  }

  // Which files of deletes there are, and which of them go. Position deletes all do when anything does. From version 3 nobody may add
  // such ("Position Delete Files"): those that an upgraded table has from before go when each data file they are of is gone or has a
  // deletion vector.
  void collect_deletes(const std::vector<LiveFile>& live, const std::vector<LiveFile>& chosen) {
    for (const LiveFile& one : chosen) rewrite_.removed_data.insert(one.file.path);
    std::set<std::string> needing;  // data files
    for (const LiveFile& one : live) {
      const std::string& path = one.file.path;
      if (one.file.content != FileContent::kData) rewrite_.deletes.insert(path);
      else if (!rewrite_.removed_data.contains(path) && !deleted_.with_vector.contains(path)) needing.insert(path);
    }
    for (const auto& [path, data_files] : deleted_.of_files) {
      const bool needed = std::any_of(data_files.begin(), data_files.end(), [&](const std::string& one) { return needing.contains(one); });
      if (!version_3() || !needed) rewrite_.removed_deletes.insert(path);
    }
  }

  Status rewrite_data(const std::vector<LiveFile>& chosen) {
    if (chosen.empty()) return ok_status();
    std::vector<Cursor> cursors;
    for (const LiveFile& one : chosen) {
      Result<std::string> bytes = warehouse_.read(one.file.path, kMostFileBytes);
      if (!bytes.ok()) return bytes.status();
      Result<ParquetScan> scan = ParquetScan::open(bytes.take(), schema_);
      if (!scan.ok()) return Status(scan.status().code(), one.file.path + ": " + scan.status().message());
      Cursor cursor{scan.take(), &one, &deleted_.positions[one.file.path]};
      Result<bool> row = cursor.advance(key_column_);
      if (!row.ok()) return row.status();
      if (row.value()) cursors.push_back(std::move(cursor));
    }
    return merge(std::move(cursors), chosen.front().file);
  }

  // Always the cursor with the least key; of equal ones the first.
  Status merge(std::vector<Cursor> cursors, const DataFile& like) {
    ParquetRows rows(schema_, {.distinct = definition_.distinct, .encoded_aside = false});
    std::vector<std::size_t> heap(cursors.size());
    std::iota(heap.begin(), heap.end(), std::size_t{0});
    const auto after = [&](std::size_t a, std::size_t b) { return std::pair(cursors[a].key, a) > std::pair(cursors[b].key, b); };
    std::make_heap(heap.begin(), heap.end(), after);
    std::int64_t last_key = INT64_MIN;
    sorted_ = true;
    for (std::uint64_t row = 0; !heap.empty(); ++row) {
      if (row % kRowsABreath == 0) breathe();
      std::pop_heap(heap.begin(), heap.end(), after);
      Cursor& cursor = cursors[heap.back()];
      sorted_ = sorted_ && last_key <= cursor.key;
      last_key = cursor.key;
      if (Status status = take_row(cursor, rows); !status.ok()) return status;
      if (rows.bytes() >= options_.full_bytes) {
        if (Status status = finish(rows, like); !status.ok()) return status;
      }
      Result<bool> more = cursor.advance(key_column_);
      if (!more.ok()) return more.status();
      if (more.value()) std::push_heap(heap.begin(), heap.end(), after);
      else heap.pop_back();
    }
    return rows.rows() == 0 ? ok_status() : finish(rows, like);
  }

  Status take_row(const Cursor& cursor, ParquetRows& to) {
    cursor.scan.copy(to, columns_);
    if (version_3()) {  // "Row Lineage": a row that moves keeps its id and when it was changed
      std::optional<std::int64_t> id = cursor.scan.number(columns_);
      if (!id.has_value() && cursor.from->file.first_row_id.has_value()) id = *cursor.from->file.first_row_id + cursor.scan.position();
      if (id.has_value()) to.number(columns_, *id);
      else to.null(columns_);
      to.number(columns_ + 1, cursor.scan.number(columns_ + 1).value_or(cursor.from->sequence_number));
    }
    if (!definition_.schema.identifier_field_ids.empty()) numbers_.push_back(static_cast<std::uint64_t>(cursor.key));
    if (to.rows() == 0) first_key_ = cursor.key;
    return to.end_row();
  }

  Status finish(ParquetRows& rows, const DataFile& like) {
    Result<ParquetFile> made = rows.finish();
    if (!made.ok()) return made.status();
    DataFile& file = made.value().file;
    file.partition = like.partition;
    if (sorted_ && !definition_.sorted_by.empty()) file.sort_order_id = 1;
    file.path = new_data_location(table_, definition_, file, static_cast<Seq>(std::max<std::int64_t>(first_key_, 0)));
    if (Status status = warehouse_.write(file.path, made.value().bytes); !status.ok()) return status;
    rewrite_.data.push_back({std::move(file), std::exchange(numbers_, {})});
    return ok_status();
  }

  // Those of rows in data files that stay, in one file a partition.
  Status rewrite_deletes(const std::vector<LiveFile>& live) {
    std::map<std::int64_t, std::pair<std::vector<avro::Value>, std::vector<DeletedRow>>> kept;
    for (const LiveFile& one : live) {
      if (one.file.content != FileContent::kData || rewrite_.removed_data.contains(one.file.path)) continue;
      const std::vector<std::int64_t>& positions = deleted_.positions[one.file.path];
      if (positions.empty()) continue;
      auto& [partition, rows] = kept[day_of(one.file)];
      partition = one.file.partition;
      for (const std::int64_t position : positions) rows.push_back({one.file.path, position});
    }
    for (auto& [day, of_day] : kept) {
      std::vector<std::string> written;
      Result<DataFile> file = write_position_deletes(warehouse_, table_, std::move(of_day.second), written);
      if (!file.ok()) return file.status();
      file.value().partition = of_day.first;
      rewrite_.kept_deletes.push_back(file.take());
    }
    return ok_status();
  }

  Warehouse& warehouse_;
  const TableDefinition& definition_;
  const TableMetadata& table_;
  const CompactionOptions& options_;
  Schema schema_;              // the table's, and from version 3 its rows' lineage
  std::size_t columns_ = 0;    // of the table
  std::size_t key_column_ = 0;
  LiveDeletes deleted_;
  Rewrite rewrite_;
  std::vector<std::uint64_t> numbers_;  // of the file being written
  std::int64_t first_key_ = 0;          // … its first row's
  bool sorted_ = true;
};

}  // namespace

std::vector<LiveFile> choose_files(std::vector<LiveFile> partition, const std::map<std::string, std::int64_t>& deleted,
                                   const CompactionOptions& options) {
  struct Sized {
    std::int64_t bytes = 0;  // without what is deleted
    LiveFile file;
  };
  std::vector<Sized> small;
  for (LiveFile& one : partition) {
    const auto gone = deleted.find(one.file.path);
    const double rows = static_cast<double>(std::max<std::int64_t>(one.file.record_count, 1));
    const double left = gone == deleted.end() ? 1 : 1 - static_cast<double>(gone->second) / rows;
    if (left < 1 - options.most_deleted && one.file.file_size > options.equal_bytes) return {std::move(one)};
    const auto size = static_cast<std::int64_t>(static_cast<double>(one.file.file_size) * left);
    if (size < options.full_bytes / 4 * 3) small.push_back({size, std::move(one)});
  }
  std::sort(small.begin(), small.end(), [](const Sized& a, const Sized& b) { return a.bytes < b.bytes; });
  std::int64_t bytes = 0;
  std::size_t count = 0;
  for (; count < small.size(); ++count) {
    const std::int64_t size = small[count].bytes;
    const bool too_many = small.size() > options.most_files && count < options.least_files;
    if (size > std::max(bytes, options.equal_bytes) && !too_many) break;
    if (count > 0 && bytes + size > 2 * options.full_bytes) break;
    bytes += size;
  }
  std::vector<LiveFile> chosen;
  for (std::size_t i = 0; count >= options.least_files && i < count; ++i) chosen.push_back(std::move(small[i].file));
  return chosen;
}

Result<std::optional<Rewrite>> compact(Warehouse& warehouse, const TableDefinition& definition, const TableMetadata& table,
                                       const CompactionOptions& options) {
  return Compaction(warehouse, definition, table, options).run();
}

void discard(Warehouse& warehouse, const Rewrite& rewrite) {
  for (const Rewrite::File& file : rewrite.data) static_cast<void>(warehouse.remove(file.file.path));
  for (const DataFile& file : rewrite.kept_deletes) static_cast<void>(warehouse.remove(file.path));
}

}  // namespace halocline
