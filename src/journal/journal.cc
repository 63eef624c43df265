#include "journal/journal.h"

namespace halocline {

Result<Durability> parse_durability(const std::string& text) {
  if (text == "fsync") return Durability::kFsync;
  if (text == "os") return Durability::kOs;
  if (text == "memory") return Durability::kMemory;
  return Status(Code::kInvalidArgument, "durability \"" + text + "\" is none of fsync, os, memory");
}

const char* durability_name(Durability durability) {
  switch (durability) {
    case Durability::kFsync: return "fsync";
    case Durability::kOs: return "os";
    case Durability::kMemory: return "memory";
  }
  return "unknown";
}

}  // namespace halocline
