// What commands that look at the past share: an instant made a seq, and rows of a query as they were at one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/query_values.h"
#include "cli/session.h"

namespace halocline::cli {

// The last seq at or before an instant, and its journal time.
struct Moment {
  std::uint64_t seq = 0;
  std::int64_t time = 0;
};
// `text` as --as-of takes it; "now" is now.
Result<Moment> moment_of(Client& client, const std::string& text);

// The rows of an answer, each an object of its columns; and the same as of a seq.
Result<std::vector<Json>> rows_of(Client& client, const v1::QueryRequest& request);
Result<std::vector<Json>> rows_at(Client& client, const std::string& sql, std::uint64_t seq);

}  // namespace halocline::cli
