// The journal's archive (journal/segment_archive.h) in a bucket: an object a segment, written whole or not at all, and read by ranges.
//
//   Result<std::unique_ptr<SegmentArchive>> archive = open_s3_archive("s3://books/halocline/archive", settings);
//
// As a warehouse there (s3_warehouse.h): the bucket must exist, nothing is sent before the first call, a request is tried three times and
// then kIo. A copy that is given up half-way leaves parts that only the S3's own rule for unfinished uploads removes. Any thread.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "history/s3/s3_settings.h"
#include "journal/segment_archive.h"

namespace halocline {

// kInvalidArgument: it is no place in a bucket, or the settings are wrong.
Result<std::unique_ptr<SegmentArchive>> open_s3_archive(const std::string& place, const S3Settings& settings);

}  // namespace halocline
