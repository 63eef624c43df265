// What of a chunked array differs from an earlier copy of it. Costs what changed: chunks the two share are not looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace halocline::views {

// Visits, in order, the places of the items of `now` that `before` (may be nullptr) has not, or has otherwise.
template <class Array, class Visit>
void for_each_changed(const Array& now, const Array* before, Visit visit) {
  constexpr std::size_t kChunk = Array::kPerChunk;
  const std::size_t known = before == nullptr ? 0 : before->size();
  for (std::size_t chunk = 0; chunk < now.size(); chunk += kChunk) {
    const std::size_t end = std::min(chunk + kChunk, now.size());
    // A chunk at the same place in memory has not been written since.
    if (end <= known && &now[chunk] == &(*before)[chunk]) continue;
    for (std::size_t i = chunk; i < end; ++i) {
      if (i >= known || std::memcmp(&now[i], &(*before)[i], sizeof now[i]) != 0) visit(i);
    }
  }
}

}  // namespace halocline::views
