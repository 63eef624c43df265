// A batch of trades or prices on its way through the gateway: request bytes → records for the core → what became of them →
// answer. Its buffers are kept from one batch to the next, so a stream allocates nothing but the records it gives away.
//
//   batch.wire = …;                                       // the request's bytes
//   if (!read_trades(batch, records, error)) …            // damaged: not a TradeBatch at all
//   submit(records, batch.commands); …; take_acks(batch, acks); fill_answer(batch, answer);
//
// One thread at a time; who hands it over says how (batch_stream.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "command/command.h"
#include "command/port.h"
#include "halocline/v1/ingest.pb.h"

namespace halocline::rpc {

inline constexpr std::uint32_t kMaxBatchItems = 4096;
// Items beyond kMaxBatchItems get an exception each; a request with more than this is refused as a whole.
inline constexpr std::uint32_t kMaxCountedItems = 4 * kMaxBatchItems;

enum class BatchKind : std::uint8_t { kTrades, kPrices };

struct Batch {
  // Refused before it became a command.
  struct Reject {
    std::uint32_t index = 0;  // in the request
    Outcome outcome = Outcome::kNone;
    std::string detail;
  };
  // A command with another outcome than ACCEPTED.
  struct Exception {
    std::uint32_t position = 0;  // among the commands
    Acknowledgement ack;
  };

  BatchKind kind = BatchKind::kTrades;
  std::string wire;
  std::uint64_t batch_id = 0;
  std::uint32_t items = 0;
  std::uint32_t commands = 0;
  std::vector<Reject> rejects;  // by index, ascending
  std::vector<Exception> exceptions;
  Seq first_seq = 0;
  std::uint32_t accepted = 0;
};

// Read batch.wire (a TradeBatch, a PriceBatch): appends the records of its good items and fills in the batch. False when the
// bytes are no such message or hold too many items; `error` is then a sentence. Cost: about 0.1 us a trade.
bool read_trades(Batch& batch, std::vector<std::byte>& records, std::string& error);
bool read_prices(Batch& batch, std::vector<std::byte>& records, std::string& error);

// One Trade message. False when the bytes are none. Texts point into `bytes` and are not looked at.
bool read_trade(std::string_view bytes, Trade& trade);
// The first text of the trade that cannot be taken: its field and what is wrong. False when all can.
bool find_bad_text(const Trade& trade, std::string& field, std::string& detail);

// What became of the batch's commands. Cheap: nothing is put into words yet.
void take_acks(Batch& batch, std::span<const Acknowledgement> acks);

// The answer, with a sentence for each refusal. PriceAcks has the same fields with the same numbers: it goes out as
// TradeAcks bytes too.
void fill_answer(const Batch& batch, v1::TradeAcks& answer);

}  // namespace halocline::rpc
