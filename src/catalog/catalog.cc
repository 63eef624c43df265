#include "catalog/catalog.h"

#include "base/hash.h"

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
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace halocline
