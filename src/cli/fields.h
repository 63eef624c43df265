// Fields of trades, prices and reference data by name and text, as they come from flags, CSV headers and JSON keys. The
// names are those of the API without unit: quantity, price, trade_time, stale_after … Decimals are exact. A failure
// (kInvalidArgument) names the field, shows the text and says what would be right.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "halocline/v1/ingest.pb.h"
#include "halocline/v1/reference.pb.h"

namespace halocline::cli {

extern const std::vector<std::string> kTradeFields;
extern const std::vector<std::string> kPriceFields;   // instrument, price, time
extern const std::vector<std::string> kRateFields;    // currency, rate, time

// Sets one field; an empty text leaves the default (version 1, action NEW, everything else empty or zero).
Status set_field(v1::Trade& trade, std::string_view name, const std::string& text);
Status set_field(v1::Price& price, std::string_view name, const std::string& text);
Status set_field(v1::FxRate& rate, std::string_view name, const std::string& text);

// The kinds of reference data ("firm", "currency", "desk", "book", "trader", "counterparty", "instrument") and their fields.
const std::vector<std::pair<std::string, std::vector<std::string>>>& reference_kinds();
// An item of the kind, to be given fields; kInvalidArgument for an unknown kind.
Result<v1::ReferenceItem> new_item(const std::string& kind);
Status set_field(v1::ReferenceItem& item, std::string_view name, const std::string& text);
// "book rates-1", for messages.
std::string item_text(const v1::ReferenceItem& item);

// "unknown field qty: did you mean quantity?"
Status unknown_field(std::string_view name, const std::vector<std::string>& known);

// One line of JSON with a flat object, as names and texts; numbers as they are written. kInvalidArgument for anything else.
Result<std::vector<std::pair<std::string, std::string>>> parse_json_fields(const std::string& line);

}  // namespace halocline::cli
