#include "server/serve.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "base/log.h"
#include "base/slab.h"
#include "command/codec.h"
#include "engine/views.h"
#include "journal/archived_disk.h"
#include "journal/memory_journal.h"
#include "server/books_at_start.h"
#include "server/core.h"
#include "server/iceberg.h"
#include "server/record_source.h"
#include "server/witness.h"

namespace halocline {
namespace {

constexpr char kVersion[] = "0.1.0";

int exit_code(const Status& why) {
  switch (why.code()) {
    case Code::kOk: return kExitDrained;
    case Code::kInvalidArgument: return kExitUsage;
    case Code::kFailedPrecondition: return kExitInUse;
    case Code::kResourceExhausted: return kExitDiskFull;
    case Code::kDataLoss:
    case Code::kUnsupported: return kExitDamaged;
    default: return kExitJournal;
  }
}

int give_up(const char* event, const Status& why, int code) {
  log_line(LogLevel::kError, event, {{"why", why.message()}, {"exit", code}});
  return code;
}

void set_log(const Config& config) {
  const std::string& level = config.log.level;
  set_log_level(level == "debug"  ? LogLevel::kDebug
                : level == "info" ? LogLevel::kInfo
                : level == "warn" ? LogLevel::kWarn
                                  : LogLevel::kError);
  set_log_format(config.log.format == "json" ? LogFormat::kJson : LogFormat::kText);
}

// The signals that end the server, and the journal's failure, as something to wait for. Other threads inherit the blocked
// signals, so nobody is interrupted.
class Ending {
 public:
  Ending() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    signals_ = signalfd(-1, &ending, SFD_CLOEXEC);
    failure_ = eventfd(0, EFD_CLOEXEC);
    CHECK(signals_ >= 0 && failure_ >= 0);
  }
  ~Ending() { ::close(signals_), ::close(failure_); }

  void journal_failed() {
    const std::uint64_t one = 1;
    CHECK(::write(failure_, &one, sizeof one) == sizeof one);
  }
  // Whether it is time to end; false when the time is over.
  bool wait(int milliseconds) {
    pollfd waited[] = {{signals_, POLLIN, 0}, {failure_, POLLIN, 0}};
    if (::poll(waited, 2, milliseconds) <= 0) return false;
    signalfd_siginfo signal{};
    if ((waited[0].revents & POLLIN) != 0 && ::read(signals_, &signal, sizeof signal) == sizeof signal) {
      log_line(LogLevel::kInfo, "server.signal", {{"signal", signal.ssi_signo}});
    }
    return true;
  }
  // From here on a signal does what it does to any process: the second one ends it.
  static void restore() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  }

 private:
  int signals_ = -1, failure_ = -1;
};

// The file that says where the server is; gone when this is.
class ServingFile {
 public:
  ServingFile(std::string path, const std::string& address, const std::string& fix, const std::string& catalog) : path_(std::move(path)) {
    std::ofstream file(path_ + ".new");
    file << address << "\n" << getpid() << "\n";
    std::string plain = fix, tls;
    if (const std::size_t at = fix.find("tls "); at != std::string::npos) {
      tls = fix.substr(at + 4);
      plain = fix.substr(0, at == 0 ? 0 : at - 1);
    }
    if (!plain.empty()) file << "fix " << plain << "\n";
    if (!tls.empty()) file << "fix_tls " << tls << "\n";
    if (!catalog.empty()) file << "catalog " << catalog << "\n";
    file.close();
    std::error_code ignored;
    std::filesystem::rename(path_ + ".new", path_, ignored);
  }
  ~ServingFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

 private:
  const std::string path_;
};

class FirmSink final : public AckSink {
 public:
  void acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) override {
    const bool taken = acks.front().outcome == Outcome::kAccepted;
    done_.set_value(taken ? ok_status()
                          : Status(Code::kInvalidArgument,
                                   "the firm's name or currency was refused: " + std::string(outcome_name(acks.front().outcome))));
  }
  void abandoned(std::uint64_t, const Status& why) override { done_.set_value(why); }
  Status wait() { return done_.get_future().get(); }

 private:
  std::promise<Status> done_;
};

// The first record of a new journal.
Status found_firm(Core& core, const Config& config) {
  auto sink = std::make_shared<FirmSink>();
  Submission submission;
  const std::string_view name = config.firm.name.empty() ? "Halocline" : std::string_view(config.firm.name);
  const std::string_view currency = config.firm.currency.empty() ? "USD" : std::string_view(config.firm.currency);
  append_record(Firm{name, currency}, submission.records);
  submission.count = 1;
  submission.sink = sink;
  submission.received = SystemClock().monotonic();
  if (Status status = core.submit(std::move(submission)); !status.ok()) return status;
  return sink->wait();
}

Status check_firm(Engine& engine, const Config& config) {
  const Snapshot books = engine.snapshot();
  const std::string name(views::firm_name(*books)), currency(views::firm_currency(*books));
  const auto& said = config.firm;
  if ((said.name.empty() || said.name == name) && (said.currency.empty() || said.currency == currency)) return ok_status();
  const std::string& said_name = said.name.empty() ? name : said.name;
  const std::string& said_currency = said.currency.empty() ? currency : said.currency;
  return Status(Code::kFailedPrecondition, "the journal in " + config.server.data_directory + " is of firm \"" + name + "\" in " +
                                               currency + ", the configuration says \"" + said_name + "\" in " + said_currency +
                                               "; correct firm.name and firm.currency, or use another server.data_directory");
}

// A line with what happened since the last one; none when nothing did.
class StatusLine {
 public:
  void write(const Core& core, std::int64_t seconds) {
    const StatusReport now = core.report();
    const std::uint64_t commands = now.durable_seq - last_.durable_seq;
    if (commands == 0 && now.subscribers == last_.subscribers && !first_) return;
    const auto latency = [&](const char* stage) {
      for (const LatencyRow& row : now.latencies) {
        if (row.stage == stage) return row;
      }
      return LatencyRow{};
    };
    const LatencyRow total = latency("received_published"), sync = latency("sequenced_durable");
    log_line(LogLevel::kInfo, "server.status",
             {{"commands", commands}, {"per_s", commands / static_cast<std::uint64_t>(seconds)}, {"durable_seq", now.durable_seq},
              {"alert_events", now.last_event_id - last_.last_event_id}, {"subscribers", now.subscribers},
              {"queue_highest", now.queues.front().highest}, {"p50_us", static_cast<double>(total.p50) / 1e3},
              {"p99_us", static_cast<double>(total.p99) / 1e3}, {"sync_p99_us", static_cast<double>(sync.p99) / 1e3},
              {"journal_mb", now.journal_bytes >> 20}, {"memory_mb", now.memory_bytes >> 20}});
    last_ = now;
    first_ = false;
  }
  void start(const Core& core) { last_ = core.report(), first_ = false; }

 private:
  StatusReport last_;
  bool first_ = true;
};

// The disk with the archive that the configuration names, or else with the one the journal knows of: what is there is part of it.
Result<std::unique_ptr<ArchivedDisk>> disk_of(Disk& disk, const Config& config, const std::string& journal) {
  const auto at = [&](const std::string& place) { return open_archive(disk, place, &config); };
  Result<std::unique_ptr<ArchivedDisk>> known = ArchivedDisk::open(disk, journal, at);
  if (config.archive.folder.empty() || !known.ok()) return known;
  std::string folder = config.archive.folder;
  if (folder.find("://") == std::string::npos) folder = std::filesystem::absolute(folder).lexically_normal().string();
  Result<std::unique_ptr<SegmentArchive>> archive = at(folder);
  if (!archive.ok()) return Status(archive.status().code(), "archive.folder: " + archive.status().message());
  auto wanted = std::make_unique<ArchivedDisk>(disk, journal, archive.take());
  const Result<std::vector<std::uint32_t>> there = known.value()->archived_segments(), here = wanted->archived_segments();
  if (!there.ok() || !here.ok()) return there.ok() ? here.status() : there.status();
  if (std::includes(here.value().begin(), here.value().end(), there.value().begin(), there.value().end())) return wanted;
  return Status(Code::kFailedPrecondition, "archive.folder is " + folder + ", but " + known.value()->archive()->place() +
                                               " has segments of this journal that are not there: move them first");
}

void warn_of_journal(const Journal& journal) {
  if (const std::string warning = journal.stats().warning; !warning.empty())
    log_line(LogLevel::kWarn, "journal.warning", {{"what", warning}});
}

}  // namespace

int serve(const Config& config, Gateway& gateway, Gateway* fix) {
  set_log(config);
  Ending ending;
  SystemClock clock;
  PosixDisk posix;
  CoreStart start;

  // The journal, and what it holds through the engine.
  const Result<Durability> durability = parse_durability(config.journal.durability);
  if (!durability.ok()) return give_up("config.refused", durability.status(), kExitUsage);
  const std::string& data = config.server.data_directory;
  const std::string directory = data + "/journal";
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error)
    return give_up("server.failed", Status(Code::kIo, "cannot make the data directory " + data + ": " + error.message()), kExitUsage);
  const Result<std::unique_ptr<ArchivedDisk>> with_archive = disk_of(posix, config, directory);
  if (!with_archive.ok()) return give_up("archive.refused", with_archive.status(), exit_code(with_archive.status()));
  ArchivedDisk& disk = *with_archive.value();
  // Now, so that the books that are read lie in it, and again below for what comes.
  const std::uint64_t reserve = config.memory.reserve_bytes;
  if (const Status reserved = Slab::reserve(reserve); !reserved.ok()) return give_up("memory.refused", reserved, kExitUsage);
  std::unique_ptr<Engine> engine = std::make_unique<Engine>();
  std::unique_ptr<Journal> journal;
  std::optional<LoadedCheckpoint> checkpoint;  // that the books began with
  const bool checkpoints = config.checkpoint.enabled && durability.value() != Durability::kMemory;
  const std::string checkpoint_directory = checkpoints ? data + "/checkpoints" : std::string();
  std::optional<Witness> witness;
  if (durability.value() == Durability::kMemory) {
    journal = std::make_unique<MemoryJournal>();
  } else {
    FileJournalOptions options;
    options.directory = directory;
    options.durability = durability.value();
    options.segment_bytes = config.journal.segment_bytes;
    options.now = clock.wall();
    Result<BooksAtStart> books = books_at_start(disk, clock, options, checkpoint_directory);
    if (!books.ok()) return give_up("journal.refused", books.status(), exit_code(books.status()));
    if (!config.archive.folder.empty()) {
      const Status written = ArchivedDisk::set_place(posix, directory, disk.archive()->place());
      if (!written.ok()) return give_up("archive.refused", written, exit_code(written));
    }
    start = books.value().start;
    engine = std::move(books.value().engine);
    checkpoint = std::move(books.value().checkpoint);
    if (config.audit.enabled) {
      WitnessOptions auditing{directory, books.value().journal->id(), head_log_paths(config)};
      auditing.head_interval = static_cast<std::int64_t>(config.audit.head_seconds) * 1'000'000'000;
      auditing.head_records = config.audit.head_records;
      witness.emplace(disk, clock, std::move(auditing)).open();
    }
    journal = std::move(books.value().journal);
  }
  if (const Status reserved = Slab::reserve(reserve); !reserved.ok()) return give_up("memory.refused", reserved, kExitUsage);
  const bool new_journal = engine->last_seq() == 0;
  if (!new_journal) {
    if (const Status firm = check_firm(*engine, config); !firm.ok()) return give_up("firm.refused", firm, kExitFirm);
  }

  // The core, then the gateway in front of it.
  CoreOptions options;
  options.queue_length = config.limits.queue_length;
  options.in_flight_bytes = config.limits.in_flight_bytes;
  options.max_reads = config.limits.reads;
  options.max_subscribers = config.limits.subscribers;
  options.subscriber_queue = config.limits.subscriber_queue;
  options.reader_threads = config.limits.reader_threads;
  options.version = kVersion;
  options.durability = config.journal.durability;
  options.data_directory = data;
  options.rewind = {config.rewind.threads, config.rewind.waiting, config.rewind.states, config.rewind.bytes};
  if (durability.value() != Durability::kMemory) {
    options.records = journal_records(disk, directory);
    options.journal = {&disk, directory};
  }
  options.checkpoint = {checkpoint_directory, config.checkpoint.records, config.checkpoint.journal_bytes, config.checkpoint.keep,
                        durability.value() == Durability::kFsync};
  constexpr Nanos kDay = 86'400'000'000'000;
  if (!config.archive.folder.empty()) {
    const auto days = [](std::uint64_t count) { return static_cast<Nanos>(count) * kDay; };
    options.archive = {&disk, directory, checkpoint_directory, config.archive.local_bytes, days(config.archive.local_days),
                       days(config.archive.keep_days), config.history.enabled ? history_states(config) : ""};
  }
  Status failure;  // written before journal_failed(), read after the core's threads have ended
  options.on_failure = [&](const Status& why) { failure = why, ending.journal_failed(); };
  HeadLog* const heads = witness.has_value() ? witness->heads() : nullptr;
  const Result<std::unique_ptr<Iceberg>> opened = open_iceberg(config, disk, clock, directory, heads);
  if (!opened.ok()) return give_up("catalog.refused", opened.status(), exit_code(opened.status()));
  Iceberg* const iceberg = opened.value().get();
  Gateway* const catalog = iceberg == nullptr ? nullptr : iceberg->catalog();
  options.checkpoint.offered = iceberg != nullptr && config.history.enabled;
  if (options.checkpoint.offered) options.followed.emplace();
  Core core(std::move(options), clock, *engine, *journal, start);
  if (checkpoint) core.verify(*std::exchange(checkpoint, std::nullopt));
  core.start();
  if (new_journal) {
    if (const Status firm = found_firm(core, config); !firm.ok()) {
      static_cast<void>(core.stop());
      return give_up("firm.refused", firm, failure.ok() ? kExitUsage : exit_code(failure));
    }
  }
  std::vector<Gateway*> started;
  for (Gateway* one : {&gateway, fix, catalog}) {
    if (one == nullptr) continue;
    const Status listening = one->start(core);
    started.push_back(one);
    if (listening.ok()) continue;
    for (Gateway* other : started) other->stop_accepting();
    static_cast<void>(core.stop());
    for (Gateway* other : started) other->stop();
    return give_up("gateway.refused", listening, kExitAddress);
  }
  {
    const std::string fix_address = fix == nullptr ? "" : fix->address();
    const std::string catalog_address = catalog == nullptr ? "" : catalog->address();
    const ServingFile serving(data + "/serving", gateway.address(), fix_address, catalog_address);
    const std::string also = (fix_address.empty() ? "" : ", FIX on " + fix_address) +
                             (catalog_address.empty() ? "" : ", catalog on " + catalog_address);
    std::printf("halocline: serving on %s (journal %s, durability %s%s)\n", gateway.address().c_str(),
                durability.value() == Durability::kMemory ? "none" : directory.c_str(), config.journal.durability.c_str(), also.c_str());
    std::fflush(stdout);
    log_line(LogLevel::kInfo, "server.serving",
             {{"address", gateway.address()}, {"fix", fix_address}, {"catalog", catalog_address},
              {"durability", config.journal.durability}, {"last_seq", core.report().last_seq}});
    if (iceberg != nullptr) iceberg->start_history(core);
    if (witness.has_value()) witness->start(core);
    StatusLine status_line;
    status_line.start(core);
    while (!ending.wait(static_cast<int>(config.log.status_seconds * 1'000))) {
      status_line.write(core, static_cast<std::int64_t>(config.log.status_seconds));
      warn_of_journal(*journal);
    }
    Ending::restore();
    log_line(LogLevel::kInfo, "server.draining", {{"last_seq", core.report().last_seq}});
    for (auto one = started.rbegin(); one != started.rend(); ++one) (*one)->stop_accepting();
    const Status stopped = core.stop();
    if (iceberg != nullptr) iceberg->stop_history();
    if (witness.has_value()) witness->stop();
    for (auto one = started.rbegin(); one != started.rend(); ++one) (*one)->stop();
    if (!stopped.ok() || !failure.ok()) return give_up("server.stopped", failure, exit_code(failure));
  }
  const StatusReport last = core.report();
  log_line(LogLevel::kInfo, "server.stopped", {{"durable_seq", last.durable_seq}, {"uptime_s", last.uptime / 1'000'000'000}, {"exit", 0}});
  return kExitDrained;
}

}  // namespace halocline
