// Rows and events to API messages. Decimals become e8 integers or exact decimal text, as each field says.
//
// Pure functions, any thread. About 1 us a row.
#pragma once

#include "command/alert.h"
#include "command/port.h"
#include "command/rows.h"
#include "halocline/v1/fix.pb.h"
#include "halocline/v1/reference.pb.h"
#include "halocline/v1/risk.pb.h"

namespace halocline::rpc {

void to_proto(const PositionRow& row, v1::Position& out);
void to_proto(const NodeRow& row, v1::Node& out);
void to_proto(const LimitRow& row, v1::Limit& out);
void to_proto(const AlertRow& row, v1::Alert& out);
void to_proto(const AlertEvent& event, v1::AlertEvent& out);
void to_proto(const TradeRow& row, v1::TradeState& out);
void to_proto(const CurrencyRow& row, v1::ReferenceItem& out);
void to_proto(const NameRow& row, v1::ReferenceItem& out);
void to_proto(const InstrumentRow& row, v1::ReferenceItem& out);
void to_proto(const FixSessionRow& row, v1::FixSession& out);
void to_proto(const StatusReport& report, v1::Status& out);

}  // namespace halocline::rpc
