// Trades to the server, as many as it takes, each answered exactly once: batches, flow control, and resending after a
// break or a crash of the server go by themselves.
//
//   TradeStream stream("127.0.0.1:7117", {}, [&](std::span<const StreamAck> acks) {
//     for (const StreamAck& ack : acks) note(ack.token, ack.outcome, ack.seq);
//   });
//   v1::Trade trade;                       // reuse it: no allocation per trade
//   if (Status status = stream.submit(trade, 42); !status.ok()) return status;
//   return stream.close(std::chrono::seconds(10));   // all answered, or why not
//
// A trade goes out at once when the stream is idle, and in batches that grow with the load when it is not (StreamOptions). A
// trade that had become durable before a break is sent again all the same and answered DUPLICATE, with the seq of its
// acceptance in first_seq: nothing is lost and nothing double. The server does not know an answered trade from an unanswered
// one, only versions; a sender that dies itself sends again what it has no answer for.
//
// Threads: any, for all methods; trades keep the order in which submit() was called. Answers come in that order, on a thread
// of gRPC's, one call at a time. In there only try_submit() may be called. The destructor drops what is unanswered:
// close() first.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "client/batch_stream.h"

namespace halocline {

class TradeStream {
 public:
  using Options = StreamOptions;
  using AckCallback = BatchStream::AckCallback;

  TradeStream(std::string server, Options options, AckCallback on_acks);

  // Takes a trade; `token` comes back with its answer. Waits while max_unanswered trades are unanswered. kInvalidArgument for what
  // can't travel at all (text that is not UTF-8, over 2 KiB); otherwise only when the stream has failed or is closed.
  Status submit(const v1::Trade& trade, std::uint64_t token);

  // A report, which has no version of its own; the rest as above.
  Status submit(const v1::TradeReport& report, std::uint64_t token);

  // The same, without waiting: kResourceExhausted when there is no room.
  Status try_submit(const v1::Trade& trade, std::uint64_t token);

  // Waits until all trades submitted before are answered; kUnavailable when the time is over.
  Status flush(std::chrono::nanoseconds timeout) { return stream_.flush(timeout); }
  // The same, and ends the stream.
  Status close(std::chrono::nanoseconds timeout) { return stream_.close(timeout); }

  StreamCounts counts() const { return stream_.counts(); }
  Status failure() const { return stream_.failure(); }

 private:
  Status add(const v1::Trade& trade, std::uint64_t token, bool wait);
  Status give(int field, const google::protobuf::MessageLite& item, std::uint64_t token, bool wait);
  BatchStream stream_;
};

}  // namespace halocline
