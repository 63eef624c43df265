// A pause that leaves the processor to others. It is no synchronisation: who waits for something has a Doorbell (base/queue.h).
#pragma once

#include <cstdint>

namespace halocline {

// The calling thread does nothing for so many nanoseconds; not at all when there are none. Signals do not end it.
void rest(std::int64_t nanoseconds);

}  // namespace halocline
