// A file named on the command line, or standard input for "-".
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "base/status.h"

namespace halocline::cli {

struct CloseInput {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using Input = std::unique_ptr<std::FILE, CloseInput>;

// kInvalidArgument with the path and the reason when it cannot be opened.
Result<Input> open_input(const std::string& path);

}  // namespace halocline::cli
