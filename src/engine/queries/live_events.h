// What a command did to one continuous query's answer, as it leaves the engine.
#pragma once

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "command/query.h"

namespace halocline::queries {

// What one seq did to one query's answer, or why the query ended (`failure`; nothing comes after it). Queries that select the same of the
// same row share the events.
struct LiveEvents {
  std::uint64_t query = 0;
  std::shared_ptr<const QueryEvents> events;
  Status failure;
};

}  // namespace halocline::queries
