#include "history/tables/follower.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "command/codec.h"
#include "history/iceberg/json.h"
#include "history/iceberg/table_change.h"
#include "history/tables/trade_events.h"
#include "journal/recovery.h"
#include "journal/segment.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr int kCommitAttempts = 8;
constexpr Seq kRecordsAtOnce = 100'000;
constexpr std::int64_t kNanosPerMilli = 1'000'000;

std::string name_mapping(const Schema& schema) {
  Json mapping = Json::array();
  for (const Field& field : schema.fields) mapping.push_back({{"field-id", field.id}, {"names", Json::array({field.name})}});
  return json_text(mapping);
}

Status not_ours(const std::string& why) { return Status(Code::kFailedPrecondition, "the history's tables: " + why); }

}  // namespace

Follower::Follower(Disk& disk, Books& books, TableCatalog& catalog, Warehouse& warehouse, const Clock& clock, FollowerOptions options)
    : disk_(disk),
      books_(books),
      catalog_(catalog),
      warehouse_(warehouse),
      clock_(clock),
      options_(std::move(options)),
      ledger_(trade_events::definition()),
      tables_{{&ledger_, {}, {}}} {}

Result<std::unique_ptr<Follower>> Follower::open(Disk& disk, Books& books, TableCatalog& catalog, Warehouse& warehouse,
                                                 const Clock& clock, FollowerOptions options) {
  std::unique_ptr<Follower> follower(new Follower(disk, books, catalog, warehouse, clock, std::move(options)));
  if (Status status = follower->read_journal_id(); !status.ok()) return status;
  if (Status status = follower->open_tables(); !status.ok()) return status;
  Result<std::unique_ptr<JournalReader>> reader = JournalReader::open(disk, follower->options_.journal_directory, 1);
  if (!reader.ok()) return reader.status();
  follower->reader_ = reader.take();
  return follower;
}

Status Follower::read_journal_id() {
  const std::string& directory = options_.journal_directory;
  Result<std::vector<std::uint32_t>> segments = list_segments(disk_, directory);
  if (!segments.ok()) return segments.status();
  if (segments.value().empty()) return Status(Code::kNotFound, "there is no journal in " + directory);
  const std::uint32_t number = segments.value().front();
  Result<std::unique_ptr<File>> file = disk_.open(directory + "/" + segment_name(number), Access::kRead);
  if (!file.ok()) return file.status();
  Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), number);
  if (!header.ok()) return header.status();
  if (!header.value().has_value()) return Status(Code::kNotFound, "the journal in " + directory + " has not begun");
  journal_id_ = hex(header.value()->id);
  return ok_status();
}

TableName Follower::name_of(const TableDefinition& definition) const { return {{options_.space}, definition.name}; }

Result<LoadedTable> Follower::open_table(const TableDefinition& definition, int format_version) {
  const TableName name = name_of(definition);
  Result<LoadedTable> loaded = catalog_.load_table(name);
  if (loaded.ok() || loaded.status().code() != Code::kNotFound) return loaded;
  NewTable table;
  table.table = name;
  table.draft.schema = definition.schema;
  table.draft.spec = definition.spec();
  table.draft.order = definition.order();
  table.draft.properties = {{"format-version", std::to_string(format_version)},
                            {"write.format.default", "parquet"},
                            {"write.parquet.compression-codec", "zstd"},
                            {kMetadataLogLength, "20"},
                            {kRemoveOldMetadata, "true"},
                            {"schema.name-mapping.default", name_mapping(definition.schema)},
                            {kJournalIdKey, journal_id_}};
  return catalog_.create_table(table);
}

Status Follower::open_tables() {
  const Status made = catalog_.create_namespace({options_.space}, {});
  if (!made.ok() && made.code() != Code::kAlreadyExists) return made;
  std::vector<std::pair<TableDefinition, int>> all = {{TradesTable::definition(), 2}};
  for (const Pending& pending : tables_) all.emplace_back(pending.writer->definition(), options_.format_version);
  for (const auto& [definition, version] : all) {
    Result<LoadedTable> table = open_table(definition, version);
    if (!table.ok()) return table.status();
    if (table.value().metadata->property(kJournalIdKey, "") != journal_id_) {
      return not_ours(text_of(name_of(definition)) + " is of another journal than " + options_.journal_directory +
                      "; use another warehouse and catalog, or the data directory they belong to");
    }
    if (definition.name == TradesTable::definition().name) trades_are_new_ = table.value().metadata->current_snapshot() == nullptr;
  }
  Result<Seq> last = last_seq_in_tables();
  if (!last.ok()) return last.status();
  committed_seq_ = last.value();
  return ok_status();
}

Result<Seq> Follower::last_seq_in_tables() {
  Result<LoadedTable> table = catalog_.load_table(name_of(ledger_.definition()));
  if (!table.ok()) return table.status();
  Result<std::int64_t> last = table.value().metadata->number_property(kLastSeqKey, 0);
  if (!last.ok()) return last.status();
  return static_cast<Seq>(last.value());
}

std::int64_t Follower::rows() const {
  std::int64_t rows = 0;
  for (const Pending& pending : tables_) rows += pending.writer->rows();
  return rows + written_rows_;
}

bool Follower::full() const {
  std::int64_t bytes = 0;
  for (const Pending& pending : tables_) bytes += pending.writer->bytes();
  return bytes >= options_.full_bytes;
}

Status Follower::follow(Seq durable) {
  if (durable < committed_seq_) {
    return not_ours("they go up to seq " + std::to_string(committed_seq_) + " and the journal only to " + std::to_string(durable) +
                    ": it was put back to an earlier state; use another warehouse and catalog");
  }
  reader_->stop_after(durable);
  for (const Seq from = read_seq_; !full() && read_seq_ - from < kRecordsAtOnce;) {
    Result<std::optional<BlockView>> block = reader_->next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) return ok_status();
    if (Status status = take(*block.value()); !status.ok()) return status;
    chain_ = hex(reader_->chain());
  }
  return ok_status();
}

Status Follower::take(const BlockView& block) {
  for (const Record record : block.contents()) {
    const auto type = static_cast<CommandType>(record.type);
    Command command;
    if (!decode(type, record.payload, command)) {
      return Status(Code::kUnsupported, "the journal's record " + std::to_string(record.seq) + " of type " + std::to_string(record.type) +
                                            " is no command this program knows");
    }
    const Books::Effect effect = books_.apply(record.seq, block.time, type, record.payload, events_);
    events_.clear();
    if (Status status = take(record.seq, block.time, type, command, effect); !status.ok()) return status;
    read_seq_ = record.seq;
    // `trades` has what the books had there.
    if (read_seq_ == committed_seq_ && !trades_are_new_) books_.changed_trades([](const TradeChange&) {});
  }
  return ok_status();
}

Status Follower::take(Seq seq, Nanos time, CommandType type, const Command& command, const Books::Effect& effect) {
  trade_events::Row row{seq, time, effect.outcome, effect.first_seq, nullptr, nullptr, {}, 0};
  if (const auto* trade = std::get_if<Trade>(&command)) {
    row.trade = trade;
  } else if (const auto* report = std::get_if<TradeReport>(&command)) {
    row.trade = &report->trade;
    row.report = report;
  }
  if (fix_left_ > 0) row.fix_session = fix_session_, row.fix_number = fix_number_, --fix_left_;
  if (const auto* received = std::get_if<FixReceived>(&command)) {
    fix_session_ = received->session, fix_number_ = received->number, fix_left_ = received->commands;
  }
  if (seq <= committed_seq_) return ok_status();
  // Reference data lets in reports that waited for it.
  trades_may_differ_ |= row.trade != nullptr || type == CommandType::kInstrument || type == CommandType::kRename;
  if (row.trade == nullptr) return ok_status();
  CHECK(type == CommandType::kTrade || row.report != nullptr);
  return trade_events::append(ledger_, row);
}

Status Follower::commit() {
  if (written_seq_ == 0) {
    if (digest_.empty()) {
      if (rows() == 0 && !trades_may_differ_) return ok_status();
      if (Status status = take_rows(); !status.ok()) return status;
    }
    if (Status status = write_files(); !status.ok()) return status;
    written_seq_ = taken_seq_;
  }
  return commit_files();
}

Status Follower::take_rows() {
  for (Pending& pending : tables_) {
    Result<std::vector<ParquetFile>> files = pending.writer->take();
    if (!files.ok()) return files.status();
    for (const ParquetFile& file : files.value()) written_rows_ += file.file.record_count;
    pending.unwritten = files.take();
  }
  if (Status status = trades_.take(books_); !status.ok()) return status;
  trades_may_differ_ = false;
  written_rows_ += trades_.rows();
  digest_ = books_.digest();
  taken_seq_ = read_seq_;
  written_chain_ = chain_;
  return ok_status();
}

Status Follower::write_files() {
  for (Pending& pending : tables_) {
    if (pending.unwritten.empty()) continue;
    Result<LoadedTable> table = catalog_.load_table(name_of(pending.writer->definition()));
    if (!table.ok()) return table.status();
    while (!pending.unwritten.empty()) {
      ParquetFile& file = pending.unwritten.back();
      char first[32];
      std::snprintf(first, sizeof first, "%020llu", static_cast<unsigned long long>(committed_seq_ + 1));
      std::string folder = data_folder(*table.value().metadata);
      if (pending.writer->definition().day_of != 0) {
        const std::int64_t day = *file.file.partition[0].number();
        folder += "/" + pending.writer->definition().spec().fields[0].name + "=" + day_text(static_cast<std::int32_t>(day));
      }
      file.file.path = folder + "/" + first + "-" + random_uuid() + ".parquet";
      if (Status status = warehouse_.write(file.file.path, file.bytes); !status.ok()) return status;
      pending.files.push_back(std::move(file.file));
      pending.unwritten.pop_back();
    }
  }
  if (!trades_.pending()) return ok_status();
  Result<LoadedTable> table = catalog_.load_table(name_of(TradesTable::definition()));
  if (!table.ok()) return table.status();
  return trades_.write(warehouse_, *table.value().metadata);
}

Status Follower::prepare(const TableName& name, const LoadedTable& table, TableChange change, std::vector<TableCommit>& commits,
                         std::vector<std::string>& files) {
  change.summary = {{kFirstSeqKey, std::to_string(committed_seq_ + 1)}, {kLastSeqKey, std::to_string(written_seq_)},
                    {kStateDigestKey, digest_}, {kJournalChainKey, written_chain_}};
  Result<PreparedChange> prepared = prepare_change(warehouse_, name, table, change, clock_.wall() / kNanosPerMilli);
  if (!prepared.ok()) return prepared.status();
  files.insert(files.end(), prepared.value().files.begin(), prepared.value().files.end());
  commits.push_back(std::move(prepared.value().commit));
  return ok_status();
}

Status Follower::prepare(std::vector<TableCommit>& commits, std::vector<std::string>& files) {
  // First, so that its snapshot is found in front.
  if (trades_.pending()) {
    const TableName name = name_of(TradesTable::definition());
    Result<LoadedTable> table = catalog_.load_table(name);
    if (!table.ok()) return table.status();
    Result<TableChange> change = trades_.change(warehouse_, *table.value().metadata, files);
    if (!change.ok()) return change.status();
    if (Status status = prepare(name, table.value(), change.take(), commits, files); !status.ok()) return status;
  }
  for (const Pending& pending : tables_) {
    const bool ledger = pending.writer == &ledger_;
    if (pending.files.empty() && !ledger) continue;
    const TableName name = name_of(pending.writer->definition());
    Result<LoadedTable> table = catalog_.load_table(name);
    if (!table.ok()) return table.status();
    TableChange change;
    change.data = pending.files;
    if (ledger) change.properties = {{kLastSeqKey, std::to_string(written_seq_)}};
    if (Status status = prepare(name, table.value(), std::move(change), commits, files); !status.ok()) return status;
  }
  return ok_status();
}

Status Follower::commit_files() {
  Status failure;
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    Result<Seq> there = last_seq_in_tables();
    if (!there.ok()) return there.status();
    if (there.value() == written_seq_) {  // an attempt whose outcome was not known
      committed(std::nullopt);
      return ok_status();
    }
    if (there.value() != committed_seq_) {
      return not_ours("they are at seq " + std::to_string(there.value()) + ", and this process brought them to " +
                      std::to_string(committed_seq_) + ": another one writes the history of the same journal; stop one of them");
    }
    std::vector<TableCommit> commits;
    std::vector<std::string> files;
    failure = prepare(commits, files);
    if (failure.ok()) {
      const bool with_trades = trades_.pending();
      const Result<std::vector<LoadedTable>> done = catalog_.commit_transaction(commits);
      if (done.ok()) {
        committed(with_trades ? done.value().front().metadata->current_snapshot_id : std::nullopt);
        return ok_status();
      }
      failure = done.status();
      if (failure.code() == Code::kUnavailable) continue;  // nobody knows: its files may be in use, and the tables are asked
    }
    for (const std::string& file : files) static_cast<void>(warehouse_.remove(file));  // nothing points at them
    if (failure.code() != Code::kFailedPrecondition) return failure;
  }
  return failure;
}

void Follower::committed(std::optional<std::int64_t> trades_snapshot) {
  for (Pending& pending : tables_) pending.files.clear();
  if (trades_.pending()) trades_.committed(trades_snapshot);
  committed_seq_ = written_seq_;
  trades_are_new_ = false;
  ++commits_;
  committed_rows_ += static_cast<std::uint64_t>(written_rows_);
  written_seq_ = 0, written_rows_ = 0;
  digest_.clear();
}

}  // namespace halocline
