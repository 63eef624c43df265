// A growing array in fixed-size chunks that can be copied in no time: the copy shares every chunk, and whoever writes first
// copies the chunk it writes. This is how a snapshot of the books costs next to nothing and no reader ever stops the engine.
//
//   CowArray<Trade> trades;
//   trades.push_back(t);
//   CowArray<Trade> frozen = trades;       // O(chunks / 256)
//   trades.write(7).price = 5;             // copies one chunk; `frozen` still has the old one
//
// Each CowArray object belongs to one thread at a time, but copies that share chunks may live, be read, written and dropped on
// different threads. A copy is made on the thread that owns the original, or, of one that nobody writes any more (a snapshot), on any, at
// the same time too. References from operator[] hold until the next write to, or growth of, the same object; those from write() too.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/prefetch.h"
#include "base/slab.h"

namespace halocline {

// AddressSanitizer is to know of each chunk.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSlabs = false;
#elif defined(__has_feature)
inline constexpr bool kSlabs = !__has_feature(address_sanitizer);
#else
inline constexpr bool kSlabs = true;
#endif

template <class T, std::size_t kChunkBytes = 8192>
class CowArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  // Elements in a chunk: a power of two, at least one.
  static constexpr std::size_t kPerChunk = std::bit_floor(std::max<std::size_t>(1, kChunkBytes / sizeof(T)));
  static constexpr std::size_t kChunksPerPage = 256;

  CowArray() = default;
  CowArray(const CowArray& other) : pages_(other.pages_), size_(other.size_) {
    for (Page* page : pages_) {
      // Before anybody can see that the page is shared: several threads may copy the same array, which nobody writes then.
      if (page->refs.load(std::memory_order_acquire) == 1) page->disown();
      page->refs.fetch_add(1, std::memory_order_acq_rel);
    }
  }
  CowArray(CowArray&& other) noexcept : pages_(std::move(other.pages_)), size_(std::exchange(other.size_, 0)) {
    other.pages_.clear();
  }
  CowArray& operator=(CowArray other) noexcept {
    pages_.swap(other.pages_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~CowArray() {
    for (Page* page : pages_) drop(page);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  const T& operator[](std::size_t i) const { return chunk_of(i)->items[i % kPerChunk]; }

  // The element for writing, in a chunk of one's own.
  [[gnu::always_inline]] T& write(std::size_t i) {
    Page* page = pages_[i / kPerPage];
    const std::size_t at = i / kPerChunk % kChunksPerPage;
    if (__builtin_expect(!page->owns(at), 0)) page = own(pages_[i / kPerPage], at);
    T* item = &page->chunks[at]->items[i % kPerChunk];
    asm("" : "+r"(item));  // GCC would work out the address again for each field
    return *item;
  }

  void push_back(const T& item) {
    grow_to(size_ + 1);
    write(size_ - 1) = item;
  }

  // Adds zero-initialised elements up to `size`.
  void grow_to(std::size_t size) {
    CHECK(size >= size_);
    const std::size_t chunks_needed = (size + kPerChunk - 1) / kPerChunk;
    for (std::size_t c = (size_ + kPerChunk - 1) / kPerChunk; c < chunks_needed; ++c) {
      if (c % kChunksPerPage == 0) pages_.push_back(new Page);
      Page*& page = pages_[c / kChunksPerPage];
      if (page->refs.load(std::memory_order_acquire) != 1) page = own_page(page);
      if (kSlabs && c == kManyChunks - kChunksPerPage) Slab::keep_ahead();
      Chunk* const chunk = page->chunks[c % kChunksPerPage] = make_chunk(c);
      std::memset(static_cast<void*>(chunk->items), 0, sizeof chunk->items);
      page->set_owned(c % kChunksPerPage);
    }
    size_ = size;
  }

  // For those who write the array down: how many chunks it has, and the elements of one.
  std::size_t chunks() const { return (size_ + kPerChunk - 1) / kPerChunk; }
  std::span<const T> chunk(std::size_t c) const {
    return {pages_[c / kChunksPerPage]->chunks[c % kChunksPerPage]->items, std::min(kPerChunk, size_ - c * kPerChunk)};
  }
  // For those who take it up again: an empty array gets so many elements, of any content; then chunks are filled, by one thread or several.
  void make(std::size_t size) {
    CHECK(size_ == 0);
    const std::size_t needed = (size + kPerChunk - 1) / kPerChunk;
    for (std::size_t c = 0; c < needed; ++c) {
      if (c % kChunksPerPage == 0) pages_.push_back(new Page);
      pages_.back()->chunks[c % kChunksPerPage] = make_chunk(c);
      pages_.back()->set_owned(c % kChunksPerPage);
    }
    size_ = size;
  }
  std::span<T> fill(std::size_t c) { return {pages_[c / kChunksPerPage]->chunks[c % kChunksPerPage]->items, kPerChunk}; }

  // Tells the processor to fetch an element.
  void prefetch(std::size_t i) const {
    const char* item = reinterpret_cast<const char*>(&chunk_of(i)->items[i % kPerChunk]);
    prefetch_line(item);
    if constexpr (sizeof(T) > 64) prefetch_line(item + sizeof(T) - 1);
  }

  // Bytes of the chunks that another array does not refer to at the same place.
  std::size_t bytes_apart(const CowArray& other) const {
    std::size_t bytes = 0;
    for (std::size_t p = 0; p < pages_.size(); ++p) {
      const Page* there = p < other.pages_.size() ? other.pages_[p] : nullptr;
      if (there == pages_[p]) continue;
      bytes += sizeof(Page);
      for (std::size_t c = 0; c < kChunksPerPage && pages_[p]->chunks[c] != nullptr; ++c) {
        if (there == nullptr || there->chunks[c] != pages_[p]->chunks[c]) bytes += sizeof(Chunk);
      }
    }
    return bytes;
  }

  // Bytes of the chunks this object refers to, shared or not.
  std::size_t bytes() const { return (size_ + kPerChunk - 1) / kPerChunk * sizeof(Chunk) + pages_.size() * sizeof(Page); }

 private:
  static constexpr std::size_t kPerPage = kPerChunk * kChunksPerPage;

  // A small array would waste most of a region. One beyond the few chunks comes from a slab where that costs no first touch, and beyond
  // the many in any case: up to there it is often faster only by less than the first touch costs.
  static constexpr std::size_t kFewChunks = 64;     // 512 KiB
  static constexpr std::size_t kManyChunks = 4'096;  // 32 MiB

  struct Chunk {
    std::atomic<std::uint32_t> refs{1};  // pages that point to it
    bool of_slab;
    T items[kPerChunk];
  };
  // `owned`: one array points to the page and no other page to that chunk, known without touching either's count. Set by the page's only
  // owner; nothing is owned any more when that is copied.
  struct Page {
    std::atomic<std::uint32_t> refs{1};  // arrays that point to it
    std::array<std::atomic<bool>, kChunksPerPage> owned{};
    Chunk* chunks[kChunksPerPage] = {};

    bool owns(std::size_t at) const { return owned[at].load(std::memory_order_relaxed); }
    void set_owned(std::size_t at) { owned[at].store(true, std::memory_order_relaxed); }
    void disown() {
      for (std::atomic<bool>& one : owned) one.store(false, std::memory_order_relaxed);
    }
  };

  const Chunk* chunk_of(std::size_t i) const { return pages_[i / kPerPage]->chunks[i / kPerChunk % kChunksPerPage]; }

  static Slab& slab() {
    static Slab* const slab = new Slab(sizeof(Chunk));  // for as long as the process lives: so may an array
    return *slab;
  }
  // Of the array's c-th place, with items of any content.
  static Chunk* make_chunk(std::size_t c) {
    static_assert(alignof(Chunk) <= Slab::kAlignment);
    void* piece = nullptr;
    if (kSlabs && c >= kFewChunks) piece = c >= kManyChunks ? slab().take() : slab().take_ready();
    Chunk* const chunk = piece != nullptr ? new (piece) Chunk : new Chunk;
    chunk->of_slab = piece != nullptr;
    return chunk;
  }

  // A page of one's own with the same chunks, which from then on belong to both.
  static Page* own_page(Page* shared) {
    Page* own = new Page;
    for (std::size_t i = 0; i < kChunksPerPage; ++i) {
      own->chunks[i] = shared->chunks[i];
      if (own->chunks[i] != nullptr) own->chunks[i]->refs.fetch_add(1, std::memory_order_relaxed);
    }
    drop(shared);
    return own;
  }

  // Makes that chunk of the page one's own, and the page.
  [[gnu::noinline]] static Page* own(Page*& place, std::size_t at) {
    if (place->refs.load(std::memory_order_acquire) != 1) place = own_page(place);
    Page& page = *place;
    Chunk* shared = page.chunks[at];
    if (shared->refs.load(std::memory_order_acquire) != 1) {
      Chunk* copy = make_chunk(shared->of_slab ? kManyChunks : 0);
      std::copy(std::begin(shared->items), std::end(shared->items), std::begin(copy->items));
      page.chunks[at] = copy;
      drop(shared);
    }
    page.set_owned(at);
    return place;
  }

  static void drop(Chunk* chunk) {
    if (chunk->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    chunk->of_slab ? Slab::give(chunk) : delete chunk;
  }

  static void drop(Page* page) {
    if (page->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    for (Chunk* chunk : page->chunks) {
      if (chunk != nullptr) drop(chunk);
    }
    delete page;
  }

  std::vector<Page*> pages_;
  std::size_t size_ = 0;
};

}  // namespace halocline
