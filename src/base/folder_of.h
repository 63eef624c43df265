// The folder a file is in, of its path. Any thread.
#pragma once

#include <string>

namespace halocline {

// "a/b" of "a/b/c", "/" of "/c", "." of "c". Looks at no disk.
inline std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace halocline
