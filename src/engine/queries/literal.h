// Numbers, texts, times, intervals, TRUE, FALSE and NULL as they are written in a query.
#pragma once

#include <optional>
#include <string>

#include "command/as_of.h"
#include "engine/queries/expression.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

// The constant a kNumber, kText, kTypedText, kNull, kTrue or kFalse means, or `wrong` says why it means none.
std::optional<Expression> literal_of(const Syntax& literal, std::string& wrong);

// What AS OF is followed by, which must be a constant: a seq, or a time as a timestamp or a text. False: `wrong` says why it is none.
bool read_as_of(const Expression& instant, bool is_seq, AsOf& out, std::string& wrong);
// The same of EFFECTIVE AT, which takes no seq.
bool read_effective_at(const Expression& instant, AsOf& out, std::string& wrong);

}  // namespace halocline::queries
