// Small files that are nobody's business but their owner's: keys. Not behind Disk, which knows no permissions. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace halocline {

// A new file of mode 0600, durable with its name when this returns. kAlreadyExists, kIo, kResourceExhausted.
Status write_private_file(const std::string& path, std::string_view bytes);
// kNotFound: there is none. kFailedPrecondition: others than its owner may read or write it. kResourceExhausted: longer than 64 KiB.
Result<std::string> read_private_file(const std::string& path);

}  // namespace halocline
