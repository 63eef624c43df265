#include "server/record_source.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "journal/journal_reader.h"

namespace halocline {
namespace {

class Source {
 public:
  Source(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  Result<std::vector<std::byte>> read(Seq seq, std::uint32_t count) {
    std::lock_guard lock(mutex_);
    if (reader_ == nullptr || (block_.has_value() && seq < block_->first_seq)) {
      block_.reset();
      Result<std::unique_ptr<JournalReader>> opened = JournalReader::open(disk_, directory_, seq, false);
      if (!opened.ok()) return opened.status();
      reader_ = opened.take();
    }
    while (!block_.has_value() || block_->last_seq() < seq) {
      Result<std::optional<BlockView>> block = reader_->next();
      if (!block.ok() || !block.value().has_value()) {
        reader_.reset();
        block_.reset();
        return block.ok() ? Status(Code::kDataLoss, "the journal ends before seq " + std::to_string(seq) + ", which was durable")
                          : block.status();
      }
      block_ = *block.value();
    }
    std::vector<std::byte> framed;
    for (const Record record : block_->contents()) {
      if (record.seq < seq || record.seq >= seq + count) continue;
      const std::byte* frame = record.payload.data() - kRecordFrameBytes;
      framed.insert(framed.end(), frame, record.payload.data() + record.payload.size());
    }
    return framed;
  }

 private:
  Disk& disk_;
  const std::string directory_;
  std::mutex mutex_;
  std::unique_ptr<JournalReader> reader_;
  std::optional<BlockView> block_;  // the reader's
};

}  // namespace

RecordSource journal_records(Disk& disk, const std::string& directory) {
  return [source = std::make_shared<Source>(disk, directory)](Seq seq, std::uint32_t count) { return source->read(seq, count); };
}

}  // namespace halocline
