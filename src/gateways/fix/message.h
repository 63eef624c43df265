// A FIX message as its fields: tag and value, in the order they stand, as views into the text. No dictionary: what stands in which
// group is for whoever reads it. FIX 4.2 volume 2, "Message format"; FIX 4.4 volume 2.
//
//   Message message;
//   if (!message.parse("8=FIX.4.4\x01" "9=…")) …   // no row of tag=value
//   std::string_view account = value_of(message.fields(), tag::kAccount);
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace halocline::fix {

inline constexpr char kSoh = '\x01';

struct Field {
  int tag = 0;
  std::string_view value;
};
using Fields = std::span<const Field>;

// The tags this program reads or writes, by their names in the standard.
namespace tag {
inline constexpr int kAccount = 1, kBeginString = 8, kBodyLength = 9, kCheckSum = 10, kCommission = 12, kCommType = 13,
                     kCurrency = 15, kExecId = 17, kExecRefId = 19, kExecTransType = 20, kSecurityIdSource = 22, kLastPx = 31,
                     kLastQty = 32, kMsgSeqNum = 34, kMsgType = 35, kPossDupFlag = 43, kRefSeqNum = 45, kSecurityId = 48,
                     kSenderCompId = 49, kSendingTime = 52, kSide = 54, kSymbol = 55, kTargetCompId = 56, kText = 58,
                     kTransactTime = 60, kHeartBtInt = 108, kSettlCurrency = 120, kOrigSendingTime = 122, kNoMiscFees = 136,
                     kMiscFeeAmt = 137, kExecType = 150, kMdReqId = 262, kNoMdEntries = 268, kMdEntryType = 269,
                     kMdEntryPx = 270, kMdEntryDate = 272, kMdEntryTime = 273, kMdUpdateAction = 279, kRefTagId = 371,
                     kRefMsgType = 372, kSessionRejectReason = 373, kBusinessRejectRefId = 379, kBusinessRejectReason = 380,
                     kPartyId = 448, kPartyRole = 452, kNoPartyIds = 453, kNoSecurityAltId = 454, kSecurityAltId = 455,
                     kSecurityAltIdSource = 456, kTradeReportTransType = 487, kNoSides = 552, kUsername = 553, kPassword = 554,
                     kTradeReportId = 571, kTradeReportRefId = 572, kTradeReportRejectReason = 751, kTradeReportType = 856,
                     kTrdRptStatus = 939, kBeginSeqNo = 7, kEndSeqNo = 16;
}

class Message {
 public:
  // Reads "tag=value SOH" to the end. False when the text is anything else, a tag is no number above 0, or there are more than kMostFields;
  // a value may be empty. A data field takes as many bytes as the length field before it says. The text outlives the message.
  bool parse(std::string_view text);

  Fields fields() const { return fields_; }
  std::string_view text() const { return text_; }
  // Of the header: the value of the third field, MsgType, when it is that; else empty.
  std::string_view type() const { return type_; }
  // MsgSeqNum; 0 when it is missing or no number above 0.
  std::uint32_t number() const { return number_; }

  static constexpr std::size_t kMostFields = 10'000;

 private:
  std::vector<Field> fields_;
  std::string_view text_, type_;
  std::uint32_t number_ = 0;
};

// The value of the first field of this tag; empty when there is none.
std::string_view value_of(Fields fields, int tag);
// Whether the message type is one of the session layer.
bool is_admin(std::string_view type);
bool is_header_tag(int tag);

// Appends "tag=value SOH".
void append_field(std::string& text, int tag, std::string_view value);

// A whole number without sign, at most kMaxFixNumber; 0 when it is none.
std::uint32_t sequence_number(std::string_view text);
// Nanoseconds of a UTCTimestamp, "20261124-10:42:13[.f…]"; false when it is none.
bool parse_timestamp(std::string_view text, std::int64_t& nanoseconds);

}  // namespace halocline::fix
