#include "journal/head_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/folder_of.h"
#include "base/private_file.h"

namespace halocline {
namespace {

constexpr std::uint64_t kRecentBytes = 4u << 20;
constexpr std::size_t kMostRoots = 16'384;
constexpr std::uint64_t kMostWitnessBytes = std::uint64_t{4} << 30;

std::string new_key_path(const HeadLogPaths& paths) { return paths.directory + "/key.new.pem"; }

Result<std::string> read_text(File& file, std::uint64_t from, std::uint64_t to) {
  std::string text(to - from, '\0');
  Result<std::size_t> count = read_all(file, from, std::as_writable_bytes(std::span(text)));
  if (!count.ok()) return count.status();
  text.resize(count.value());
  return text;
}

// Where the last whole line ends; the rest is torn. A line with zero bytes is one whose sectors did not all arrive.
std::size_t whole_end(std::string_view text) {
  std::size_t end = text.rfind('\n') + 1;  // 0 when there is none
  if (end == 0) return 0;
  const std::size_t before = end < 2 ? std::string_view::npos : text.rfind('\n', end - 2);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, end - begin).find('\0') == std::string_view::npos ? end : begin;
}

Status set_aside(const HeadLogPaths& paths, const std::string& why) {
  return Status(Code::kFailedPrecondition,
                paths.witness + ": " + why +
                    "; if that is meant, move the file away (and keep it): a new one begins with the key there is");
}

}  // namespace

HeadLog::HeadLog(HeadLogPaths paths, const JournalId& journal, SigningKey key)
    : paths_(std::move(paths)), journal_(journal), key_(std::move(key)) {}

Result<SigningKey> HeadLog::take_key(Disk& disk, const HeadLogPaths& paths, bool may_make) {
  Result<std::string> pem = read_private_file(paths.key());
  if (pem.ok()) {
    Result<SigningKey> key = SigningKey::from_pem(pem.value());
    if (!key.ok()) return Status(Code::kFailedPrecondition, paths.key() + ": " + key.status().message());
    return key;
  }
  if (pem.status().code() != Code::kNotFound) return pem.status();
  if (!may_make) {
    return Status(Code::kFailedPrecondition, "there is no " + paths.key() + ", which signs " + paths.witness +
                                                 ": put it back, or move the witness file away (and keep it) to begin with a new key");
  }
  Result<SigningKey> key = SigningKey::generate();
  if (!key.ok()) return key;
  // Whole under its name, or not there.
  static_cast<void>(disk.remove(new_key_path(paths)));
  if (Status status = write_private_file(new_key_path(paths), key.value().pem()); !status.ok()) return status;
  if (Status status = disk.rename(new_key_path(paths), paths.key()); !status.ok()) return status;
  if (Status status = disk.sync_directory(paths.directory); !status.ok()) return status;
  return key;
}

// Which key signs what comes next, the newest heads, and where to write.
Status HeadLog::read_end() {
  Result<std::uint64_t> size = file_->size();
  if (!size.ok()) return size.status();
  const std::uint64_t from = size.value() > kRecentBytes ? size.value() - kRecentBytes : 0;
  Result<std::string> read = read_text(*file_, from, size.value());
  if (!read.ok()) return read.status();
  std::string_view text = read.value();
  const std::size_t whole = whole_end(text);
  if (whole < text.size()) {
    const std::string blank(text.size() - whole, '\n');  // empty lines mean nothing
    if (Status status = write_all(*file_, from + whole, std::as_bytes(std::span(blank))); !status.ok()) return status;
    if (Status status = file_->sync_data(); !status.ok()) return status;
  }
  end_ = touched_ = size.value();
  text = text.substr(0, whole);
  if (from > 0) text.remove_prefix(text.find('\n') + 1);  // the rest of a line
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (line.empty()) continue;
    const Result<WitnessLine> parsed = parse_witness_line(line);
    const bool last = text.find_first_not_of('\n') == std::string_view::npos;
    if (!parsed.ok()) {
      if (last) return Status(Code::kDataLoss, paths_.witness + ": its last line: " + parsed.status().message());
      continue;  // `halocline audit verify` looks at every line
    }
    const TreeHead* head = parsed.value().head();
    const KeyIntroduction* introduction = parsed.value().introduction();
    const JournalId& journal = head != nullptr ? head->journal : introduction->journal;
    if (journal != journal_) return set_aside(paths_, "it is of another journal, " + hex(journal));
    next_signer_ = introduction != nullptr ? introduction->key : parsed.value().signer;
    if (head != nullptr) roots_.insert_or_assign(head->size, head->root);
  }
  roots_at_start_ = roots_;
  return ok_status();
}

Status HeadLog::introduce(const PublicKey& key, const SigningKey& by, Nanos now) {
  const std::lock_guard lock(mutex_);
  if (Status status = append_locked(signed_line(KeyIntroduction{journal_, key, now}, by)); !status.ok()) return status;
  next_signer_ = key;
  return ok_status();
}

Result<std::unique_ptr<HeadLog>> HeadLog::open(Disk& disk, const HeadLogPaths& paths, const JournalId& journal, Nanos now) {
  if (Status status = disk.make_directory(paths.directory); !status.ok()) return status;
  Result<std::unique_ptr<File>> file = disk.open(paths.witness, Access::kReadWrite);
  if (!file.ok() && file.status().code() != Code::kNotFound) return file.status();
  Result<SigningKey> key = take_key(disk, paths, !file.ok());
  if (!key.ok()) return key.status();
  if (!file.ok()) {
    file = disk.create(paths.witness);
    if (!file.ok()) return file.status();
    if (Status status = disk.sync_directory(folder_of(paths.witness)); !status.ok()) return status;
  }
  std::unique_ptr<HeadLog> log(new HeadLog(paths, journal, key.take()));
  log->file_ = file.take();
  if (Status status = log->read_end(); !status.ok()) return status;
  if (!log->next_signer_.has_value()) {
    if (Status status = log->introduce(log->public_key(), log->key_, now); !status.ok()) return status;
  }
  if (log->next_signer_ == log->public_key()) return log;
  // A rotation that a crash fell into: the new key was introduced, and is not yet in the place of the old one.
  if (Result<std::string> pem = read_private_file(new_key_path(paths)); pem.ok()) {
    const Result<SigningKey> next = SigningKey::from_pem(pem.value());
    if (next.ok() && next.value().public_key() == log->next_signer_) {
      if (Status status = disk.rename(new_key_path(paths), paths.key()); !status.ok()) return status;
      if (Status status = disk.sync_directory(paths.directory); !status.ok()) return status;
      log.reset();
      return open(disk, paths, journal, now);
    }
  }
  return set_aside(paths, "the key that signs its last line is " + hex(*log->next_signer_) + ", and " + paths.key() + " is " +
                              hex(log->public_key()));
}

Result<PublicKey> HeadLog::rotate(Disk& disk, const HeadLogPaths& paths, const JournalId& journal, Nanos now) {
  Result<std::unique_ptr<HeadLog>> log = open(disk, paths, journal, now);
  if (!log.ok()) return log.status();
  Result<SigningKey> next = SigningKey::generate();
  if (!next.ok()) return next.status();
  if (Status status = disk.remove(new_key_path(paths)); !status.ok() && status.code() != Code::kNotFound) return status;
  if (Status status = write_private_file(new_key_path(paths), next.value().pem()); !status.ok()) return status;
  const PublicKey key = next.value().public_key();
  if (Status status = log.value()->introduce(key, log.value()->key_, now); !status.ok()) return status;
  if (Status status = disk.rename(new_key_path(paths), paths.key()); !status.ok()) return status;
  if (Status status = disk.sync_directory(paths.directory); !status.ok()) return status;
  return key;
}

Result<std::string> HeadLog::sign(TreeHead head) {
  head.journal = journal_;
  {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = roots_.try_emplace(head.size, head.root);
    if (!is_new && known->second != head.root) {
      return Status(Code::kDataLoss, "a head of the first " + std::to_string(head.size) + " records with root " + hex(known->second) +
                                         " was signed, and now they have root " + hex(head.root) +
                                         ": the journal is not what it was (`halocline audit verify`)");
    }
    if (roots_.size() > kMostRoots) roots_.erase(roots_.begin());
  }
  return signed_line(head, key_);
}

void HeadLog::tell_tree(MerkleTree tree) {
  const std::lock_guard lock(mutex_);
  told_ = std::move(tree);
}

std::optional<MerkleTree> HeadLog::told_tree() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

Status HeadLog::append(const std::string& line) {
  const std::lock_guard lock(mutex_);
  return append_locked(line);
}

Status HeadLog::append_locked(std::string_view text) {
  std::string line = std::string(text) + "\n";
  // What a failed write may have left here is written over, to its end.
  if (end_ + line.size() < touched_) line.append(touched_ - end_ - line.size(), '\n');
  touched_ = std::max(touched_, end_ + line.size());
  if (Status status = write_all(*file_, end_, std::as_bytes(std::span(line))); !status.ok()) return status;
  if (Status status = file_->sync_data(); !status.ok()) return status;
  end_ += line.size();
  return ok_status();
}

Result<std::unique_ptr<WitnessText>> read_witness(Disk& disk, const std::string& path) {
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return file.status();
  Result<std::uint64_t> size = file.value()->size();
  if (!size.ok()) return size.status();
  if (size.value() > kMostWitnessBytes) return Status(Code::kResourceExhausted, path + " is longer than 4 GiB");
  Result<std::string> read = read_text(*file.value(), 0, size.value());
  if (!read.ok()) return read.status();
  auto witness = std::make_unique<WitnessText>();
  witness->bytes = read.take();
  const std::size_t whole = whole_end(witness->bytes);
  witness->torn = whole < witness->bytes.size();
  std::string_view text = std::string_view(witness->bytes).substr(0, whole);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (!line.empty()) witness->lines.push_back({number, line});
  }
  return witness;
}

}  // namespace halocline
