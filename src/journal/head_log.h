// Who signs the heads of a journal's Merkle tree, and the witness file they go to (docs/formats/audit.md): one key at a time, made at the
// first start, and lines that are only ever appended.
//
//   Result<std::unique_ptr<HeadLog>> log = HeadLog::open(disk, {"data/audit", "data/audit/witness"}, journal_id, now);
//   Result<std::string> line = log.value()->sign(head);
//   Status status = log.value()->append(line.value());    // when this returns, it is on the disk
//
// sign(), append() and the trees on any thread; the rest by the owner, who alone has the data directory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/ed25519.h"
#include "base/merkle.h"
#include "base/status.h"
#include "journal/tree_head.h"

namespace halocline {

struct HeadLogPaths {
  std::string directory;  // of the key; made when missing
  std::string witness;    // the file; in `directory`, or in a folder that exists

  std::string key() const { return directory + "/key.pem"; }
};

class HeadLog {
 public:
  // Makes the key when there is none, and the file, which begins with the key. Wipes a line that a crash left incomplete.
  // kFailedPrecondition: others may read the key; it is not the one that signs the file's last line; the file is there and no key.
  // kDataLoss: the file's last line is no line, or of another journal.
  static Result<std::unique_ptr<HeadLog>> open(Disk& disk, const HeadLogPaths& paths, const JournalId& journal, Nanos now);

  // A new key, introduced by the old one, which is gone then. Fails as open() does.
  static Result<PublicKey> rotate(Disk& disk, const HeadLogPaths& paths, const JournalId& journal, Nanos now);

  // The line of a head of this journal. kDataLoss: a head of this size with another root is in the file, or was signed here: one journal
  // never gets two.
  Result<std::string> sign(TreeHead head);
  Status append(const std::string& line);

  // Once the head of this tree is there: who follows the journal too goes on from it, and need not work it out again.
  void tell_tree(MerkleTree tree);
  // The one that was told last.
  std::optional<MerkleTree> told_tree() const;

  const PublicKey& public_key() const { return key_.public_key(); }
  // The heads in the last megabytes of the file as it was when it was opened, by size.
  const std::map<std::uint64_t, Digest>& recent() const { return roots_at_start_; }

 private:
  HeadLog(HeadLogPaths paths, const JournalId& journal, SigningKey key);

  static Result<SigningKey> take_key(Disk& disk, const HeadLogPaths& paths, bool may_make);
  Status read_end();
  Status introduce(const PublicKey& key, const SigningKey& by, Nanos now);
  Status append_locked(std::string_view text);

  const HeadLogPaths paths_;
  const JournalId journal_;
  const SigningKey key_;
  std::map<std::uint64_t, Digest> roots_at_start_;

  mutable std::mutex mutex_;
  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;                  // of its last line
  std::uint64_t touched_ = 0;              // of what was ever tried to write
  std::optional<PublicKey> next_signer_;   // of the line that comes next; none: the file is empty
  std::optional<MerkleTree> told_;
  std::map<std::uint64_t, Digest> roots_;  // signed, by size; the newest of them
};

// A witness file as text, for who checks it all. A last line without an end, or with zero bytes in it, was left by a crash or is being
// written: it is not among the lines. Empty lines are where a start wiped one.
struct WitnessText {
  struct Line {
    std::size_t number = 0;  // from 1
    std::string_view text;
  };
  std::string bytes;
  std::vector<Line> lines;  // into the bytes
  bool torn = false;
};
// kNotFound: no such file. kResourceExhausted: longer than 4 GiB.
Result<std::unique_ptr<WitnessText>> read_witness(Disk& disk, const std::string& path);

}  // namespace halocline
