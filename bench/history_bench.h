// What the benches of the history share: a lake on a folder as `halocline serve` has it, and failures that end the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/warehouse.h"

namespace halocline::bench {

using SteadyClock = std::chrono::steady_clock;

inline double seconds_since(SteadyClock::time_point start) { return std::chrono::duration<double>(SteadyClock::now() - start).count(); }

inline void must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench: %s\n", status.message().c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  must(result.status());
  return result.take();
}

// `folder`/warehouse and `folder`/catalog.db.
struct LakeFolder {
  LakeFolder(const std::string& folder, const Clock& clock) : warehouse(disk, made(folder) + "/warehouse") {
    catalog = must(iceberg::open_sqlite_catalog(folder + "/catalog.db", warehouse, clock));
  }
  static std::string made(const std::string& folder) {
    std::filesystem::create_directories(folder);
    return std::filesystem::absolute(folder).string();
  }

  PosixDisk disk;
  FolderWarehouse warehouse;
  std::unique_ptr<iceberg::TableCatalog> catalog;
};

// Bytes and number of the files below a folder whose path contains `part` and ends with `end`.
struct Files {
  std::uint64_t bytes = 0, count = 0;
};
inline Files files_below(const std::string& folder, const std::string& part, const std::string& end) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.find(part) == std::string::npos || !path.ends_with(end)) continue;
    files.bytes += entry.file_size(), ++files.count;
  }
  return files;
}

}  // namespace halocline::bench
