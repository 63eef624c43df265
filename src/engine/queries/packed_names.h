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

  struct Packed {
    std::string bytes;  // empty: not known
    std::uint64_t hash = 0;
  };

  // The row's name, until the next call; nullptr when it is null, or of books before a name changed.
  const Packed* find(const Reader& reader, std::uint32_t row) {
    const std::uint64_t version = reader.state.catalog.names_version();
    if (version > version_) {
      by_id_.clear();
      version_ = version;
    }
    const std::uint32_t id = version == version_ ? column_.id(reader, row) : kNoId;
    if (id == kNoId) return nullptr;
    if (id >= by_id_.size()) by_id_.resize(std::bit_ceil(id + std::size_t{1}));
    Packed& packed = by_id_[id];
    if (packed.bytes.empty()) {
      halocline::pack(column_.load(reader, row), column_.type, packed.bytes);
      packed.hash = hash_bytes(packed.bytes);
    }
    return &packed;
  }
  // Adds it to a packed row.
  void pack(const Reader& reader, std::uint32_t row, ByteBuffer& to) {
    const Packed* const packed = find(reader, row);
    packed != nullptr ? void(to += packed->bytes) : halocline::pack(column_.load(reader, row), column_.type, to);
  }

 private:
  const Column& column_;
  std::vector<Packed> by_id_;
  std::uint64_t version_ = 0;
};

}  // namespace halocline::queries
