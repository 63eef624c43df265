#include "cli/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace halocline::cli {

Result<Input> open_input(const std::string& path) {
  if (path == "-") return Input(stdin);
  Input file(std::fopen(path.c_str(), "r"));
  struct stat what {};
  if (file != nullptr && fstat(fileno(file.get()), &what) == 0 && S_ISDIR(what.st_mode)) {
    return Status(Code::kInvalidArgument, "cannot read " + path + ": it is a directory");
  }
  if (file == nullptr) return Status(Code::kInvalidArgument, "cannot open " + path + ": " + std::strerror(errno));
  return file;
}

}  // namespace halocline::cli
