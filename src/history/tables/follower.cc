#include "history/tables/follower.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "command/codec.h"
#include "history/tables/alerts.h"
#include "history/tables/nodes.h"
#include "history/tables/positions.h"
#include "history/tables/prices.h"
#include "history/tables/trade_events.h"
#include "history/tables/trades.h"
#include "journal/recovery.h"

namespace halocline {
namespace {

constexpr Seq kRecordsAtOnce = 100'000;

// Whether `limits` or `reference` may follow from it.
bool makes_versions(CommandType type) {
  switch (type) {
    case CommandType::kFirm: case CommandType::kCurrency: case CommandType::kDesk: case CommandType::kBook:
    case CommandType::kTrader: case CommandType::kCounterparty: case CommandType::kInstrument: case CommandType::kRename:
    case CommandType::kLimit: case CommandType::kLimitRemove: return true;
    default: return false;
  }
}

}  // namespace

Follower::Follower(Disk& disk, Books& books, iceberg::WriterCatalog& catalog, Warehouse& warehouse, const Clock& clock,
                   FollowerOptions options, std::string journal_id)
    : disk_(disk),
      books_(books),
      clock_(clock),
      options_(std::move(options)),
      trade_events_(trade_events::definition()),
      prices_(prices::definition()),
      alerts_(alerts::definition()),
      positions_(positions::definition()),
      nodes_(nodes::definition()),
      trades_(trades::definition()),
      limits_(LimitVersions::definition()),
      reference_(ReferenceVersions::definition()),
      tables_(catalog, warehouse, clock, {options_.space, options_.format_version, std::move(journal_id)}) {
  for (HistoryTable* table : std::initializer_list<HistoryTable*>{&trade_events_, &trades_, &prices_, &alerts_, &positions_, &nodes_,
                                                                  &limits_, &reference_}) {
    tables_.add(*table);
  }
}

std::vector<TableDefinition> Follower::definitions() {
  return {trade_events::definition(), trades::definition(), prices::definition(), alerts::definition(), positions::definition(),
          nodes::definition(), LimitVersions::definition(), ReferenceVersions::definition()};
}

Result<std::unique_ptr<Follower>> Follower::open(Disk& disk, Books& books, iceberg::WriterCatalog& catalog, Warehouse& warehouse,
                                                 const Clock& clock, FollowerOptions options) {
  const Result<JournalId> journal = journal_id(disk, options.journal_directory);
  if (!journal.ok()) return journal.status();
  std::unique_ptr<Follower> follower(new Follower(disk, books, catalog, warehouse, clock, std::move(options), hex(journal.value())));
  if (Status status = follower->tables_.open(); !status.ok()) return status;
  return follower;
}

Status Follower::resume(const FollowerState& state) {
  const bool fresh = committed_seq() == 0;
  CHECK(read_seq_ == 0 && (fresh || (complete() && state.seq <= committed_seq())));
  for (const KeptCommand& kept : *state.commands) {
    Command command;
    if (!decode(kept.type, kept.payload, command)) {
      return Status(Code::kDataLoss, "the follower's state holds what is no command, of seq " + std::to_string(kept.seq));
    }
    limit_versions_.take(command, {kept.seq, kept.time}, fresh);
    reference_versions_.take(command, {kept.seq, kept.time}, fresh);
  }
  changed_ = fresh;
  kept_ = *state.commands;
  read_seq_ = state.seq, read_time_ = state.time, chain_ = state.chain, tree_ = state.tree;
  if (read_seq_ == committed_seq()) forget_changes();
  return ok_status();
}

std::optional<FollowerState> Follower::state() const {
  const bool between = fix_left_ > 0;  // commands of one message
  if (!options_.resumable || !complete() || tables_.committing() || read_seq_ != committed_seq() || between) return std::nullopt;
  return FollowerState{read_seq_, read_time_, chain_, tree_, std::make_shared<const std::vector<KeptCommand>>(kept_)};
}

Status Follower::open_journal() {
  const bool from_begin = read_seq_ == 0;
  Result<std::unique_ptr<JournalReader>> reader =
      JournalReader::open(disk_, options_.journal_directory, from_begin ? 1 : read_seq_, from_begin);
  if (reader.status().code() == Code::kOutOfRange) {
    return Status(Code::kOutOfRange, "the history needs the journal from seq " + std::to_string(read_seq_ + 1) +
                                         " on, which was removed (archive.keep_days): " + reader.status().message());
  }
  if (!reader.ok()) return reader.status();
  if (!from_begin) {  // the block that ends with the last command that was read
    const Result<std::optional<BlockView>> block = reader.value()->next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value() || block.value()->last_seq() != read_seq_ || reader.value()->chain() != chain_) {
      return Status(Code::kDataLoss, "the journal at seq " + std::to_string(read_seq_) + " is not the one the history's state is of");
    }
  }
  reader_ = reader.take();
  return ok_status();
}

bool Follower::full() const { return tables_.open_bytes() >= options_.full_bytes; }

Status Follower::follow(Seq durable, bool beyond_full) {
  if (durable < committed_seq()) {
    return Status(Code::kFailedPrecondition, "the history's tables: they go up to seq " + std::to_string(committed_seq()) +
                                                 " and the journal only to " + std::to_string(durable) +
                                                 ": it was put back to an earlier state; use another warehouse and catalog");
  }
  if (reader_ == nullptr) {
    if (Status status = open_journal(); !status.ok()) return status;
  }
  reader_->stop_after(durable);
  for (const Seq from = read_seq_; read_seq_ - from < kRecordsAtOnce;) {
    if (!beyond_full && full()) {
      if (read_seq_ >= committed_seq()) return ok_status();
      if (Status status = tables_.spill(); !status.ok()) return status;  // of new tables, on their way to where the others are
    }
    Result<std::optional<BlockView>> block = reader_->next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) return ok_status();
    if (Status status = take(*block.value()); !status.ok()) return status;
    chain_ = reader_->chain();
  }
  return ok_status();
}

Status Follower::take(const BlockView& block) {
  leaves_.add(block, tree_);
  Status status;
  commands_.clear(), records_.clear();
  for (const Record record : block.contents()) {
    records_.push_back(record);
    if (decode(static_cast<CommandType>(record.type), record.payload, commands_.emplace_back())) continue;
    commands_.pop_back();
    status = Status(Code::kUnsupported, "the journal's record " + std::to_string(record.seq) + " of type " + std::to_string(record.type) +
                                            " is no command this program knows");
    break;
  }
  Status rows;
  books_.apply(block.first_seq, block.time, commands_,
               [&](std::size_t place, const Books::Effect& effect, std::span<const AlertEvent> events) {
                 if (!rows.ok()) return;
                 const Seq seq = block.first_seq + place;
                 rows = take(seq, block.time, commands_[place], effect, events);
                 if (!rows.ok()) return;
                 const auto type = static_cast<CommandType>(records_[place].type);
                 if (options_.resumable && effect.outcome == Outcome::kAccepted && makes_versions(type)) {
                   const std::span<const std::byte> payload = records_[place].payload;
                   kept_.push_back({seq, block.time, type, {payload.begin(), payload.end()}});
                 }
                 read_seq_ = seq, read_time_ = block.time;
                 if (read_seq_ == committed_seq()) forget_changes();
               });
  return rows.ok() ? status : rows;
}

Status Follower::take(Seq seq, Nanos time, const Command& command, const Books::Effect& effect, std::span<const AlertEvent> events) {
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
  changed_ |= seq > committed_seq();
  Status status;
  if (row.trade != nullptr && tables_.wants(trade_events_, seq)) status = trade_events::append(trade_events_, row);
  if (status.ok() && tables_.wants(prices_, seq)) status = prices::append(prices_, seq, time, command, effect.outcome);
  for (const AlertEvent& event : events) {
    if (status.ok() && tables_.wants(alerts_, seq)) status = alerts::append(alerts_, event);
  }
  if (effect.outcome == Outcome::kAccepted) {
    limit_versions_.take(command, {seq, time}, tables_.wants(limits_, seq));
    reference_versions_.take(command, {seq, time}, tables_.wants(reference_, seq));
  }
  return status;
}

void Follower::forget_changes() {
  if (tables_.complete(trades_)) books_.changed_trades([](const TradeChange&) {});
  if (tables_.complete(positions_)) books_.changed_positions([](const PositionRow&) {});
  if (tables_.complete(nodes_)) books_.changed_nodes([](const NodeRow&) {});
}

Status Follower::take_books() {
  Status status = trades::write_changes(books_, trades_);
  if (status.ok()) status = positions::write_changes(books_, read_seq_, read_time_, positions_);
  if (status.ok()) status = nodes::write_changes(books_, read_seq_, read_time_, nodes_);
  if (status.ok()) status = limit_versions_.write_changes(limits_);
  if (status.ok()) status = reference_versions_.write_changes(reference_);
  return status;
}

Status Follower::replace(const Rewrite& rewrite) {
  if (tables_.committing()) return Status(Code::kResourceExhausted, "rows are being committed");
  return tables_.replace(rewrite);
}

Status Follower::commit() {
  if (!tables_.committing()) {
    // Until the books are where the tables are there is nothing to add to these.
    if (read_seq_ == 0 || read_seq_ < committed_seq()) return ok_status();
    if (!changed_ && tables_.all_complete()) return ok_status();
    if (Status status = take_books(); !status.ok()) return status;
    changed_ = false;
    if (Status status = tables_.begin(point()); !status.ok()) return status;
  }
  if (Status status = tables_.finish(); !status.ok()) return status;
  // Now that it is so: who finds this head in the witness file finds the tables at least there.
  if (head_.empty()) return ok_status();
  Status told = options_.heads->append(std::exchange(head_, ""));
  if (told.ok()) options_.heads->tell_tree(std::move(head_tree_));
  return told;
}

CommitPoint Follower::point() {
  CommitPoint point{read_seq_, books_.digest(), hex(chain_), hex(tree_.root()), ""};
  if (options_.heads == nullptr) return point;
  Result<std::string> line = options_.heads->sign({HeadKind::kTables, {}, read_seq_, tree_.root(), chain_, clock_.wall()});
  if (line.ok()) head_ = point.head = line.take(), head_tree_ = tree_;  // else the witness says so, and the commit is one without
  return point;
}

}  // namespace halocline
