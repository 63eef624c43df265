#include "server/iceberg.h"

#include <optional>
#include <utility>

#include "history/s3/s3_archive.h"
#include "history/s3/s3_warehouse.h"
#include "server/catalog_gateway.h"
#include "server/history.h"
#include "server/lake.h"

namespace halocline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // ns

class Served final : public Iceberg {
 public:
  Served(const Config& config, Disk& disk, const Clock& clock) : disk_(disk), clock_(clock), lake_(config, disk, clock) {}

  Status open(const Config& config, const std::string& journal_directory, HeadLog* heads) {
    if (Status opened = lake_.open(); !opened.ok()) return opened;
    if (!config.catalog.listen.empty()) catalog_ = make_catalog_gateway(config, disk_, lake_);
    if (config.history.enabled) {
      HistoryOptions& options = history_options_.emplace();
      options.follower.journal_directory = journal_directory;
      options.follower.heads = heads;
      options.follower.format_version = static_cast<int>(config.history.format_version);
      options.upkeep_interval = static_cast<std::int64_t>(config.history.upkeep_seconds) * kSecond;
      options.upkeep.whole_catalog = config.catalog.uri.empty();  // another one's may have tens of thousands of tables
      options.upkeep.retention.keep_ms = static_cast<std::int64_t>(config.history.snapshot_minutes) * 60'000;
      options.upkeep.orphan_age = static_cast<std::int64_t>(config.history.orphan_hours) * 3'600 * kSecond;
      options.follower.resumable = true;
      options.states = history_states(config);
      options.state_records = config.checkpoint.records;
      options.keep_states = config.archive.keep_days > 0;  // the journal may lose its beginning
      options.commit_interval = static_cast<std::int64_t>(config.history.commit_seconds) * kSecond;
    }
    return ok_status();
  }

  Gateway* catalog() override { return catalog_.get(); }
  void start_history(Core& core) override {
    if (history_options_.has_value()) history_.emplace(disk_, clock_, lake_, core, *history_options_).start();
  }
  void stop_history() override {
    if (history_.has_value()) history_->stop();
  }

 private:
  Disk& disk_;
  const Clock& clock_;
  Lake lake_;
  std::unique_ptr<Gateway> catalog_;
  std::optional<HistoryOptions> history_options_;
  std::optional<History> history_;
};

}  // namespace

bool has_iceberg() { return true; }

Result<std::unique_ptr<SegmentArchive>> open_archive(Disk& disk, const std::string& place, const Config* config) {
  if (!is_s3(place)) return std::unique_ptr<SegmentArchive>(std::make_unique<FolderArchive>(disk, place));
  Result<S3Settings> settings = config == nullptr ? Result<S3Settings>(S3Settings{}) : s3_settings_of(*config, disk);
  if (!settings.ok()) return settings.status();
  return open_s3_archive(place, settings.value());
}

Result<std::unique_ptr<Iceberg>> open_iceberg(const Config& config, Disk& disk, const Clock& clock, const std::string& journal_directory,
                                              HeadLog* heads) {
  if (!config.history.enabled && config.catalog.listen.empty()) return std::unique_ptr<Iceberg>();
  auto iceberg = std::make_unique<Served>(config, disk, clock);
  if (Status opened = iceberg->open(config, journal_directory, heads); !opened.ok()) return opened;
  return std::unique_ptr<Iceberg>(std::move(iceberg));
}

}  // namespace halocline
