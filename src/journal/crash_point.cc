#include "journal/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <string>

namespace halocline {
namespace {

// In the order of CrashPoint.
constexpr const char* kNames[] = {"before_write",  "after_write",  "before_sync",    "after_sync",  "before_rotate",
                                  "in_rotate",     "after_rotate", "in_preallocate", "before_seal", "after_seal",
                                  "in_archive",    "before_archived", "after_archived", "after_remove",
                                  "in_file",       "after_file",   "before_pointers", "in_pointers", "after_pointers"};

}  // namespace

Status CrashPoints::arm(const char* text) {
  if (text == nullptr || *text == '\0') return ok_status();
  const std::string whole = text;
  const std::size_t colon = whole.find(':');
  const std::string name = whole.substr(0, colon);
  char* rest = nullptr;
  const long long times = colon == std::string::npos ? 0 : std::strtoll(text + colon + 1, &rest, 10);
  std::string names;
  for (int i = 0; i < static_cast<int>(std::size(kNames)); ++i) {
    names += (i == 0 ? "" : ", ") + std::string(kNames[i]);
    if (name != kNames[i] || times < 1 || *rest != '\0') continue;
    point_ = static_cast<CrashPoint>(i);
    left_ = times;
    armed_ = true;
    return ok_status();
  }
  return Status(Code::kInvalidArgument,
                "HALOCLINE_CRASH_AT=" + whole + " is not <point>:<count>, with a point among " + names);
}

void CrashPoints::count(CrashPoint point) {
  if (point == point_ && left_.fetch_sub(1) == 1) ::raise(SIGKILL);
}

}  // namespace halocline
