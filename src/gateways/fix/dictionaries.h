// The data dictionaries of api/fix, as text: made by CMake (dictionaries.cc.in).
#pragma once

namespace halocline {
namespace fix {

extern const char kFix42[];
extern const char kFix44[];
extern const char kFixt11[];
extern const char kFix50Sp2[];

}  // namespace fix
}  // namespace halocline
