// The names that rows read in a column which has ids, packed: once for each id, for as long as no name changes.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "command/query.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

class PackedNames {
 public:
  explicit PackedNames(const Column& column) : column_(column) {}

  // Adds the row's name to a packed row.
  void pack(const Reader& reader, std::uint32_t row, ByteBuffer& to) {
    const std::uint64_t version = reader.state.catalog.names_version();
    if (version > version_) {
      by_id_.clear();
      version_ = version;
    }
    const std::uint32_t id = version == version_ ? column_.id(reader, row) : kNoId;
    if (id == kNoId) return halocline::pack(column_.load(reader, row), column_.type, to);  // null, or of books before a name changed
    if (id >= by_id_.size()) by_id_.resize(std::bit_ceil(id + std::size_t{1}));
    std::string& packed = by_id_[id];
    if (packed.empty()) halocline::pack(column_.load(reader, row), column_.type, packed);
    to += packed;
  }

 private:
  const Column& column_;
  std::vector<std::string> by_id_;  // empty: not known
  std::uint64_t version_ = 0;
};

}  // namespace halocline::queries
