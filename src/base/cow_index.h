// A hash index from keys that live elsewhere to 32-bit ids, copied in no time like CowArray. Extendible hashing: a directory
// by the leading bits of the hash points to segments of 1024 slots; a full segment is split in two, so growing never
// stops the owner for longer than one segment (no rehash of everything). About 17 bytes a key.
//
//   CowIndex index;
//   std::uint32_t id = index.find(hash, [&](std::uint32_t candidate) { return names[candidate] == name; });
//   if (id == CowIndex::kNone) index.insert(hash, new_id);
//
// Threads: as CowArray.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/cow_array.h"
#include "base/prefetch.h"

namespace halocline {

class CowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFFu;

  CowIndex() {
    directory_.push_back(0);
    segments_.grow_to(1);
    heads_.grow_to(1);
  }

  // The id for which `equal` says yes among those with this hash; kNone when there is none. Expected one probe.
  template <class Equal>
  std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
    const std::uint32_t tag = tag_of(hash);
    const Segment& segment = segments_[directory_[directory_place(tag)]];
    for (std::uint32_t at = tag % kSlots;; at = (at + 1) % kSlots) {
      const Slot slot = segment.slots[at];
      if (slot.value == kEmpty) return kNone;
      if (slot.tag == tag && slot.value != kErased && equal(slot.value - kBias)) return slot.value - kBias;
    }
  }

  // Adds an id (below 2^32 - 16) that find() does not find.
  void insert(std::uint64_t hash, std::uint32_t id) {
    const std::uint32_t tag = tag_of(hash);
    while (heads_[directory_[directory_place(tag)]].used >= kMostUsed) split(directory_place(tag));
    const std::uint32_t segment = directory_[directory_place(tag)];
    place(Slot{tag, id + kBias}, segments_.write(segment));
    ++heads_.write(segment).used;
    ++size_;
  }

  // Removes an id that find() finds.
  void erase(std::uint64_t hash, std::uint32_t id) {
    const std::uint32_t tag = tag_of(hash);
    Segment& segment = segments_.write(directory_[directory_place(tag)]);
    for (std::uint32_t at = tag % kSlots;; at = (at + 1) % kSlots) {
      CHECK(segment.slots[at].value != kEmpty, "an id to erase is not in the index");
      if (segment.slots[at].tag != tag || segment.slots[at].value != id + kBias) continue;
      segment.slots[at].value = kErased;
      --size_;
      return;
    }
  }

  // What it is made of besides its arrays.
  struct Shape {
    std::uint64_t bits = 0, size = 0;
  };
  Shape shape() const { return {bits_, size_}; }
  void set_shape(const Shape& shape) {
    bits_ = static_cast<std::uint32_t>(shape.bits);
    size_ = shape.size;
  }

  // visit(name, array …) for each of its arrays, and the same one of the other indexes, if any.
  template <class Visit, class... Indexes>
  static void each_array(Visit&& visit, Indexes&... indexes) {
    visit("directory", indexes.directory_...);
    visit("segments", indexes.segments_...);
    visit("heads", indexes.heads_...);
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return directory_.bytes() + segments_.bytes() + heads_.bytes(); }

  void prefetch(std::uint64_t hash) const {
    const std::uint32_t tag = tag_of(hash);
    prefetch_line(&segments_[directory_[directory_place(tag)]].slots[tag % kSlots]);
  }

 private:
  static constexpr std::uint32_t kSlots = 1024;
  static constexpr std::uint32_t kMostUsed = kSlots / 8 * 5;  // a look-up of what is not there looks at 4 slots at most on average
  static constexpr std::uint32_t kMostBits = 22;  // the tag's other 10 bits place within a segment
  static constexpr std::uint32_t kEmpty = 0, kErased = 1, kBias = 2;

  struct Slot {
    std::uint32_t tag;
    std::uint32_t value;  // kEmpty, kErased, or the id + kBias
  };
  struct alignas(64) Segment {
    Slot slots[kSlots];
  };
  // What is to be known of a segment before it is touched, in an array small enough to stay in the cache.
  struct SegmentHead {
    std::uint32_t bits;  // leading hash bits that all its keys share
    std::uint32_t used;  // slots that are not empty, erased ones included
  };

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t directory_place(std::uint32_t tag) const { return bits_ == 0 ? 0 : tag >> (32 - bits_); }

  static void place(Slot slot, Segment& segment) {
    std::uint32_t at = slot.tag % kSlots;
    while (segment.slots[at].value != kEmpty) at = (at + 1) % kSlots;
    segment.slots[at] = slot;
  }

  // Divides the segment at this place of the directory by the next bit; erased slots are dropped.
  void split(std::size_t place_in_directory) {
    const std::uint32_t old_id = directory_[place_in_directory];
    const Segment old = segments_[old_id];
    const std::uint32_t bits = heads_[old_id].bits;
    CHECK(bits < kMostBits, "the index is full");
    if (bits == bits_) {
      double_directory();
      place_in_directory *= 2;
    }

    const auto new_id = static_cast<std::uint32_t>(segments_.size());
    segments_.grow_to(segments_.size() + 1);
    heads_.grow_to(segments_.size());
    Segment& stays = segments_.write(old_id);
    Segment& leaves = segments_.write(new_id);  // a chunk of one's own stays where it is when another is written
    stays = Segment{};
    std::uint32_t used[2] = {0, 0};
    for (const Slot slot : old.slots) {
      if (slot.value < kBias) continue;
      const std::uint32_t side = slot.tag >> (31 - bits) & 1;
      place(slot, side != 0 ? leaves : stays);
      ++used[side];
    }
    heads_.write(old_id) = SegmentHead{bits + 1, used[0]};
    heads_.write(new_id) = SegmentHead{bits + 1, used[1]};
    const std::size_t half = std::size_t{1} << (bits_ - bits - 1), first = place_in_directory / (2 * half) * (2 * half);
    for (std::size_t i = first + half; i < first + 2 * half; ++i) directory_.write(i) = new_id;
  }

  void double_directory() {
    CowArray<std::uint32_t> doubled;
    doubled.grow_to(directory_.size() * 2);
    for (std::size_t i = 0; i < doubled.size(); ++i) doubled.write(i) = directory_[i / 2];
    directory_ = std::move(doubled);
    ++bits_;
  }

  CowArray<std::uint32_t> directory_;
  CowArray<Segment> segments_;
  CowArray<SegmentHead, 4096> heads_;
  std::uint32_t bits_ = 0;
  std::size_t size_ = 0;
};

}  // namespace halocline
