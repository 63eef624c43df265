// Values by their names. Each stays where it is; to look for one reads two lines of memory, and to grow reads none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/load_bytes.h"
#include "base/prefetch.h"

namespace halocline::queries {

// A name with its hash, which who has both need not work out.
struct HashedName {
  explicit HashedName(std::string_view of) : name(of), hash(hash_bytes(of)) {}
  HashedName(std::string_view of, std::uint64_t hashes_to) : name(of), hash(hashes_to) {}

  std::string_view name;
  std::uint64_t hash;
};

template <class Value>
class NamedTable {
 public:
  using Named = std::pair<const std::string, Value>;

  std::size_t size() const { return size_; }
  // Has brought nearer where the name of that hash is looked for; and, when that has come, what is most likely found there.
  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) prefetch_line(&slots_[home_of(hash)]);
  }
  void prefetch_value(std::uint64_t hash) const {
    if (slots_.empty()) return;
    const Slot& home = slots_[home_of(hash)];
    if (home.hash == hash && home.named != nullptr) prefetch_all(home.named.get());
  }
  // The value of that name, which is made when there is none; and whether it was.
  std::pair<Named*, bool> try_emplace(const HashedName& of) {
    const auto& [name, hash] = of;
    if (4 * (size_ + 1) > 3 * slots_.size()) grow();
    std::size_t at = home_of(hash);
    for (; slots_[at].named != nullptr; at = after(at)) {
      if (slots_[at].hash == hash && same_bytes(slots_[at].named->first, name)) return {slots_[at].named.get(), false};
    }
    slots_[at].hash = hash;
    slots_[at].named = std::make_unique<Named>(std::piecewise_construct, std::forward_as_tuple(name), std::forward_as_tuple());
    ++size_;
    return {slots_[at].named.get(), true};
  }
  // One that is there.
  void erase(const Named& of) {
    std::size_t hole = home_of(hash_bytes(of.first));
    while (slots_[hole].named.get() != &of) hole = after(hole);
    slots_[hole].named.reset();
    // Those behind it that are not at home may fill the hole.
    for (std::size_t at = after(hole); slots_[at].named != nullptr; at = after(at)) {
      const std::size_t home = home_of(slots_[at].hash);
      if (((at - home) & (slots_.size() - 1)) < ((at - hole) & (slots_.size() - 1))) continue;
      slots_[hole] = std::move(slots_[at]);
      hole = at;
    }
    --size_;
  }
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.named != nullptr) visit(*slot.named);
    }
  }

 private:
  static constexpr std::size_t kFewest = 8;
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<Named> named;
  };

  std::size_t home_of(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t after(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void grow() {
    std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kFewest : 2 * slots_.size()));
    for (Slot& slot : before) {
      if (slot.named == nullptr) continue;
      std::size_t at = home_of(slot.hash);
      while (slots_[at].named != nullptr) at = after(at);
      slots_[at] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most three quarters of them taken
  std::size_t size_ = 0;
};

}  // namespace halocline::queries
