#include "history/tables/table_compare.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "history/iceberg/live_files.h"
#include "history/parquet/parquet_scan.h"
#include "history/tables/live_deletes.h"

namespace halocline {

using namespace iceberg;

namespace {

// How rows of a table are told apart: by a number, and, where there is a row a commit, by what it is of.
struct RowKey {
  std::size_t number = 0;
  const char* name = "seq";
  std::vector<std::size_t> rest = {};  // columns
  bool by_commit = false;            // the first three columns say which commit
  std::optional<std::size_t> seq = 0;  // the column that says which command a row is of; none: rows go when what they are of changes
};

RowKey key_of(const TableDefinition& definition) {
  if (definition.name == "positions") return {.rest = {3, 4, 5}, .by_commit = true};
  if (definition.name == "nodes") return {.rest = {3}, .by_commit = true};
  if (definition.name == "alerts") return {.number = 3, .name = "event"};
  if (definition.sorted_by == std::vector<std::int32_t>{1} && definition.day_of == 0) return {.name = "number", .seq = std::nullopt};
  return {};
}
constexpr std::size_t kCommitColumns = 3;

struct Row {
  std::int64_t number = 0;
  std::uint64_t rest = 0;  // a digest of it
  std::array<std::byte, 16> content{};
  std::uint32_t file = 0, position = 0;
  bool compared = true;

  friend bool operator<(const Row& a, const Row& b) { return std::pair(a.rest, a.number) < std::pair(b.rest, b.number); }
};

class Rows {
 public:
  Rows(const TableDefinition& definition, const TableContents& table, Seq from)
      : definition_(definition), key_(key_of(definition)), table_(table), from_(static_cast<std::int64_t>(from)) {}

  // All live rows, by key. A broken file is told to `broken`, and fails where there is nobody to tell.
  Status load(TableComparison* broken) {
    Result<std::vector<LiveFile>> live = live_files(table_.warehouse, table_.metadata);
    if (!live.ok()) return tell(broken, "", live.status());
    Result<LiveDeletes> deletes = read_live_deletes(table_.warehouse, live.value());
    if (!deletes.ok()) return tell(broken, "", deletes.status());
    for (const LiveFile& file : live.value()) {
      if (file.file.content != FileContent::kData) continue;
      files_.push_back(file.file.path);
      if (Status status = load(file.file, deletes.value().positions[file.file.path]); !status.ok()) {
        if (Status told = tell(broken, file.file.path, status); !told.ok()) return told;
      }
    }
    std::sort(rows_.begin(), rows_.end());
    return ok_status();
  }

  const std::vector<Row>& rows() const { return rows_; }
  std::uint64_t files() const { return files_.size(); }

  // The texts of a row's columns, read again.
  std::vector<std::optional<std::string>> texts(const Row& row) const {
    std::vector<std::optional<std::string>> texts(definition_.schema.fields.size());
    Result<std::string> bytes = table_.warehouse.read(files_[row.file], kMostFileBytes);
    if (!bytes.ok()) return texts;
    Result<ParquetScan> scan = ParquetScan::open(bytes.take(), definition_.schema);
    if (!scan.ok()) return texts;
    for (;;) {
      const Result<bool> more = scan.value().next();
      if (!more.ok() || !more.value()) return texts;
      if (scan.value().position() == row.position) break;
    }
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = scan.value().text(i);
    return texts;
  }

  std::string place(const Row& row) const {
    std::string place = std::string(key_.name) + " " + std::to_string(row.number);
    if (key_.rest.empty()) return place;
    const auto columns = texts(row);
    for (const std::size_t column : key_.rest) {
      place += ", " + definition_.schema.fields[column].name + " " + columns[column].value_or("null");
    }
    return place;
  }

 private:
  static Status tell(TableComparison* broken, const std::string& path, const Status& why) {
    if (broken == nullptr) return why;
    ++broken->differences;
    if (broken->first.size() < kMostDifferencesTold) broken->first.push_back({path, why.message()});
    return ok_status();
  }

  Status load(const DataFile& file, const std::vector<std::int64_t>& gone) {
    Result<std::string> bytes = table_.warehouse.read(file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    if (static_cast<std::int64_t>(bytes.value().size()) != file.file_size) {
      return Status(Code::kDataLoss, "it has " + std::to_string(bytes.value().size()) + " bytes, and its manifest says " +
                                         std::to_string(file.file_size));
    }
    Result<ParquetScan> scan = ParquetScan::open(bytes.take(), definition_.schema);
    if (!scan.ok()) return scan.status();
    std::int64_t count = 0;
    std::string text;
    for (auto next_gone = gone.begin();; ++count) {
      const Result<bool> more = scan.value().next();
      if (!more.ok()) return more.status();
      if (!more.value()) break;
      if (next_gone != gone.end() && *next_gone == count) {
        ++next_gone;
        continue;
      }
      rows_.push_back(row_of(scan.value(), count, text));
    }
    if (count == file.record_count) return ok_status();
    return Status(Code::kDataLoss, "it has " + std::to_string(count) + " rows, and its manifest says " + std::to_string(file.record_count));
  }

  Row row_of(const ParquetScan& scan, std::int64_t position, std::string& text) const {
    Row row;
    row.file = static_cast<std::uint32_t>(files_.size() - 1);
    row.position = static_cast<std::uint32_t>(position);
    row.number = scan.number(key_.number).value_or(-1);
    row.compared = !key_.seq.has_value() || scan.number(*key_.seq).value_or(from_) >= from_;
    text.clear();
    for (std::size_t i = key_.by_commit ? kCommitColumns : 0; i < definition_.schema.fields.size(); ++i) append(scan.text(i), text);
    const Digest content = sha256(text);
    std::memcpy(row.content.data(), content.data(), row.content.size());
    if (key_.rest.empty()) return row;
    text.clear();
    for (const std::size_t column : key_.rest) append(scan.text(column), text);
    const Digest rest = sha256(text);
    std::memcpy(&row.rest, rest.data(), sizeof row.rest);
    return row;
  }

  static void append(const std::optional<std::string>& value, std::string& text) {
    text += value.has_value() ? std::to_string(value->size()) + ":" + *value : "null,";
  }

  const TableDefinition& definition_;
  const RowKey key_;
  const TableContents& table_;
  const std::int64_t from_;
  std::vector<std::string> files_;
  std::vector<Row> rows_;
};

class Comparison {
 public:
  Comparison(const TableDefinition& definition, const Rows& audited, const Rows& expected, TableComparison& found)
      : definition_(definition), by_commit_(key_of(definition).by_commit), audited_(audited), expected_(expected), found_(found) {}

  void run() {
    auto a = audited_.rows().begin(), e = expected_.rows().begin();
    const auto a_end = audited_.rows().end(), e_end = expected_.rows().end();
    const Row* last_a = nullptr;  // of the same thing, at earlier commits
    const Row* last_e = nullptr;
    while (a != a_end || e != e_end) {
      const bool has_a = a != a_end && (e == e_end || !(*e < *a));
      const bool has_e = e != e_end && (a == a_end || !(*a < *e));
      const Row& row = has_a ? *a : *e;
      if (last_a != nullptr && last_a->rest != row.rest) last_a = nullptr;
      if (last_e != nullptr && last_e->rest != row.rest) last_e = nullptr;
      if (has_a && last_a != nullptr && last_a->number == row.number) {
        tell(audited_, row, "it is there twice");
        ++a;
        continue;
      }
      if (has_a && has_e) {
        if (a->content != e->content) tell(audited_, *a, differing(*a, *e));
      } else if (has_a) {
        const bool as_it_was = by_commit_ && last_e != nullptr && last_e->content == a->content;
        if (!as_it_was) tell(audited_, *a, "no such row follows from the journal");
      } else {
        const bool as_it_was = by_commit_ && last_a != nullptr && last_a->content == e->content;
        if (!as_it_was) tell(expected_, *e, "the row that follows from the journal is missing");
      }
      if (has_a) last_a = &*a++;
      if (has_e) last_e = &*e++;
    }
  }

 private:
  void tell(const Rows& rows, const Row& row, const std::string& text) {
    if (!row.compared) return;
    ++found_.differences;
    if (found_.first.size() < kMostDifferencesTold) found_.first.push_back({rows.place(row), text});
  }

  std::string differing(const Row& a, const Row& e) const {
    const auto is = audited_.texts(a), must_be = expected_.texts(e);
    std::string text;
    for (std::size_t i = by_commit_ ? kCommitColumns : 0; i < is.size(); ++i) {
      if (is[i] == must_be[i]) continue;
      text += (text.empty() ? "" : "; ") + definition_.schema.fields[i].name + " is " + is[i].value_or("null") +
              ", and follows from the journal as " + must_be[i].value_or("null");
    }
    return text;
  }

  const TableDefinition& definition_;
  const bool by_commit_;
  const Rows& audited_;
  const Rows& expected_;
  TableComparison& found_;
};

}  // namespace

Result<TableComparison> compare_rows(const TableDefinition& definition, const TableContents& audited, const TableContents& expected,
                                     Seq from) {
  TableComparison found;
  Rows is(definition, audited, from), must_be(definition, expected, from);
  if (Status status = is.load(&found); !status.ok()) return status;
  if (Status status = must_be.load(nullptr); !status.ok()) return status;
  found.rows = static_cast<std::uint64_t>(std::count_if(is.rows().begin(), is.rows().end(), [](const Row& row) { return row.compared; }));
  found.files = is.files();
  Comparison(definition, is, must_be, found).run();
  return found;
}

Result<std::set<Seq>> commit_seqs(const TableDefinition& definition, const TableContents& table) {
  Rows rows(definition, table, 1);
  TableComparison broken;  // told by compare_rows()
  if (Status status = rows.load(&broken); !status.ok()) return status;
  std::set<Seq> seqs;
  for (const Row& row : rows.rows()) seqs.insert(static_cast<Seq>(row.number));
  return seqs;
}

}  // namespace halocline
