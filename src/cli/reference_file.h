// Reference data from a file. TOML holds any kinds: a [firm] table and lists [[currency]], [[desk]], [[book]], [[trader]],
// [[counterparty]], [[instrument]]; they are sent in that order, whatever their order in the file. CSV holds one kind, said by the
// caller. Failures are kInvalidArgument with file, line, field and what would be right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "halocline/v1/reference.pb.h"

namespace halocline::cli {

struct ReferenceRow {
  std::uint64_t line = 0;
  v1::ReferenceItem item;
};

Result<std::vector<ReferenceRow>> read_reference_toml(const std::string& path);
Result<std::vector<ReferenceRow>> read_reference_csv(const std::string& path, const std::string& kind);

}  // namespace halocline::cli
