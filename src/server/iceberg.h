// What `halocline serve` does with Iceberg: the lake (server/lake.h), the catalog's gateway that lets others into it, and the history
// that is written into it, each of them when the configuration says so.
//
//   Result<std::unique_ptr<Iceberg>> iceberg = open_iceberg(config, disk, clock, journal_directory);
//   … iceberg->catalog() is started and stopped with the other gateways
//   iceberg->start_history(core);
//   …
//   iceberg->stop_history();      // after the core has stopped
//
// A program that is built without it (HALOCLINE_ICEBERG=OFF in CMakeLists.txt) has without_iceberg.cc for all this.
// All calls by the owner.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/status.h"
#include "command/gateway.h"
#include "journal/archived_disk.h"
#include "journal/head_log.h"
#include "journal/segment_archive.h"
#include "server/config.h"
#include "server/core.h"

namespace halocline {

class Iceberg {
 public:
  virtual ~Iceberg() = default;
  // None when the configuration has no address for it.
  virtual Gateway* catalog() = 0;
  // Nothing happens when the configuration does not want the history.
  virtual void start_history(Core& core) = 0;
  virtual void stop_history() = 0;
};

// Where the history keeps what its next start goes on from (server/history.h).
inline std::string history_states(const Config& config) { return config.server.data_directory + "/history"; }

// The journal's archive at that place: a folder, or s3://bucket/prefix, reached as the configuration says (catalog.s3_…), or by the AWS
// variables when there is none. kUnsupported: not in this program. `disk` outlives it.
Result<std::unique_ptr<SegmentArchive>> open_archive(Disk& disk, const std::string& place, const Config* config);
// For who looks at a journal without the server's configuration.
inline ArchivedDisk::Opener archive_opener(Disk& disk) {
  return [&disk](const std::string& place) { return open_archive(disk, place, nullptr); };
}

// Whether this program has it; where it has not, a configuration that asks for it is refused (server/config.h).
bool has_iceberg();

// None when the configuration asks for nothing of it. Fails as Lake::open does. `disk`, `clock` and `heads`, who signs what the history
// commits (nullptr: nobody), outlive it; the core that the history was started with outlives stop_history().
Result<std::unique_ptr<Iceberg>> open_iceberg(const Config& config, Disk& disk, const Clock& clock, const std::string& journal_directory,
                                              HeadLog* heads);

}  // namespace halocline
