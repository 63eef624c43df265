#include "client/price_stream.h"

#include "base/utf8.h"

namespace halocline {
namespace {

constexpr int kPrice = 2, kRate = 3;  // fields of v1::PriceBatch

}  // namespace

PriceStream::PriceStream(std::string server, Options options, AckCallback on_acks)
    : stream_(std::move(server), "/halocline.v1.Ingest/StreamPrices", BatchStream::Replay::kLatestOnly, std::move(options),
              std::move(on_acks)) {}

Status PriceStream::publish(const v1::Price& price, std::uint64_t token) {
  return add(kPrice, price, price.instrument(), token, true);
}
Status PriceStream::publish(const v1::FxRate& rate, std::uint64_t token) {
  return add(kRate, rate, rate.currency(), token, true);
}
Status PriceStream::try_publish(const v1::Price& price, std::uint64_t token) {
  return add(kPrice, price, price.instrument(), token, false);
}
Status PriceStream::try_publish(const v1::FxRate& rate, std::uint64_t token) {
  return add(kRate, rate, rate.currency(), token, false);
}

Status PriceStream::add(int field, const google::protobuf::MessageLite& item, const std::string& name, std::uint64_t token,
                        bool wait) {
  const char* what = field == kPrice ? "instrument" : "currency";
  if (name.size() > BatchStream::kMaxItemBytes / 2) {
    return Status(Code::kInvalidArgument, std::string(what) + " is " + std::to_string(name.size()) + " bytes long, too long to be sent");
  }
  if (!is_utf8(name)) return Status(Code::kInvalidArgument, std::string(what) + " is not UTF-8 text");
  switch (stream_.add(field, item, token, wait)) {
    case BatchStream::Added::kDone: return ok_status();
    case BatchStream::Added::kFull: return Status(Code::kResourceExhausted, "too many prices are unanswered");
    case BatchStream::Added::kFailed: break;
  }
  return stream_.failure();
}

}  // namespace halocline
