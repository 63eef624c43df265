// Builds typed expressions from parts: which types go with which operation, what is converted to what, constants worked out at once.
// Each function gives the expression, or says in `wrong` why there is none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/queries/expression.h"

namespace halocline::queries {

// "+", "=", "AND", … as the syntax says them.
std::optional<Expression> make_binary(std::string_view op, Expression left, Expression right, std::string& wrong);
// `escape` is a constant of one character, or null as any operand may be.
std::optional<Expression> make_like(Expression text, Expression pattern, std::optional<Expression> escape, std::string& wrong);
std::optional<Expression> make_not(Expression operand, std::string& wrong);
std::optional<Expression> make_negative(Expression operand, std::string& wrong);
// IS NULL, IS TRUE, IS FALSE.
std::optional<Expression> make_test(Operation test, Expression operand, std::string& wrong);
// The list holds constants.
std::optional<Expression> make_in(Expression what, std::vector<Expression> list, std::string& wrong);
// Pairs of condition and value, then the value otherwise.
std::optional<Expression> make_case(std::vector<Expression> parts, std::string& wrong);
std::optional<Expression> make_coalesce(std::vector<Expression> parts, std::string& wrong);
// ABS, ROUND, DATE_TRUNC, NULLIF.
std::optional<Expression> make_function(std::string_view name, std::vector<Expression> arguments, std::string& wrong);

bool is_condition(const Expression& expression);  // bool, or a bare NULL
std::string with_article(ValueType type);         // "a text", "an int"

// "60 seconds", "1 hour 30 minutes", "500 ms"; nothing for anything else.
std::optional<std::int64_t> parse_interval(std::string_view text);

}  // namespace halocline::queries
