// Names of namespaces and tables as the catalog keeps them: which are taken, keys of its database, folders. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "history/catalog/table_catalog.h"

namespace halocline::iceberg {

// kInvalidArgument: it is empty, too long, too deep, no UTF-8, or has control characters.
Status check_space(const Namespace& space);
Status check_table(const TableName& table);

// The levels with the byte 0x1F between them: docs/formats/catalog.md, "The database".
std::string key_of(const Namespace& space);
std::string key_of(const TableName& table);
Namespace space_of(std::string_view key);
Namespace parent_of(const Namespace& space);

// A name as a folder's: what could mean something to a file system or a URI is replaced.
std::string folder_name(std::string_view name);

}  // namespace halocline::iceberg
