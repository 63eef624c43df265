// A warehouse in a bucket of Amazon S3, MinIO or another that speaks as they do: "s3://bucket/prefix". An object is there whole or not at
// all, and nothing is renamed: files get new names, and the catalog says which count.
//
//   Result<std::unique_ptr<Warehouse>> warehouse = open_warehouse(disk, "s3://books/halocline", settings);
//
// The bucket must exist. Nothing is sent before the first file, so opening works while the S3 is away. A request that comes to nothing is
// tried three times, and given up when no byte has moved for ten seconds: kIo. It may have happened all the same: then an object is left
// that nothing names, for the removal of orphans (history/maintenance/orphans.h) to find.
//
// Any thread. When the last one of a process is gone no other can be opened: Arrow's S3 ends then, for good.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/status.h"
#include "history/s3/s3_settings.h"
#include "history/warehouse.h"

namespace halocline {

// Whether it is a place in an S3 and not a folder.
bool is_s3(std::string_view place);

// The location as we write it: "s3a://b/k/" is "s3://b/k". kInvalidArgument when it is no place in a bucket, or has parts that are empty,
// "." or "..", which would be other objects than they seem.
Result<std::string> canonical_s3_location(std::string_view location);

// The warehouse at `place`: a folder, whose path may be relative, or a prefix in a bucket. `crash_at` is the text of HALOCLINE_CRASH_AT.
// `disk` outlives it. kInvalidArgument: it is neither, or `settings` are wrong.
Result<std::unique_ptr<Warehouse>> open_warehouse(Disk& disk, const std::string& place, const S3Settings& settings,
                                                  const char* crash_at = nullptr);

}  // namespace halocline
