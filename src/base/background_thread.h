// A thread that works when others leave the processor free.
#pragma once

namespace halocline {

// Of the calling thread: its name (at most 15 bytes; `top -H` shows it), and that it comes after those of a lower niceness (0 to 19). Where
// the system does not let it, it is as urgent as the one that began it.
void work_in_background(const char* name, int niceness);

}  // namespace halocline
