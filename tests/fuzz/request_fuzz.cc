// Any bytes as requests of the gRPC API: wire → commands → records → answer. The first byte chooses the message, the rest is it.
// What must hold beside the sanitizers:
//   - what protobuf takes as a TradeBatch or PriceBatch, the gateway's own reader takes, and reads the same;
//   - every record it makes decodes to a command that is within the bounds of a command;
//   - an answer can be put into words for every outcome.
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>

#include "base/check.h"
#include "base/utf8.h"
#include "base/limits.h"
#include "command/codec.h"
#include "gateways/grpc/batch.h"
#include "gateways/grpc/refusal.h"
#include "gateways/grpc/to_command.h"
#include "gateways/grpc/wire.h"

namespace {

using namespace halocline;
using namespace halocline::rpc;

// The commands of records, which must be whole.
std::vector<Command> decode_all(std::span<const std::byte> records) {
  std::vector<Command> commands;
  while (!records.empty()) {
    CHECK(records.size() >= kRecordHeaderBytes);
    std::uint32_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, records.data(), sizeof length);
    std::memcpy(&type, records.data() + 4, sizeof type);
    CHECK(records.size() - kRecordHeaderBytes >= length);
    CHECK(decode(static_cast<CommandType>(type), records.subspan(kRecordHeaderBytes, length), commands.emplace_back()));
    records = records.subspan(kRecordHeaderBytes + length);
  }
  return commands;
}

int clamped(int number) { return number >= 0 && number < 255 ? number : 255; }

void same(const v1::Trade& want, const Trade& got) {
  CHECK(want.source() == got.source && want.trade_id() == got.trade_id && want.version() == got.version);
  CHECK(clamped(want.action()) == static_cast<int>(got.action) && clamped(want.side()) == static_cast<int>(got.side));
  CHECK(want.book() == got.book && want.trader() == got.trader && want.counterparty() == got.counterparty);
  CHECK(want.instrument() == got.instrument && want.quantity_e8() == got.quantity && want.price_e8() == got.price);
  CHECK(want.fees_e8() == got.fees && want.trade_time_ns() == got.trade_time);
}

void same(const v1::TradeReport& want, const TradeReport& got) {
  v1::Trade trade = want.trade();
  trade.set_version(0);  // it is not looked at
  same(trade, got.trade);
  CHECK(want.reference() == got.reference && want.desk() == got.desk && want.currency() == got.currency && want.park() == got.park);
}

// Every outcome for every command of the batch, in turn.
void answer(Batch& batch, std::size_t turn) {
  std::vector<Acknowledgement> acks(batch.commands);
  for (std::size_t i = 0; i < acks.size(); ++i) acks[i] = {i + 1, 0, static_cast<Outcome>((i + turn) % kOutcomeCount)};
  take_acks(batch, acks);
  v1::TradeAcks out;
  fill_answer(batch, out);
  std::uint32_t exceptions = 0, last = 0;
  for (const auto& one : out.exceptions()) {
    CHECK(one.index() < batch.items && (exceptions++ == 0 || one.index() > last), "exceptions are in the order of the items");
    CHECK(is_utf8(one.ack().detail()));
    last = one.index();
  }
  CHECK(out.accepted() + batch.rejects.size() <= batch.items);
}

void trades(const std::string& bytes) {
  Batch batch;
  batch.wire = bytes;
  std::vector<std::byte> records;
  std::string error;
  const bool taken = read_trades(batch, records, error);
  CHECK(records.size() <= limits::kMaxSubmissionBytes);
  v1::TradeBatch request;
  const bool takes =
      request.ParseFromString(bytes) && request.trades_size() + request.reports_size() <= static_cast<int>(kMaxCountedItems);
  CHECK(!takes || taken, "protobuf takes a batch that the gateway refuses: %s", error.c_str());
  if (!taken) return;
  const std::vector<Command> commands = decode_all(records);
  CHECK(commands.size() == batch.commands && commands.size() + batch.rejects.size() == batch.items);
  if (takes) {
    const auto first_report = static_cast<std::uint32_t>(request.trades_size());
    CHECK(request.batch_id() == batch.batch_id && first_report + static_cast<std::uint32_t>(request.reports_size()) == batch.items);
    std::size_t next = 0, reject = 0;
    for (std::uint32_t i = 0; i < batch.items; ++i) {
      if (reject < batch.rejects.size() && batch.rejects[reject].index == i) {
        ++reject;
      } else if (i < first_report) {
        same(request.trades(static_cast<int>(i)), std::get<Trade>(commands[next++]));
      } else {
        same(request.reports(static_cast<int>(i - first_report)), std::get<TradeReport>(commands[next++]));
      }
    }
  }
  answer(batch, bytes.size());
}

void prices(const std::string& bytes) {
  Batch batch;
  batch.wire = bytes;
  std::vector<std::byte> records;
  std::string error;
  const bool taken = read_prices(batch, records, error);
  v1::PriceBatch request;
  const bool takes =
      request.ParseFromString(bytes) && request.prices_size() + request.rates_size() <= static_cast<int>(kMaxCountedItems);
  CHECK(!takes || taken, "protobuf takes a batch that the gateway refuses: %s", error.c_str());
  if (!taken) return;
  CHECK(decode_all(records).size() == batch.commands);
  if (takes) CHECK(static_cast<std::uint32_t>(request.prices_size() + request.rates_size()) == batch.items);
  answer(batch, bytes.size());
}

template <class Request>
void single(const Request& request) {
  Command command;
  std::vector<Violation> violations;
  const bool taken = to_command(request, command, violations);
  CHECK(taken == violations.empty());
  for (const Violation& violation : violations) CHECK(is_utf8(violation.description));
  if (!taken) return;
  std::vector<std::byte> record;
  append_record(command, record);
  CHECK(record.size() <= limits::kMaxCommandBytes && decode_all(record).size() == 1);
  for (int outcome = 0; outcome < kOutcomeCount; ++outcome) CHECK(is_utf8(refusal_detail(static_cast<Outcome>(outcome), command)));
}

template <class Request>
void single_bytes(const std::string& bytes) {
  Request request;
  if (request.ParseFromString(bytes)) single(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool silent = (google::protobuf::SetLogHandler(nullptr), true);
  static_cast<void>(silent);
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0: trades(bytes); break;
    case 1: prices(bytes); break;
    case 2: {
      v1::UpsertRequest request;
      if (!request.ParseFromString(bytes)) break;
      for (const v1::ReferenceItem& item : request.items()) single(item);
      break;
    }
    case 3: single_bytes<v1::Limit>(bytes); break;
    case 4: single_bytes<v1::RemoveLimitRequest>(bytes); break;
    case 5: single_bytes<v1::AckAlertRequest>(bytes); break;
    case 6: single_bytes<v1::EndOfDayRequest>(bytes); break;
  }
  return 0;
}
