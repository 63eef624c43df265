#include "history/catalog/table_names.h"

#include <algorithm>

#include "base/utf8.h"

namespace halocline::iceberg {
namespace {

constexpr char kLevelSeparator = '\x1f';
constexpr std::size_t kMaxFolderName = 64;

Status check_name(const std::string& name, const char* what) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (name.empty()) return Status(Code::kInvalidArgument, std::string(what) + " is empty");
  if (name.size() > kMaxNameBytes) {
    return Status(Code::kInvalidArgument, std::string(what) + " has " + std::to_string(name.size()) + " bytes; at most " +
                                              std::to_string(kMaxNameBytes) + " are taken");
  }
  if (control || !is_utf8(name)) return Status(Code::kInvalidArgument, std::string(what) + " holds a control character or is not UTF-8");
  return ok_status();
}

}  // namespace

std::string text_of(const Namespace& space) {
  std::string text;
  for (const std::string& level : space) text += (text.empty() ? "" : ".") + level;
  return text;
}

std::string text_of(const TableName& table) {
  return table.space.empty() ? table.name : text_of(table.space) + "." + table.name;
}

std::string key_of(const Namespace& space) {
  std::string key;
  for (const std::string& level : space) key += (key.empty() ? "" : std::string(1, kLevelSeparator)) + level;
  return key;
}

std::string key_of(const TableName& table) { return key_of(table.space) + kLevelSeparator + table.name; }

Namespace space_of(std::string_view key) {
  Namespace space;
  while (true) {
    const std::size_t end = key.find(kLevelSeparator);
    space.emplace_back(key.substr(0, end));
    if (end == std::string_view::npos) return space;
    key.remove_prefix(end + 1);
  }
}

Namespace parent_of(const Namespace& space) { return Namespace(space.begin(), space.end() - 1); }

Status check_space(const Namespace& space) {
  if (space.empty()) return Status(Code::kInvalidArgument, "Invalid namespace: it is empty");
  if (space.size() > kMaxNamespaceLevels) {
    return Status(Code::kInvalidArgument, "Invalid namespace: more than " + std::to_string(kMaxNamespaceLevels) + " levels");
  }
  for (const std::string& level : space) {
    if (Status status = check_name(level, "Invalid namespace: a level"); !status.ok()) return status;
  }
  return ok_status();
}

Status check_table(const TableName& table) {
  if (Status status = check_space(table.space); !status.ok()) return status;
  return check_name(table.name, "Invalid table name: it");
}

std::string folder_name(std::string_view name) {
  std::string folder(name.substr(0, kMaxFolderName));
  for (char& c : folder) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return folder;
}

}  // namespace halocline::iceberg
