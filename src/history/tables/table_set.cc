#include "history/tables/table_set.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "history/iceberg/json.h"
#include "history/iceberg/table_change.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr int kAttempts = 8;
constexpr int kUnknownAttempts = 2;  // at once: more of them help nobody who is in trouble
constexpr char kOurKeys[] = "halocline.";
constexpr std::int64_t kNanosPerMilli = 1'000'000;

std::string name_mapping(const Schema& schema) {
  Json mapping = Json::array();
  for (const Field& field : schema.fields) mapping.push_back({{"field-id", field.id}, {"names", Json::array({field.name})}});
  return json_text(mapping);
}
constexpr char kNameMappingKey[] = "schema.name-mapping.default";

Status not_ours(const std::string& why) { return Status(Code::kFailedPrecondition, "the history's tables: " + why); }

}  // namespace

TableSet::TableSet(WriterCatalog& catalog, Warehouse& warehouse, const Clock& clock, TableSetOptions options)
    : catalog_(catalog), warehouse_(warehouse), clock_(clock), options_(std::move(options)) {}

void TableSet::add(HistoryTable& table) { entries_.push_back({&table, false}); }

TableName TableSet::name_of(const HistoryTable& table) const { return {{options_.space}, table.definition().name}; }

Result<LoadedTable> TableSet::load(const HistoryTable& table) { return catalog_.load_table(name_of(table)); }

Result<LoadedTable> TableSet::open_table(const TableDefinition& definition) {
  const TableName name{{options_.space}, definition.name};
  Result<LoadedTable> loaded = catalog_.load_table(name);
  if (loaded.ok()) return grow(definition, loaded.take());
  if (loaded.status().code() != Code::kNotFound) return loaded;
  NewTable table;
  table.table = name;
  table.draft.schema = definition.schema;
  table.draft.spec = definition.spec();
  table.draft.order = definition.order();
  table.draft.properties = {{"format-version", std::to_string(options_.format_version)},
                            {"write.format.default", "parquet"},
                            {"write.parquet.compression-codec", "zstd"},
                            {kMetadataLogLength, "20"},
                            {kRemoveOldMetadata, "true"},
                            {kNameMappingKey, name_mapping(definition.schema)},
                            {kJournalIdKey, options_.journal_id}};
  return catalog_.create_table(table);
}

// "Schema Evolution": columns are added at the end, with the id they have in the definition; what the table has and we do not know is left
// as it is, and what we have and somebody dropped comes back.
Result<LoadedTable> TableSet::grow(const TableDefinition& definition, LoadedTable table) {
  const TableName name{{options_.space}, definition.name};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const TableMetadata& metadata = *table.metadata;
    Schema grown = metadata.current_schema();
    for (const Field& field : definition.schema.fields) {
      for (const Schema& schema : metadata.schemas) {
        const Field* known = schema.find(field.id);
        if (known == nullptr || known->type == field.type) continue;
        return not_ours(text_of(name) + " has another column under the id " + std::to_string(field.id) + ", \"" + known->name +
                        "\" instead of \"" + field.name + "\"; drop the table to have it written anew");
      }
      if (metadata.current_schema().find(field.id) != nullptr) continue;
      Field added = field;
      added.required = false;  // rows that are there have none
      grown.fields.push_back(std::move(added));
    }
    if (grown.fields.size() == metadata.current_schema().fields.size()) return table;
    TableCommit commit{name,
                       {AssertTableUuid{metadata.table_uuid}, AssertCurrentSchemaId{metadata.current_schema_id},
                        AssertLastAssignedFieldId{metadata.last_column_id}},
                       {AddSchema{grown}, SetCurrentSchema{}, SetProperties{{{kNameMappingKey, name_mapping(grown)}}}}};
    Result<LoadedTable> committed = catalog_.commit_table(commit);
    if (committed.ok() || committed.status().code() != Code::kFailedPrecondition) return committed;
    Result<LoadedTable> again = catalog_.load_table(name);
    if (!again.ok()) return again;
    table = again.take();
  }
  return Status(Code::kUnavailable, text_of(name) + " is changed all the time; its new columns could not be added");
}

Status TableSet::open() {
  const Status made = catalog_.create_namespace({options_.space}, {});
  if (!made.ok() && made.code() != Code::kAlreadyExists) return made;
  for (Entry& entry : entries_) {
    Result<LoadedTable> table = open_table(entry.table->definition());
    if (!table.ok()) return table.status();
    const TableMetadata& metadata = *table.value().metadata;
    if (metadata.property(kJournalIdKey, "") != options_.journal_id) {
      return not_ours(text_of(name_of(*entry.table)) +
                      " is of another journal; use another warehouse and catalog, or the data directory it belongs to");
    }
    entry.complete = metadata.property(kCompleteKey, "") == "true";
    if (&entry == &entries_.front()) {
      Result<std::int64_t> last = metadata.number_property(kLastSeqKey, 0);
      if (!last.ok()) return last.status();
      committed_seq_ = static_cast<Seq>(last.value());
    } else if (entry.complete && !entries_.front().complete) {
      return not_ours(text_of(name_of(*entries_.front().table)) + " was dropped, and nothing says any more how far " +
                      text_of(name_of(*entry.table)) + " is; drop that too to have all of them written anew");
    }
  }
  return ok_status();
}

bool TableSet::complete(const HistoryTable& table) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.table == &table && entry.complete; });
}

bool TableSet::all_complete() const {
  return std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.complete; });
}

std::int64_t TableSet::open_rows() const {
  std::int64_t rows = 0;
  for (const Entry& entry : entries_) rows += entry.table->open_rows();
  return rows;
}

std::int64_t TableSet::open_bytes() const {
  std::int64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.table->open_bytes();
  return bytes;
}

std::int64_t TableSet::closed_rows() const {
  std::int64_t rows = 0;
  for (const Entry& entry : entries_) rows += entry.table->closed_rows();
  return rows;
}

Status TableSet::write_files() {
  for (const Entry& entry : entries_) {
    if (!entry.table->pending()) continue;
    Result<LoadedTable> table = load(*entry.table);
    if (!table.ok()) return table.status();
    if (!waiting_since_.has_value()) waiting_since_ = clock_.wall();
    if (Status status = entry.table->write(warehouse_, *table.value().metadata, committed_seq_ + 1); !status.ok()) return status;
  }
  return ok_status();
}

Status TableSet::spill() {
  CHECK(!committing());
  for (const Entry& entry : entries_) {
    if (Status status = entry.table->close(); !status.ok()) return status;
  }
  return write_files();
}

Status TableSet::begin(CommitPoint point) {
  CHECK(!committing());
  for (const Entry& entry : entries_) {
    if (Status status = entry.table->close(); !status.ok()) return status;
  }
  point_ = std::move(point);
  written_ = false;
  return ok_status();
}

Status TableSet::prepare(Attempt& attempt) {
  for (const Entry& entry : entries_) {
    const bool ledger = entry.table == entries_.front().table;
    if (!entry.table->pending() && !ledger && entry.complete) continue;
    Result<LoadedTable> table = load(*entry.table);
    if (!table.ok()) return table.status();
    TableChange change;
    if (entry.table->pending()) {
      Result<TableChange> pending = entry.table->change(warehouse_, *table.value().metadata, attempt.files);
      if (!pending.ok()) return pending.status();
      change = pending.take();
    }
    change.summary = {{kFirstSeqKey, std::to_string(committed_seq_ + 1)}, {kLastSeqKey, std::to_string(point_->seq)},
                      {kStateDigestKey, point_->digest}, {kJournalChainKey, point_->chain}, {kMerkleRootKey, point_->root}};
    if (!point_->head.empty()) change.summary[kSignedHeadKey] = point_->head;
    if (!entry.complete) {
      change.summary[kFirstSeqKey] = "1";
      change.properties[kCompleteKey] = "true";
    }
    if (ledger) {
      // Each commit has a snapshot here, so that each requires the one before it: none that was under way for long comes out of turn.
      change.mark = true;
      change.properties[kLastSeqKey] = std::to_string(point_->seq);
      if (!point_->head.empty()) change.properties[kSignedHeadKey] = point_->head;
    }
    Result<PreparedChange> prepared =
        prepare_change(warehouse_, name_of(*entry.table), table.value(), change, clock_.wall() / kNanosPerMilli);
    if (!prepared.ok()) return prepared.status();
    attempt.files.insert(attempt.files.end(), prepared.value().files.begin(), prepared.value().files.end());
    attempt.commits.push_back(std::move(prepared.value().commit));
    attempt.tables.push_back(entry.table);
    attempt.snapshots.push_back(prepared.value().snapshot);
  }
  return ok_status();
}

Result<bool> TableSet::arrived() {
  Result<LoadedTable> ledger = load(*entries_.front().table);
  if (!ledger.ok()) return ledger.status();
  Result<std::int64_t> last = ledger.value().metadata->number_property(kLastSeqKey, 0);
  if (!last.ok()) return last.status();
  const Seq there = static_cast<Seq>(last.value());
  if (there != committed_seq_ && there != point_->seq) {
    return not_ours("they are at seq " + std::to_string(there) + ", and this process brought them to " + std::to_string(committed_seq_) +
                    ": another one writes the history of the same journal; stop one of them");
  }
  if (there != point_->seq) return false;
  // A commit that only brings new tables to where the others are moves no seq.
  for (const Entry& entry : entries_) {
    if (entry.complete) continue;
    Result<LoadedTable> table = load(*entry.table);
    if (!table.ok()) return table.status();
    if (table.value().metadata->property(kCompleteKey, "") != "true") return false;
  }
  return there != committed_seq_ || !all_complete();
}

Status TableSet::finish() {
  CHECK(committing());
  if (!written_) {
    if (Status status = write_files(); !status.ok()) return status;
    written_ = true;
  }
  Status failure;
  for (int i = 0, unknown = 0; i < kAttempts; ++i) {
    Result<bool> there = arrived();
    if (!there.ok()) return there.status();
    if (there.value()) {  // an attempt whose outcome was not known
      committed(nullptr);
      return ok_status();
    }
    if (unknown == kUnknownAttempts) return failure;
    // What may come yet is sent again as it was: it comes once, and no more files are left behind.
    Attempt attempt = sent_.has_value() ? *std::exchange(sent_, std::nullopt) : Attempt{};
    if (!attempt.unknown) {
      failure = prepare(attempt);
      if (!failure.ok()) {
        remove_files(attempt);
        if (failure.code() == Code::kFailedPrecondition) continue;
        return failure;
      }
    }
    failure = catalog_.commit_transaction(attempt.commits);
    if (failure.ok()) {
      committed(&attempt);
      return ok_status();
    }
    if (failure.code() == Code::kUnavailable) {
      attempt.unknown = true;
      sent_ = std::move(attempt);
      ++unknown;
      continue;
    }
    remove_files(attempt);
    if (failure.code() != Code::kFailedPrecondition) return failure;
  }
  return failure;
}

void TableSet::remove_files(const Attempt& attempt) {
  if (attempt.unknown) return;  // the search for orphans finds them
  for (const std::string& file : attempt.files) static_cast<void>(warehouse_.remove(file));
}

void TableSet::committed(const Attempt* by) {
  committed_rows_ += static_cast<std::uint64_t>(closed_rows());
  for (Entry& entry : entries_) {
    entry.complete = true;
    if (!entry.table->pending()) continue;
    std::optional<std::int64_t> snapshot;
    for (std::size_t i = 0; by != nullptr && i < by->tables.size(); ++i) {
      if (by->tables[i] == entry.table) snapshot = by->snapshots[i];
    }
    entry.table->committed(snapshot);
  }
  committed_seq_ = point_->seq;
  ++commits_;
  point_.reset();
  sent_.reset();
  waiting_since_.reset();
}

Result<LoadedTable> TableSet::try_replace(HistoryTable& into, const Rewrite& rewrite, std::vector<std::string>& written) {
  Result<LoadedTable> table = load(into);
  if (!table.ok()) return table;
  Result<TableChange> change = into.replacement(warehouse_, *table.value().metadata, rewrite, written);
  if (!change.ok()) return change.status();
  // It brings no command, and is where the snapshot before it was.
  if (const Snapshot* before = table.value().metadata->current_snapshot(); before != nullptr) {
    for (const auto& [key, value] : before->summary) {
      if (key.starts_with(kOurKeys) && key != kFirstSeqKey) change.value().summary[key] = value;
    }
  }
  Result<PreparedChange> prepared =
      prepare_change(warehouse_, name_of(into), table.value(), change.value(), clock_.wall() / kNanosPerMilli);
  if (!prepared.ok()) return prepared.status();
  written.insert(written.end(), prepared.value().files.begin(), prepared.value().files.end());
  return catalog_.commit_table(prepared.value().commit);
}

Status TableSet::replace(const Rewrite& rewrite) {
  CHECK(!committing());
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& one) { return one.table->definition().name == rewrite.table; });
  CHECK(entry != entries_.end(), "there is no table %s", rewrite.table.c_str());
  Status failure;
  for (int i = 0; i < kAttempts; ++i) {
    std::vector<std::string> written;
    const Result<LoadedTable> done = try_replace(*entry->table, rewrite, written);
    if (done.ok()) {
      entry->table->replaced(rewrite, done.value().metadata->current_snapshot_id);
      return ok_status();
    }
    failure = done.status();
    if (failure.code() == Code::kUnavailable) {  // its files may be in use
      entry->table->replaced(rewrite, std::nullopt);
      return failure;
    }
    for (const std::string& file : written) static_cast<void>(warehouse_.remove(file));  // nothing points at them
    if (failure.code() != Code::kFailedPrecondition) return failure;
  }
  return failure;
}

}  // namespace halocline
