#include "journal/tree_file.h"

#include <charconv>
#include <utility>

#include "base/from_hex.h"

namespace halocline {
namespace {

constexpr std::string_view kWord = "halocline-tree-1";
constexpr std::size_t kMostBytes = 8'192;  // 64 subtrees of 65 characters, and a little

}  // namespace

Status save_tree(Disk& disk, const std::string& path, const JournalId& journal, const MerkleTree& tree) {
  std::string text = std::string(kWord) + " " + hex(journal) + " " + std::to_string(tree.size());
  for (const Digest& digest : tree.frontier()) text += " " + hex(digest);
  text += "\n";
  const std::string fresh = path + ".new";
  if (Status status = disk.remove(fresh); !status.ok() && status.code() != Code::kNotFound) return status;
  Result<std::unique_ptr<File>> file = disk.create(fresh);
  if (!file.ok()) return file.status();
  if (Status status = write_all(*file.value(), 0, std::as_bytes(std::span(text))); !status.ok()) return status;
  return disk.rename(fresh, path);
}

Result<MerkleTree> load_tree(Disk& disk, const std::string& path, const JournalId& journal) {
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return file.status();
  std::string text(kMostBytes, '\0');
  Result<std::size_t> count = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!count.ok()) return count.status();
  text.resize(count.value());
  const std::string begin = std::string(kWord) + " " + hex(journal) + " ";
  const Status broken(Code::kDataLoss, path + " is not where a tree of this journal stood");
  if (!text.starts_with(begin) || text.back() != '\n') return broken;
  const char* at = text.data() + begin.size();
  const char* const end = text.data() + text.size() - 1;
  std::uint64_t size = 0;
  const auto read = std::from_chars(at, end, size);
  if (read.ec != std::errc()) return broken;
  std::vector<Digest> frontier;
  for (at = read.ptr; at != end; at += 1 + 2 * sizeof(Digest)) {
    const std::size_t left = static_cast<std::size_t>(end - at);
    if (*at != ' ' || left < 1 + 2 * sizeof(Digest)) return broken;
    if (!from_hex({at + 1, 2 * sizeof(Digest)}, frontier.emplace_back())) return broken;
  }
  Result<MerkleTree> tree = MerkleTree::of(size, std::move(frontier));
  if (!tree.ok()) return broken;
  return tree;
}

}  // namespace halocline
