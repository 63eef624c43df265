// Prices and FX rates to the server, answered once each. As TradeStream, with one difference: after a break only the latest
// unanswered price of an instrument (rate of a currency) is sent again; the earlier ones are answered `superseded`.
//
//   PriceStream stream("127.0.0.1:7117", {}, {});     // no callback: the counts are enough
//   stream.publish(price, 0);
//
// Within a batch the server applies prices before rates. Threads: as TradeStream.
#pragma once

#include <string>

#include "client/batch_stream.h"

namespace halocline {

class PriceStream {
 public:
  using Options = StreamOptions;
  using AckCallback = BatchStream::AckCallback;

  PriceStream(std::string server, Options options, AckCallback on_acks);

  // Takes a price or rate; waits while max_unanswered are unanswered. Failures as TradeStream::submit.
  Status publish(const v1::Price& price, std::uint64_t token);
  Status publish(const v1::FxRate& rate, std::uint64_t token);
  // The same, without waiting: kResourceExhausted when there is no room.
  Status try_publish(const v1::Price& price, std::uint64_t token);
  Status try_publish(const v1::FxRate& rate, std::uint64_t token);

  Status flush(std::chrono::nanoseconds timeout) { return stream_.flush(timeout); }
  Status close(std::chrono::nanoseconds timeout) { return stream_.close(timeout); }

  StreamCounts counts() const { return stream_.counts(); }
  Status failure() const { return stream_.failure(); }

 private:
  Status add(int field, const google::protobuf::MessageLite& item, const std::string& name, std::uint64_t token, bool wait);
  BatchStream stream_;
};

}  // namespace halocline
