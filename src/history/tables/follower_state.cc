#include "history/tables/follower_state.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/from_hex.h"

namespace halocline {
namespace {

constexpr std::string_view kWord = "halocline-follower-1";
constexpr std::string_view kBegin = "follower-", kEnd = ".txt", kFresh = ".new";
constexpr std::size_t kMostBytes = 1u << 30;

// The words of a line, from the first on.
class Words {
 public:
  explicit Words(std::string_view line) : left_(line) {}

  std::string_view text() {
    const std::size_t end = std::min(left_.find(' '), left_.size());
    const std::string_view word = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return word;
  }
  template <class Number>
  bool number(Number& to) {
    const std::string_view word = text();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), to);
    return error == std::errc() && end == word.data() + word.size() && !word.empty();
  }
  bool bytes(std::span<std::byte> to) { return from_hex(text(), to); }
  bool bytes(std::vector<std::byte>& to) {
    const std::string_view word = text();
    to.resize(word.size() / 2);
    return from_hex(word, to);
  }
  bool done() const { return left_.empty(); }

 private:
  std::string_view left_;
};

std::string text_of(const JournalId& journal, const FollowerState& state) {
  std::string text = std::string(kWord) + " " + hex(journal) + " " + std::to_string(state.seq) + " " + std::to_string(state.time) + " " +
                     hex(state.chain) + "\ntree";
  for (const Digest& digest : state.tree.frontier()) text += " " + hex(digest);
  text += "\n";
  for (const KeptCommand& command : *state.commands) {
    text += std::to_string(command.seq) + " " + std::to_string(command.time) + " " +
            std::to_string(static_cast<unsigned>(command.type)) + " " + hex(command.payload) + "\n";
  }
  text += "sha256 ";
  return text + hex(sha256(text)) + "\n";
}

std::optional<FollowerState> parse(std::string_view text, const JournalId& journal, Seq seq) {
  // The last line is of all before its digest.
  constexpr std::size_t kDigest = 2 * sizeof(Digest) + 1;
  Digest digest{};
  if (text.size() < kDigest || text.back() != '\n' || !from_hex(text.substr(text.size() - kDigest, kDigest - 1), digest)) return {};
  text.remove_suffix(kDigest);
  if (sha256(text) != digest || !text.ends_with("\nsha256 ")) return {};
  text.remove_suffix(std::string_view("sha256 ").size());
  const auto line = [&] {
    const std::size_t end = text.find('\n');
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end + 1);
    return one;
  };
  FollowerState state;
  Words first(line());
  JournalId of{};
  if (first.text() != kWord || !first.bytes(of) || of != journal || !first.number(state.seq) || state.seq != seq) return {};
  if (!first.number(state.time) || !first.bytes(state.chain) || !first.done() || text.empty()) return {};
  Words tree(line());
  std::vector<Digest> frontier;
  if (tree.text() != "tree") return {};
  while (!tree.done()) {
    if (!tree.bytes(frontier.emplace_back())) return {};
  }
  Result<MerkleTree> grown = MerkleTree::of(state.seq, std::move(frontier));
  if (!grown.ok()) return {};
  state.tree = grown.take();
  std::vector<KeptCommand> commands;
  while (!text.empty()) {
    Words words(line());
    KeptCommand& command = commands.emplace_back();
    unsigned type = 0;
    if (!words.number(command.seq) || !words.number(command.time) || !words.number(type) || !words.bytes(command.payload)) return {};
    command.type = static_cast<CommandType>(type);
  }
  state.commands = std::make_shared<const std::vector<KeptCommand>>(std::move(commands));
  return state;
}

}  // namespace

std::string follower_state_name(Seq seq) {
  char number[32];
  std::snprintf(number, sizeof number, "%020llu", static_cast<unsigned long long>(seq));
  return std::string(kBegin) + number + std::string(kEnd);
}

Status save(Disk& disk, const std::string& directory, const JournalId& journal, const FollowerState& state) {
  if (Status status = disk.make_directory(directory); !status.ok()) return status;
  const std::string path = directory + "/" + follower_state_name(state.seq), fresh = path + std::string(kFresh);
  if (Status status = disk.remove(fresh); !status.ok() && status.code() != Code::kNotFound) return status;
  Result<std::unique_ptr<File>> file = disk.create(fresh);
  if (!file.ok()) return file.status();
  const std::string text = text_of(journal, state);
  if (Status status = write_all(*file.value(), 0, std::as_bytes(std::span(text))); !status.ok()) return status;
  if (Status status = file.value()->sync_data(); !status.ok()) return status;
  if (Status status = disk.rename(fresh, path); !status.ok()) return status;
  return disk.sync_directory(directory);
}

Result<FollowerState> load_follower_state(Disk& disk, const std::string& directory, const JournalId& journal, Seq seq) {
  const std::string path = directory + "/" + follower_state_name(seq);
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> size = file.value()->size();
  if (!size.ok()) return size.status();
  const Status broken(Code::kDataLoss, path + " is not where a follower of this journal stood");
  if (size.value() > kMostBytes) return broken;
  std::string text(size.value(), '\0');
  const Result<std::size_t> count = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!count.ok()) return count.status();
  text.resize(count.value());
  std::optional<FollowerState> state = parse(text, journal, seq);
  if (!state.has_value()) return broken;
  return std::move(*state);
}

Status prune_follower_states(Disk& disk, const std::string& directory, const std::vector<Seq>& kept) {
  const Result<std::vector<std::string>> names = disk.list(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : names.value()) {
    const auto is = [&](Seq seq) { return name == follower_state_name(seq); };
    if (!name.starts_with(kBegin) || std::any_of(kept.begin(), kept.end(), is)) continue;
    if (Status status = disk.remove(directory + "/" + name); !status.ok()) return status;
  }
  return ok_status();
}

}  // namespace halocline
