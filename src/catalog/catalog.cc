#include "catalog/catalog.h"

#include <algorithm>

#include "base/hash.h"
#include "base/load_bytes.h"

namespace halocline {
namespace {

std::uint64_t name_hash(NodeKind kind, std::string_view name) {
  return hash_bytes(name, static_cast<std::uint64_t>(kind) * 0x9e3779b97f4a7c15ull);
}

}  // namespace

std::uint32_t Catalog::find_node(NodeKind kind, std::string_view name) const {
  return names_.find(name_hash(kind, name), [&](std::uint32_t id) {
    const NodeRecord& node = nodes[id];
    return node.kind == kind && text[node.name] == name;
  });
}

std::uint32_t Catalog::find_instrument(std::string_view symbol) const {
  const std::uint32_t node = find_node(NodeKind::kInstrument, symbol);
  return node == kNoId ? kNoId : nodes[node].of;
}

std::uint32_t Catalog::find_currency(std::string_view code) const {
  const std::uint32_t node = find_node(NodeKind::kCurrency, code);
  return node == kNoId ? kNoId : nodes[node].of;
}

std::uint32_t Catalog::add_node(NodeKind kind, std::string_view name, std::uint32_t parent, std::uint32_t of) {
  const auto id = static_cast<std::uint32_t>(nodes.size());
  NodeRecord node{};
  node.kind = kind;
  node.name = text.add(name);
  node.parent = parent;
  node.of = of;
  node.first_bucket = node.first_position = kNoId;
  nodes.push_back(node);
  names_.insert(name_hash(kind, name), id);
  ++names_version_;
  return id;
}

void Catalog::rename_node(std::uint32_t id, std::string_view name) {
  const NodeRecord& node = nodes[id];
  names_.erase(name_hash(node.kind, text[node.name]), id);
  names_.insert(name_hash(node.kind, name), id);
  ++names_version_;
  const Text kept = text.add(name);
  nodes.write(id).name = kept;
}

bool valid_name(std::string_view name, std::size_t most) {
  if (name.empty() || name.size() > most) return false;
  // Eight bytes at a time; a last piece is filled up with blanks.
  constexpr std::uint64_t kEach = 0x0101010101010101, kTop = 0x80 * kEach;
  for (std::size_t at = 0; at < name.size(); at += 8) {
    const std::size_t n = std::min<std::size_t>(name.size() - at, 8);
    const std::uint64_t fill = n == 8 ? 0 : (0x20 * kEach) << (8 * n);
    const std::uint64_t bytes = load_bytes(name.data() + at, n) | fill;
    const std::uint64_t del = bytes ^ (0x7f * kEach);
    const std::uint64_t below_blank = (bytes - 0x20 * kEach) & ~bytes & kTop;
    const std::uint64_t is_del = (del - kEach) & ~del & kTop;
    if ((below_blank | is_del) != 0) return false;
  }
  return true;
}

}  // namespace halocline
