// What the tests of the journal share: a log of random records as the oracle, and how to write it and compare. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "journal/faulty_disk_test.h"
#include "journal/file_journal.h"

namespace halocline {

// The exhaustive tests do every so-manieth of their cases where the build makes each one slow.
#if defined(__SANITIZE_THREAD__)
inline constexpr int kOneIn = 23;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int kOneIn = 7;
#else
inline constexpr int kOneIn = 1;
#endif

struct TestRecord {
  std::uint16_t type = 0;
  std::vector<std::byte> payload;
};

inline void append_framed(const TestRecord& record, std::vector<std::byte>& out) {
  const auto length = static_cast<std::uint32_t>(record.payload.size());
  const std::uint16_t flags = 0;
  const auto put = [&out](const void* from, std::size_t count) {
    const auto* bytes = static_cast<const std::byte*>(from);
    out.insert(out.end(), bytes, bytes + count);
  };
  put(&length, 4), put(&record.type, 2), put(&flags, 2);
  out.insert(out.end(), record.payload.begin(), record.payload.end());
}

// Everything that was given to a journal: the record with seq s is records[s - 1].
struct TestLog {
  explicit TestLog(std::uint64_t seed) : random(seed) {}

  std::mt19937_64 random;
  std::vector<TestRecord> records;
  Seq committed = 0;
  std::vector<std::byte> payload;

  std::size_t below(std::size_t bound) { return random() % bound; }

  // A block of the next `count` random records; a view into this.
  BlockView block(std::uint32_t count, std::size_t max_record = 150) {
    BlockView view;
    view.first_seq = records.size() + 1;
    view.time = static_cast<Nanos>(1000 + view.first_seq);
    view.records = count;
    payload.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      TestRecord record;
      record.type = static_cast<std::uint16_t>(random());
      record.payload.resize(below(max_record + 1));
      for (auto& b : record.payload) b = static_cast<std::byte>(random());
      append_framed(record, payload);
      records.push_back(std::move(record));
    }
    view.payload = payload;
    return view;
  }

  Status append(Journal& journal, std::uint32_t count) {
    const std::size_t before = records.size();
    Status status = journal.append(block(count));
    if (status.code() == Code::kResourceExhausted || status.code() == Code::kInvalidArgument) records.resize(before);
    return status;
  }
  Status commit(Journal& journal) {
    const Result<Seq> durable = journal.commit();
    if (!durable.ok()) return durable.status();
    committed = durable.value();
    EXPECT_EQ(committed, records.size());
    return ok_status();
  }
};

// Compares what a recovery or a reader hands out with a log, from seq 1 on.
struct Comparison {
  const TestLog& log;
  Seq next = 1;
  int wrong = 0;

  Status operator()(const BlockView& block) {
    EXPECT_EQ(block.first_seq, next);
    for (const Record record : block.contents()) {
      const bool known = record.seq == next && next <= log.records.size();
      const TestRecord nothing;
      const TestRecord& expected = known ? log.records[next - 1] : nothing;
      const bool same = known && record.type == expected.type &&
                        std::equal(record.payload.begin(), record.payload.end(), expected.payload.begin(), expected.payload.end());
      if (!same) ++wrong;
      EXPECT_TRUE(same || wrong > 3) << "seq " << record.seq;
      ++next;
    }
    return ok_status();
  }
  Seq last() const { return next - 1; }
};

inline const std::string kDirectory = "/journal";

inline FileJournalOptions small_options(std::uint64_t segment_bytes = 16384) {
  FileJournalOptions options;
  options.directory = kDirectory;
  options.segment_bytes = segment_bytes;
  options.background = false;
  options.crash_at = "";
  options.now = 1;
  return options;
}

inline Status ignore_block(const BlockView&) { return ok_status(); }

inline std::string segment_path(std::uint32_t number) { return kDirectory + "/" + segment_name(number); }

}  // namespace halocline
