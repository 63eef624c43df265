// A thread that works when others leave the processor free.
#pragma once

#include <cstdint>

namespace halocline {

// From this niceness on a thread has only what nobody else wants (SCHED_IDLE), and breathes.
inline constexpr int kLeastUrgent = 15;

// Of the calling thread: its name (at most 15 bytes; `top -H` shows it), and that it comes after those of a lower niceness (0 to 19). Where
// the system does not let it, it is as urgent as the one that began it.
void work_in_background(const char* name, int niceness);

// Now and then in long work, some times a millisecond. Does nothing on a thread that is not in the background, and nothing on a machine
// that is not busy. The system shares processors out one by one: a thread that would go on for ever on one keeps it from helping out with
// those that wait for another, however nice it is. So a least urgent thread that had to wait for a processor since the last time stays
// away for as long again, at most 20 ms; any other steps aside for a moment every half a millisecond while more threads want a processor
// than there are (/proc/loadavg), and its processor takes one of them over.
void breathe();

// Whether the calling thread may give a part of its work to another: one in the background only while a processor is free, for two of them
// on two processors leave none to those that go first.
bool has_processor_for_another();

// From then on (monotonic, ns) the calling thread is late with its work, and steps aside no more.
void late_from(std::int64_t time);

}  // namespace halocline
