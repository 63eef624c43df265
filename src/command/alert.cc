#include "command/alert.h"

namespace halocline {

std::string_view step_name(AlertStep step) {
  switch (step) {
    case AlertStep::kRaised: return "RAISED";
    case AlertStep::kEscalated: return "ESCALATED";
    case AlertStep::kEased: return "EASED";
    case AlertStep::kAcknowledged: return "ACKNOWLEDGED";
    case AlertStep::kCleared: return "CLEARED";
  }
  return "";
}

std::string_view reason_name(AlertReason reason) {
  switch (reason) {
    case AlertReason::kLevel: return "LEVEL";
    case AlertReason::kUnacknowledged: return "UNACKNOWLEDGED";
    case AlertReason::kByUser: return "BY_USER";
    case AlertReason::kLimitRemoved: return "LIMIT_REMOVED";
    case AlertReason::kOverridden: return "OVERRIDDEN";
    case AlertReason::kRow: return "ROW";
    case AlertReason::kQueryDropped: return "QUERY_DROPPED";
    case AlertReason::kQueryFailed: return "QUERY_FAILED";
  }
  return "";
}

std::string_view cause_name(Cause cause) {
  switch (cause) {
    case Cause::kTrade: return "TRADE";
    case Cause::kPrice: return "PRICE";
    case Cause::kFx: return "FX";
    case Cause::kTimer: return "TIMER";
    case Cause::kReference: return "REFERENCE";
    case Cause::kLimit: return "LIMIT";
    case Cause::kAck: return "ACK";
    case Cause::kEndOfDay: return "END_OF_DAY";
    case Cause::kQuery: return "QUERY";
  }
  return "";
}

}  // namespace halocline
