// Numbers, texts, times, intervals, TRUE, FALSE and NULL as they are written in a query.
#pragma once

#include <optional>
#include <string>

#include "engine/queries/expression.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

// The constant a kNumber, kText, kTypedText, kNull, kTrue or kFalse means, or `wrong` says why it means none.
std::optional<Expression> literal_of(const Syntax& literal, std::string& wrong);

}  // namespace halocline::queries
