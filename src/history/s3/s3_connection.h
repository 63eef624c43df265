// What a warehouse and an archive in an S3 share: Arrow's file system of it, and how its failures are told. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/filesystem/s3fs.h>

#include "base/status.h"
#include "history/s3/s3_settings.h"

namespace halocline {

inline constexpr std::string_view kS3Scheme = "s3://";

// Arrow's S3, begun with the first connection and ended with the last one: it does not bear to be ended by the destructor of a static.
class S3Library;

struct S3Connection {
  std::shared_ptr<const S3Library> library;
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string root;  // canonical: "s3://bucket/prefix"
};

// Sends nothing. kInvalidArgument: the place is none in a bucket, or the settings are wrong.
Result<S3Connection> connect_s3(const std::string& place, const S3Settings& settings);

// kIo: "cannot write s3://…: …".
Status s3_failure(const char* what, const std::string& location, const arrow::Status& why);

// The bucket and key of a canonical location, as Arrow has them.
std::string s3_path(const std::string& location);

}  // namespace halocline
