// SQL text to a syntax tree. The grammar is in grammar.cc (PEGTL); nothing here knows what the names mean.
//
//   Result<Syntax> tree = parse_query("SELECT desk, SUM(notional) FROM trades GROUP BY desk");
//
// Bounded: text, nesting and tree size have limits (base/limits.h), looked at before or while parsing, so any text of any size is answered
// at once. Errors are kInvalidArgument with line, column, the line itself with a caret, and what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "command/command.h"

namespace halocline::queries {

// Where something stands in the text; counts from 1, columns in bytes.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

enum class SyntaxKind : std::uint8_t {
  kSelect,     // children: kItems, kFrom, then any of those from kAsOf to kGroupBy, kOrderBy, kLimit; text "DISTINCT" or ""
  kItems,      // children: kItem, kStar
  kItem,       // children: expression; text: the alias or ""
  kStar,       // text: the qualifier or ""
  kFrom,       // children: kTable, then perhaps kJoin
  kTable,      // text: the name; children: perhaps kAlias
  kAlias,      // text
  kJoin,       // text "INNER" or "LEFT"; children: kTable, condition
  kAsOf,       // text "SEQ" or ""; children: a number, text, typed text or parameter
  kEffectiveAt,  // children: a text, typed text or parameter
  kWhere, kHaving,  // children: condition
  kGroupBy,    // children: expressions
  kOrderBy,    // children: kOrder
  kOrder,      // children: expression; text: "ASC" or "DESC", followed by " FIRST" or " LAST" when nulls are placed
  kLimit,      // text: the number, or $parameter
  // Expressions.
  kBinary,     // text: OR AND = <> < <= > >= + - * / % LIKE; two children
  kUnary,      // text: NOT - ; one child
  kIs,         // text: NULL TRUE FALSE, after "NOT " when negated; one child
  kIn,         // text: "" or NOT; children: what, then the list
  kBetween,    // text: "" or NOT; three children
  kLike,       // text: "" or NOT; two children, or three with that of ESCAPE
  kCase,       // children: pairs of condition and value, then perhaps kElse; a simple CASE has kOperand first
  kOperand, kElse,  // one child
  kCall,       // text: the function in upper case; children: arguments (kStar for *), then perhaps kFilter; see `distinct`
  kFilter,     // children: condition
  kColumn,     // text: the name; qualifier in `qualifier`
  kNumber, kText, kTypedText,  // text: as written without quotes; kTypedText: qualifier TIMESTAMP or INTERVAL
  kNull, kTrue, kFalse,
  kParameter,  // text: the name
};

struct Syntax {
  SyntaxKind kind{};
  std::string text;
  std::string qualifier;
  bool quoted = false;    // a name in double quotes: taken as it stands
  bool distinct = false;  // COUNT(DISTINCT …)
  Place place;
  std::vector<Syntax> children;
};

// What a text says. SHOW QUERIES is a SELECT from `queries`.
struct Statement {
  enum class Kind : std::uint8_t { kSelect, kCreate, kDrop };
  Kind kind = Kind::kSelect;
  bool explain = false;
  Syntax select;  // not of kDrop
  // Of kCreate and kDrop.
  std::string name;
  bool alert = false;                       // ALERT, not CONTINUOUS QUERY
  AlertLevel severity = AlertLevel::kNone;  // of CREATE ALERT
  std::string select_text;                  // as it was written
};

Result<Statement> parse_query(std::string_view text);

// kInvalidArgument: "line 2, column 7: what", the line, and a caret under the place.
Status error_at(std::string_view text, Place place, const std::string& what);

}  // namespace halocline::queries
