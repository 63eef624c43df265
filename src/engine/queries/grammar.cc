// The grammar of the query language. Keywords in any case; -- and /* */ comments; names are ASCII, or anything in double quotes.
#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include <tao/pegtl.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>

#include "base/closest.h"
#include "base/limits.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {
namespace {

namespace peg = tao::pegtl;

namespace grammar {

using namespace tao::pegtl;

struct comment : sor<seq<two<'-'>, until<eolf>>, seq<string<'/', '*'>, until<string<'*', '/'>>>> {};
struct gap : star<sor<space, comment>> {};
struct word_rest : sor<alnum, one<'_'>> {};
template <char... Letters>
struct word : seq<istring<Letters...>, not_at<word_rest>, gap> {};
template <char... Signs>
struct sign : seq<string<Signs...>, gap> {};

#define HALOCLINE_WORD(name, ...) struct name : word<__VA_ARGS__> {}
HALOCLINE_WORD(w_select, 'S', 'E', 'L', 'E', 'C', 'T');
HALOCLINE_WORD(w_explain, 'E', 'X', 'P', 'L', 'A', 'I', 'N');
HALOCLINE_WORD(w_distinct, 'D', 'I', 'S', 'T', 'I', 'N', 'C', 'T');
HALOCLINE_WORD(w_all, 'A', 'L', 'L');
HALOCLINE_WORD(w_from, 'F', 'R', 'O', 'M');
HALOCLINE_WORD(w_where, 'W', 'H', 'E', 'R', 'E');
HALOCLINE_WORD(w_group, 'G', 'R', 'O', 'U', 'P');
HALOCLINE_WORD(w_having, 'H', 'A', 'V', 'I', 'N', 'G');
HALOCLINE_WORD(w_order, 'O', 'R', 'D', 'E', 'R');
HALOCLINE_WORD(w_by, 'B', 'Y');
HALOCLINE_WORD(w_limit, 'L', 'I', 'M', 'I', 'T');
HALOCLINE_WORD(w_join, 'J', 'O', 'I', 'N');
HALOCLINE_WORD(w_inner, 'I', 'N', 'N', 'E', 'R');
HALOCLINE_WORD(w_left, 'L', 'E', 'F', 'T');
HALOCLINE_WORD(w_outer, 'O', 'U', 'T', 'E', 'R');
HALOCLINE_WORD(w_on, 'O', 'N');
HALOCLINE_WORD(w_as, 'A', 'S');
HALOCLINE_WORD(w_asc, 'A', 'S', 'C');
HALOCLINE_WORD(w_desc, 'D', 'E', 'S', 'C');
HALOCLINE_WORD(w_nulls, 'N', 'U', 'L', 'L', 'S');
HALOCLINE_WORD(w_first, 'F', 'I', 'R', 'S', 'T');
HALOCLINE_WORD(w_last, 'L', 'A', 'S', 'T');
HALOCLINE_WORD(w_and, 'A', 'N', 'D');
HALOCLINE_WORD(w_or, 'O', 'R');
HALOCLINE_WORD(w_not, 'N', 'O', 'T');
HALOCLINE_WORD(w_in, 'I', 'N');
HALOCLINE_WORD(w_set, 'S', 'E', 'T');
HALOCLINE_WORD(w_between, 'B', 'E', 'T', 'W', 'E', 'E', 'N');
HALOCLINE_WORD(w_like, 'L', 'I', 'K', 'E');
HALOCLINE_WORD(w_escape, 'E', 'S', 'C', 'A', 'P', 'E');
HALOCLINE_WORD(w_is, 'I', 'S');
HALOCLINE_WORD(w_null, 'N', 'U', 'L', 'L');
HALOCLINE_WORD(w_undefined, 'U', 'N', 'D', 'E', 'F', 'I', 'N', 'E', 'D');
HALOCLINE_WORD(w_true, 'T', 'R', 'U', 'E');
HALOCLINE_WORD(w_false, 'F', 'A', 'L', 'S', 'E');
HALOCLINE_WORD(w_case, 'C', 'A', 'S', 'E');
HALOCLINE_WORD(w_when, 'W', 'H', 'E', 'N');
HALOCLINE_WORD(w_then, 'T', 'H', 'E', 'N');
HALOCLINE_WORD(w_else, 'E', 'L', 'S', 'E');
HALOCLINE_WORD(w_end, 'E', 'N', 'D');
HALOCLINE_WORD(w_filter, 'F', 'I', 'L', 'T', 'E', 'R');
HALOCLINE_WORD(w_timestamp, 'T', 'I', 'M', 'E', 'S', 'T', 'A', 'M', 'P');
HALOCLINE_WORD(w_interval, 'I', 'N', 'T', 'E', 'R', 'V', 'A', 'L');
HALOCLINE_WORD(w_create, 'C', 'R', 'E', 'A', 'T', 'E');
HALOCLINE_WORD(w_drop, 'D', 'R', 'O', 'P');
HALOCLINE_WORD(w_show, 'S', 'H', 'O', 'W');
HALOCLINE_WORD(w_continuous, 'C', 'O', 'N', 'T', 'I', 'N', 'U', 'O', 'U', 'S');
HALOCLINE_WORD(w_query, 'Q', 'U', 'E', 'R', 'Y');
HALOCLINE_WORD(w_queries, 'Q', 'U', 'E', 'R', 'I', 'E', 'S');
HALOCLINE_WORD(w_alert, 'A', 'L', 'E', 'R', 'T');
HALOCLINE_WORD(w_severity, 'S', 'E', 'V', 'E', 'R', 'I', 'T', 'Y');
HALOCLINE_WORD(w_warn, 'W', 'A', 'R', 'N');
HALOCLINE_WORD(w_breach, 'B', 'R', 'E', 'A', 'C', 'H');
HALOCLINE_WORD(w_of, 'O', 'F');
HALOCLINE_WORD(w_seq, 'S', 'E', 'Q');
HALOCLINE_WORD(w_effective, 'E', 'F', 'F', 'E', 'C', 'T', 'I', 'V', 'E');
HALOCLINE_WORD(w_at, 'A', 'T');
#undef HALOCLINE_WORD

// What cannot be a name without quotes. A rule of its own: that a name is no keyword is nothing to expect.
struct reserved {
  using rule_t = reserved;
  using subs_t = empty_list;

  template <class Input>
  static bool match(Input& in) {
    static constexpr std::array<std::string_view, 28> kWords = {
        "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "JOIN", "INNER", "LEFT", "ON", "AS", "AND",
        "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE", "CASE", "WHEN", "THEN", "ELSE", "END"};
    std::string word;
    for (std::size_t i = 0; i < in.size(0) && word.size() <= 8; ++i) {
      const auto c = static_cast<unsigned char>(in.peek_char(i));
      if (std::isalnum(c) == 0 && c != '_') break;
      word.push_back(static_cast<char>(std::toupper(c)));
    }
    const bool found = word == "FILTER" || std::find(kWords.begin(), kWords.end(), word) != kWords.end();
    if (found) in.bump(word.size());
    return found;
  }
};

struct open : sign<'('> {};
struct close : sign<')'> {};
struct comma : sign<','> {};
struct dot : sign<'.'> {};
struct star_sign : sign<'*'> {};

struct plain_name : seq<not_at<reserved>, sor<alpha, one<'_'>>, star<word_rest>> {};
struct quoted_text : star<sor<two<'"'>, not_one<'"'>>> {};
struct quoted_name : seq<one<'"'>, quoted_text, one<'"'>> {};
struct any_name : sor<plain_name, quoted_name> {};
struct no_name : failure {};
struct name : sor<seq<any_name, gap>, no_name> {};

struct string_text : star<sor<two<'\''>, not_one<'\''>>> {};
struct string_literal : seq<one<'\''>, string_text, one<'\''>, gap> {};
struct digits : plus<digit> {};
struct number_text : sor<seq<digits, opt<one<'.'>, star<digit>>>, seq<one<'.'>, digits>> {};
struct number_suffix : one<'f', 'F', 'd', 'D', 'l', 'L'> {};  // OQL
struct number : seq<number_text, opt<number_suffix>, not_at<word_rest>, gap> {};
struct parameter_name : plus<word_rest> {};
struct parameter : seq<one<'$', ':'>, parameter_name, gap> {};

struct expression;
struct sum;

// CASE [operand] WHEN … THEN … [ELSE …] END
struct case_operand : seq<not_at<w_when>, expression> {};
struct case_when : seq<w_when, expression, w_then, expression> {};
struct case_else : seq<w_else, expression> {};
struct case_of : seq<w_case, opt<case_operand>, plus<case_when>, opt<case_else>, w_end> {};

struct call_name : plain_name {};
struct call_distinct : word<'D', 'I', 'S', 'T', 'I', 'N', 'C', 'T'> {};
struct call_star : seq<one<'*'>, gap> {};
struct filter : seq<w_filter, open, w_where, expression, close> {};
struct call : seq<call_name, gap, open, opt<call_distinct>, opt<sor<call_star, list<expression, comma>>>, close, opt<filter>> {};

struct typed_text : seq<sor<w_timestamp, w_interval>, string_literal> {};
struct null_literal : sor<w_null, w_undefined> {};
struct true_literal : seq<w_true> {};
struct false_literal : seq<w_false> {};
struct column : seq<name, opt<dot, name>> {};
struct bracketed : seq<open, expression, close> {};
struct no_expression : failure {};
struct primary : sor<bracketed, number, string_literal, case_of, typed_text, null_literal, true_literal, false_literal, parameter, call,
    column, no_expression> {};

struct minus : seq<one<'-'>, not_at<one<'-'>>, gap> {};
struct plus_sign : seq<one<'+'>, gap> {};
struct unary : seq<star<sor<minus, plus_sign>>, primary> {};
struct times_operator : seq<one<'*', '/', '%'>, gap> {};
struct product : list<unary, times_operator> {};
struct plus_operator : seq<one<'+', '-'>, gap> {};
struct sum : list<product, plus_operator> {};

struct compare_operator : seq<sor<string<'<', '='>, string<'>', '='>, string<'<', '>'>, string<'!', '='>, string<'=', '='>, one<'<', '>',
    '='>>, gap> {};
struct compare_tail : seq<compare_operator, sum> {};
struct negation : word<'N', 'O', 'T'> {};
struct is_tail : seq<w_is, opt<negation>, sor<null_literal, true_literal, false_literal>> {};
struct in_tail : seq<opt<negation>, w_in, opt<w_set>, open, list<expression, comma>, close> {};
struct between_tail : seq<opt<negation>, w_between, sum, w_and, sum> {};
struct like_tail : seq<opt<negation>, w_like, sum, opt<w_escape, sum>> {};
struct predicate : seq<sum, opt<sor<compare_tail, is_tail, in_tail, between_tail, like_tail>>> {};
struct exclamation : seq<one<'!'>, not_at<one<'='>>, gap> {};  // OQL
struct inversion : seq<star<sor<negation, exclamation>>, predicate> {};
struct and_operator : sor<w_and, sign<'&', '&'>> {};
struct conjunction : list<inversion, and_operator> {};
struct or_operator : sor<w_or, sign<'|', '|'>> {};
struct expression : list<conjunction, or_operator> {};

struct alias : seq<opt<w_as>, name> {};
struct item : seq<expression, opt<alias>> {};
struct item_star : seq<opt<name, dot>, star_sign> {};
struct items : list<sor<item_star, item>, comma> {};
struct as_of_words : seq<w_as, w_of> {};
struct effective_words : seq<w_effective, w_at> {};
struct table : seq<opt<one<'/'>>, name, opt<not_at<sor<as_of_words, effective_words>>, alias>> {};
struct join_left : seq<w_left, opt<w_outer>> {};
struct join_inner : seq<w_inner> {};
struct join : seq<opt<sor<join_left, join_inner>>, w_join, table, w_on, expression> {};
struct from : seq<w_from, table, star<join>> {};
struct as_of_seq : seq<w_seq, sor<number, parameter>> {};
struct as_of_time : sor<typed_text, string_literal, parameter> {};
struct as_of : seq<as_of_words, sor<as_of_seq, as_of_time>> {};
struct effective_at : seq<effective_words, as_of_time> {};
struct instants : sor<seq<as_of, opt<effective_at>>, seq<effective_at, opt<as_of>>> {};
struct where : seq<w_where, expression> {};
struct group_by : seq<w_group, w_by, list<expression, comma>> {};
struct having : seq<w_having, expression> {};
struct descending : seq<w_desc> {};
struct nulls_first : seq<w_nulls, w_first> {};
struct nulls_last : seq<w_nulls, w_last> {};
struct order : seq<expression, opt<sor<w_asc, descending>>, opt<sor<nulls_first, nulls_last>>> {};
struct order_by : seq<w_order, w_by, list<order, comma>> {};
struct limit : seq<w_limit, sor<number, parameter>> {};
struct select_distinct : word<'D', 'I', 'S', 'T', 'I', 'N', 'C', 'T'> {};
struct select : seq<w_select, opt<sor<select_distinct, w_all>>, items, from, opt<instants>, opt<where>, opt<group_by>, opt<having>,
    opt<order_by>,
    opt<limit>> {};
struct explain : seq<w_explain> {};
struct the_end : seq<opt<one<';'>>, gap, eof> {};
struct ask : seq<opt<explain>, select> {};
struct of_query : seq<w_continuous, w_query> {};
struct of_alert : seq<w_alert> {};
struct severity_warn : seq<w_warn> {};
struct severity_breach : seq<w_breach> {};
struct create_what : sor<seq<of_query, name>, seq<of_alert, name, w_severity, sor<severity_warn, severity_breach>>> {};
struct create : seq<w_create, create_what, w_as, select> {};
struct drop : seq<w_drop, sor<of_query, of_alert>, name> {};
struct show : seq<w_show, opt<w_continuous>, w_queries> {};
struct statement : seq<gap, sor<ask, create, drop, show>, the_end> {};

template <class Rule>
using kept = parse_tree::selector<
    Rule,
    parse_tree::store_content::on<plain_name, quoted_text, number_text, string_text, parameter_name, call_name, call_distinct, call_star,
        negation, exclamation,
                                  minus, times_operator, plus_operator, compare_operator, select_distinct, star_sign, w_timestamp,
                                      w_interval,
                                  null_literal, true_literal, false_literal, explain,
                                  of_query, of_alert, severity_warn, severity_breach, descending, nulls_first, nulls_last, join_left,
                                      quoted_name>,
    parse_tree::store_content::on<case_operand, case_else, case_of, filter, call, typed_text, column, parameter, number, string_literal,
        unary,
                                  product, sum, compare_tail, is_tail, in_tail, between_tail, like_tail, predicate, inversion, conjunction,
                                  expression, alias, item, item_star, items, table, join, from, as_of_seq, as_of, effective_at, where,
                                  group_by, having, order, order_by,
                                      limit,
                                  select, ask, create, drop, show, statement>>;

}  // namespace grammar

// --- what was expected where the text went wrong ---

// Rules that are said to a person when they were missing at the furthest place reached.
template <class Rule>
constexpr std::string_view kLabel = {};
template <> constexpr std::string_view kLabel<grammar::w_select> = "SELECT";
template <> constexpr std::string_view kLabel<grammar::w_create> = "CREATE";
template <> constexpr std::string_view kLabel<grammar::w_drop> = "DROP";
template <> constexpr std::string_view kLabel<grammar::w_show> = "SHOW";
template <> constexpr std::string_view kLabel<grammar::w_continuous> = "CONTINUOUS";
template <> constexpr std::string_view kLabel<grammar::w_query> = "QUERY";
template <> constexpr std::string_view kLabel<grammar::w_queries> = "QUERIES";
template <> constexpr std::string_view kLabel<grammar::w_alert> = "ALERT";
template <> constexpr std::string_view kLabel<grammar::w_severity> = "SEVERITY";
template <> constexpr std::string_view kLabel<grammar::w_warn> = "WARN";
template <> constexpr std::string_view kLabel<grammar::w_breach> = "BREACH";
template <> constexpr std::string_view kLabel<grammar::w_from> = "FROM";
template <> constexpr std::string_view kLabel<grammar::w_where> = "WHERE";
template <> constexpr std::string_view kLabel<grammar::w_group> = "GROUP BY";
template <> constexpr std::string_view kLabel<grammar::w_by> = "BY";
template <> constexpr std::string_view kLabel<grammar::w_having> = "HAVING";
template <> constexpr std::string_view kLabel<grammar::w_order> = "ORDER BY";
template <> constexpr std::string_view kLabel<grammar::w_limit> = "LIMIT";
template <> constexpr std::string_view kLabel<grammar::w_seq> = "SEQ";
template <> constexpr std::string_view kLabel<grammar::string_literal> = "a text in quotes";
template <> constexpr std::string_view kLabel<grammar::w_join> = "JOIN";
template <> constexpr std::string_view kLabel<grammar::w_on> = "ON";
template <> constexpr std::string_view kLabel<grammar::w_when> = "WHEN";
template <> constexpr std::string_view kLabel<grammar::w_then> = "THEN";
template <> constexpr std::string_view kLabel<grammar::w_end> = "END";
template <> constexpr std::string_view kLabel<grammar::null_literal> = "NULL";
template <> constexpr std::string_view kLabel<grammar::true_literal> = "TRUE";
template <> constexpr std::string_view kLabel<grammar::false_literal> = "FALSE";
template <> constexpr std::string_view kLabel<grammar::open> = "(";
template <> constexpr std::string_view kLabel<grammar::close> = ")";
template <> constexpr std::string_view kLabel<grammar::comma> = ",";
template <> constexpr std::string_view kLabel<grammar::number> = "a number";
template <> constexpr std::string_view kLabel<grammar::no_name> = "a name";
template <> constexpr std::string_view kLabel<grammar::no_expression> = "an expression";
template <> constexpr std::string_view kLabel<grammar::the_end> = "the end";

struct Furthest {
  std::size_t offset = 0;
  std::vector<std::string_view> expected;

  void note(std::size_t at, std::string_view label) {
    if (at < offset) return;
    if (at > offset) expected.clear();
    offset = at;
    if (std::find(expected.begin(), expected.end(), label) == expected.end()) expected.push_back(label);
  }
};

template <class Rule>
struct Control : peg::normal<Rule> {
  template <class Input, class... States>
  static void failure(const Input& in, Furthest& furthest, States&&...) {
    if constexpr (!kLabel<Rule>.empty()) furthest.note(in.byte(), kLabel<Rule>);
  }
};

using Tree = peg::parse_tree::node;

Place place_of(const Tree& node) {
  const auto at = node.begin();
  return {static_cast<std::uint32_t>(at.line), static_cast<std::uint32_t>(at.column)};
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// A doubled quote stands for one.
std::string undoubled(std::string_view text, char quote) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i]);
    if (text[i] == quote) ++i;
  }
  return out;
}

// --- from PEGTL's tree to ours ---

Syntax node_of(SyntaxKind kind, const Tree& at, std::string text = {}) {
  Syntax out;
  out.kind = kind;
  out.text = std::move(text);
  out.place = place_of(at);
  return out;
}

struct Name {
  std::string text;
  bool quoted = false;
};

Name name_of(const Tree& node) {
  if (node.is_type<grammar::quoted_name>()) return {undoubled(node.children[0]->string_view(), '"'), true};
  return {lower(node.string_view()), false};
}

Syntax expression_of(const Tree& node);

Syntax binary(const Tree& at, std::string op, Syntax left, Syntax right) {
  Syntax out = node_of(SyntaxKind::kBinary, at, std::move(op));
  out.children.push_back(std::move(left));
  out.children.push_back(std::move(right));
  return out;
}

// Operands with operators between them, from left to right; `op` when the operators are all the same.
Syntax chain_of(const Tree& node, const char* op) {
  Syntax out = expression_of(*node.children[0]);
  for (std::size_t i = 1; i < node.children.size();) {
    std::string sign = op;
    const Tree& at = *node.children[i];
    if (sign.empty()) sign = node.children[i++]->string_view().substr(0, 1);
    out = binary(at, sign, std::move(out), expression_of(*node.children[i++]));
  }
  return out;
}

Syntax with_children(SyntaxKind kind, const Tree& node, std::size_t from = 0, std::string text = {}) {
  Syntax out = node_of(kind, node, std::move(text));
  for (std::size_t i = from; i < node.children.size(); ++i) out.children.push_back(expression_of(*node.children[i]));
  return out;
}

std::string comparison(std::string_view text) {
  if (text.starts_with("<=") || text.starts_with(">=") || text.starts_with("<>")) return std::string(text.substr(0, 2));
  if (text.starts_with("!=")) return "<>";
  return std::string(text.substr(0, 1));
}

Syntax predicate_of(const Tree& node) {
  Syntax what = expression_of(*node.children[0]);
  if (node.children.size() == 1) return what;
  const Tree& tail = *node.children[1];
  if (tail.is_type<grammar::compare_tail>()) {
    return binary(*tail.children[0], comparison(tail.children[0]->string_view()), std::move(what), expression_of(*tail.children[1]));
  }
  const bool negated = tail.children[0]->is_type<grammar::negation>();
  const std::size_t first = negated ? 1 : 0;
  const SyntaxKind kind = tail.is_type<grammar::is_tail>()        ? SyntaxKind::kIs
                          : tail.is_type<grammar::in_tail>()      ? SyntaxKind::kIn
                          : tail.is_type<grammar::between_tail>() ? SyntaxKind::kBetween
                                                                  : SyntaxKind::kLike;
  Syntax out = node_of(kind, tail, negated ? "NOT" : "");
  out.children.push_back(std::move(what));
  if (kind == SyntaxKind::kIs) {
    const Tree& state = *tail.children[first];
    if (negated) out.text += ' ';
    out.text += state.is_type<grammar::null_literal>() ? "NULL" : state.is_type<grammar::true_literal>() ? "TRUE" : "FALSE";
    return out;
  }
  for (std::size_t i = first; i < tail.children.size(); ++i) out.children.push_back(expression_of(*tail.children[i]));
  return out;
}

Syntax case_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kCase, node);
  for (const auto& child : node.children) {
    if (child->is_type<grammar::case_operand>()) {
      out.children.push_back(with_children(SyntaxKind::kOperand, *child));
    } else if (child->is_type<grammar::case_else>()) {
      out.children.push_back(with_children(SyntaxKind::kElse, *child));
    } else {
      out.children.push_back(expression_of(*child));
    }
  }
  return out;
}

Syntax call_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kCall, node, upper(node.children[0]->string_view()));
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    const Tree& child = *node.children[i];
    if (child.is_type<grammar::call_distinct>()) {
      out.distinct = true;
    } else if (child.is_type<grammar::call_star>()) {
      out.children.push_back(node_of(SyntaxKind::kStar, child));
    } else if (child.is_type<grammar::filter>()) {
      out.children.push_back(with_children(SyntaxKind::kFilter, child));
    } else {
      out.children.push_back(expression_of(child));
    }
  }
  return out;
}

Syntax column_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kColumn, node);
  const Name last = name_of(*node.children.back());
  out.text = last.text;
  out.quoted = last.quoted;
  if (node.children.size() == 2) out.qualifier = name_of(*node.children[0]).text;
  return out;
}

// NOT NOT x and - - x; leading signs or NOTs, then the operand.
Syntax prefixed(const Tree& node, const char* op) {
  Syntax out = expression_of(*node.children.back());
  for (std::size_t i = 0; i + 1 < node.children.size(); ++i) {
    Syntax outer = node_of(SyntaxKind::kUnary, *node.children[i], op);
    outer.children.push_back(std::move(out));
    out = std::move(outer);
  }
  return out;
}

Syntax expression_of(const Tree& node) {
  if (node.is_type<grammar::expression>()) return chain_of(node, "OR");
  if (node.is_type<grammar::conjunction>()) return chain_of(node, "AND");
  if (node.is_type<grammar::inversion>()) return prefixed(node, "NOT");
  if (node.is_type<grammar::predicate>()) return predicate_of(node);
  if (node.is_type<grammar::sum>() || node.is_type<grammar::product>()) return chain_of(node, "");
  if (node.is_type<grammar::unary>()) return prefixed(node, "-");
  if (node.is_type<grammar::case_of>()) return case_syntax(node);
  if (node.is_type<grammar::call>()) return call_syntax(node);
  if (node.is_type<grammar::column>()) return column_syntax(node);
  if (node.is_type<grammar::number>()) return node_of(SyntaxKind::kNumber, node, std::string(node.children[0]->string_view()));
  if (node.is_type<grammar::string_literal>()) return node_of(SyntaxKind::kText, node, undoubled(node.children[0]->string_view(), '\''));
  if (node.is_type<grammar::parameter>()) return node_of(SyntaxKind::kParameter, node, std::string(node.children[0]->string_view()));
  if (node.is_type<grammar::typed_text>()) {
    Syntax out = node_of(SyntaxKind::kTypedText, node, undoubled(node.children[1]->children[0]->string_view(), '\''));
    out.qualifier = node.children[0]->is_type<grammar::w_timestamp>() ? "TIMESTAMP" : "INTERVAL";
    return out;
  }
  if (node.is_type<grammar::null_literal>()) return node_of(SyntaxKind::kNull, node);
  if (node.is_type<grammar::true_literal>()) return node_of(SyntaxKind::kTrue, node);
  CHECK(node.is_type<grammar::false_literal>(), "a node of the syntax that nothing reads");
  return node_of(SyntaxKind::kFalse, node);
}

// The text as it was written, without the gap behind it.
std::string written(const Tree& node) {
  std::string_view text = node.string_view();
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return std::string(text);
}

Syntax table_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kTable, node, name_of(*node.children[0]).text);
  if (node.children.size() > 1) {
    const Tree& alias = *node.children[1];
    out.children.push_back(node_of(SyntaxKind::kAlias, alias, name_of(*alias.children[0]).text));
  }
  return out;
}

Syntax items_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kItems, node);
  for (const auto& child : node.children) {
    if (child->is_type<grammar::item_star>()) {
      const bool qualified = child->children.size() > 1;
      out.children.push_back(node_of(SyntaxKind::kStar, *child, qualified ? name_of(*child->children[0]).text : ""));
      continue;
    }
    Syntax item = node_of(SyntaxKind::kItem, *child);
    item.children.push_back(expression_of(*child->children[0]));
    if (child->children.size() > 1) {
      const Name alias = name_of(*child->children[1]->children[0]);
      item.text = alias.text;
      item.quoted = alias.quoted;
    } else if (item.children[0].kind != SyntaxKind::kColumn) {
      item.qualifier = written(*child);  // the title of an expression without a name
    }
    out.children.push_back(std::move(item));
  }
  return out;
}

Syntax from_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kFrom, node);
  for (const auto& child : node.children) {
    if (child->is_type<grammar::table>()) {
      out.children.push_back(table_syntax(*child));
      continue;
    }
    const bool left = child->children[0]->is_type<grammar::join_left>();
    Syntax join = node_of(SyntaxKind::kJoin, *child, left ? "LEFT" : "INNER");
    join.children.push_back(table_syntax(*child->children[left ? 1 : 0]));
    join.children.push_back(expression_of(*child->children.back()));
    out.children.push_back(std::move(join));
  }
  return out;
}

Syntax order_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kOrder, node, "ASC");
  out.children.push_back(expression_of(*node.children[0]));
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    if (node.children[i]->is_type<grammar::descending>()) out.text = "DESC";
    if (node.children[i]->is_type<grammar::nulls_first>()) out.text += " FIRST";
    if (node.children[i]->is_type<grammar::nulls_last>()) out.text += " LAST";
  }
  return out;
}

Syntax as_of_syntax(const Tree& node) {
  const bool is_seq = node.children[0]->is_type<grammar::as_of_seq>();
  return with_children(SyntaxKind::kAsOf, is_seq ? *node.children[0] : node, 0, is_seq ? "SEQ" : "");
}

Syntax select_syntax(const Tree& node) {
  Syntax out = node_of(SyntaxKind::kSelect, node);
  for (const auto& child : node.children) {
    if (child->is_type<grammar::as_of>()) out.children.push_back(as_of_syntax(*child));
    if (child->is_type<grammar::effective_at>()) out.children.push_back(with_children(SyntaxKind::kEffectiveAt, *child));
    if (child->is_type<grammar::select_distinct>()) out.text = "DISTINCT";
    if (child->is_type<grammar::items>()) out.children.push_back(items_syntax(*child));
    if (child->is_type<grammar::from>()) out.children.push_back(from_syntax(*child));
    if (child->is_type<grammar::where>()) out.children.push_back(with_children(SyntaxKind::kWhere, *child));
    if (child->is_type<grammar::group_by>()) out.children.push_back(with_children(SyntaxKind::kGroupBy, *child));
    if (child->is_type<grammar::having>()) out.children.push_back(with_children(SyntaxKind::kHaving, *child));
    if (child->is_type<grammar::limit>()) {
      const Syntax bound = expression_of(*child->children[0]);
      out.children.push_back(node_of(SyntaxKind::kLimit, *child, (bound.kind == SyntaxKind::kParameter ? "$" : "") + bound.text));
    }
    if (child->is_type<grammar::order_by>()) {
      Syntax order = node_of(SyntaxKind::kOrderBy, *child);
      for (const auto& one : child->children) order.children.push_back(order_syntax(*one));
      out.children.push_back(std::move(order));
    }
  }
  return out;
}

constexpr std::string_view kShow = "SELECT * FROM queries ORDER BY name";

Statement statement_of(const Tree& node) {
  using enum Statement::Kind;
  Statement out;
  if (node.is_type<grammar::show>()) {
    out = parse_query(kShow).take();
  } else if (node.is_type<grammar::ask>()) {
    out.explain = node.children[0]->is_type<grammar::explain>();
    out.select = select_syntax(*node.children.back());
  } else {
    out.kind = node.is_type<grammar::create>() ? kCreate : kDrop;
    out.name = name_of(*node.children[1]).text;
    out.alert = node.children[0]->is_type<grammar::of_alert>();
    if (out.kind == kDrop) return out;
    if (out.alert) out.severity = node.children[2]->is_type<grammar::severity_breach>() ? AlertLevel::kBreach : AlertLevel::kWarn;
    out.select = select_syntax(*node.children.back());
    out.select_text = written(*node.children.back());
  }
  return out;
}

// --- bounds, looked at before the parser sees the text ---

Place place_at(std::string_view text, std::size_t offset) {
  Place place;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    if (text[i] == '\n') {
      ++place.line, place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Quotes and comments closed, nesting bounded. The parser recurses once a bracket and CASE, so this bounds its stack.
Status check_nesting(std::string_view text) {
  std::size_t depth = 0, cases = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') return error_at(text, place_at(text, i), "a zero byte in the text");
    if (c == '\'' || c == '"') {
      const std::size_t end = text.find(c, i + 1);
      if (end == std::string_view::npos) return error_at(text, place_at(text, i), std::string("the ") + c + " here is never closed");
      i = end;
    } else if (text.substr(i, 2) == "--") {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*") {
      const std::size_t end = text.find("*/", i + 2);
      if (end == std::string_view::npos) return error_at(text, place_at(text, i), "the comment that begins here is never closed");
      i = end + 1;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (depth == 0) return error_at(text, place_at(text, i), "there is no ( for this )");
      --depth;
    } else if (is_word(c) && (i == 0 || !is_word(text[i - 1])) && i + 4 <= text.size() && upper(text.substr(i, 4)) == "CASE" &&
               (i + 4 == text.size() || !is_word(text[i + 4]))) {
      ++cases;
    }
    if (depth + cases > limits::kMaxQueryNesting) {
      return error_at(text, place_at(text, i), "brackets and CASEs nest too deep or are too many; at most " +
          std::to_string(limits::kMaxQueryNesting));
    }
  }
  return ok_status();
}

std::size_t count_nodes(const Syntax& node) {
  std::size_t count = 1;
  for (const Syntax& child : node.children) count += count_nodes(child);
  return count;
}

// How many chains of operators would make a tree deep; they are built by loops, but walked by recursion later.
std::size_t depth_of(const Syntax& node) {
  std::size_t deepest = 0;
  for (const Syntax& child : node.children) deepest = std::max(deepest, depth_of(child));
  return deepest + 1;
}

Status unexpected(std::string_view text, Furthest furthest) {
  // The beginning of the word the parser stumbled in.
  std::size_t at = std::min(furthest.offset, text.size());
  while (at > 0 && at < text.size() && is_word(text[at]) && is_word(text[at - 1])) --at;
  std::size_t end = at;
  while (end < text.size() && is_word(text[end])) ++end;
  if (end == at && at < text.size()) ++end;
  const std::string found(text.substr(at, end - at));
  if (std::find(furthest.expected.begin(), furthest.expected.end(), "an expression") != furthest.expected.end()) {
    static constexpr std::string_view kExpressions[] = {"(", "a number", "a name", "a text in quotes", "NULL", "TRUE", "FALSE"};
    std::erase_if(furthest.expected, [](std::string_view label) {
      return std::find(std::begin(kExpressions), std::end(kExpressions), label) != std::end(kExpressions);
    });
  }
  std::string what = found.empty() ? "the text ends too early" : "unexpected \"" + found + "\"";
  std::string expected;
  for (std::size_t i = 0; i < furthest.expected.size(); ++i) {
    expected += i == 0 ? "; expected " : i + 1 == furthest.expected.size() ? " or " : ", ";
    expected += furthest.expected[i];
  }
  what += expected;
  std::vector<std::string_view> keywords;  // that could stand here
  for (const std::string_view label : furthest.expected) {
    if (std::isupper(static_cast<unsigned char>(label[0])) != 0) keywords.push_back(label.substr(0, label.find(' ')));
  }
  // The misspelt word is the one before as often as this one: an unknown word is first taken for an alias.
  std::size_t before_end = at;
  while (before_end > 0 && !is_word(text[before_end - 1])) --before_end;
  std::size_t before = before_end;
  while (before > 0 && is_word(text[before - 1])) --before;
  for (const std::string& word : {upper(found), upper(text.substr(before, before_end - before))}) {
    const std::string meant = word.size() < 2 ? "" : closest(word, keywords);
    if (!meant.empty() && meant != word && edit_distance(word, meant) <= 2) {
      what += "; did you mean " + meant + "?";
      break;
    }
  }
  return error_at(text, place_at(text, at), what);
}

}  // namespace

Status error_at(std::string_view text, Place place, const std::string& what) {
  std::size_t start = 0;
  for (std::uint32_t line = 1; line < place.line; ++line) start = text.find('\n', start) + 1;
  std::string_view line = text.substr(start, std::min(text.find('\n', start), text.size()) - start);
  // A window of a long line.
  constexpr std::size_t kBefore = 80, kWindow = 120;
  std::size_t caret = place.column - 1;
  if (caret > kBefore) line.remove_prefix(std::min(caret - kBefore, line.size())), caret = kBefore;
  line = line.substr(0, kWindow);
  std::string shown(line);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return Status(Code::kInvalidArgument, "line " + std::to_string(place.line) + ", column " + std::to_string(place.column) + ": " + what +
      "\n  " +
                                            shown + "\n  " + std::string(caret, ' ') + "^");
}

Result<Statement> parse_query(std::string_view text) {
  if (text.size() > limits::kMaxQueryBytes) {
    return Status(Code::kInvalidArgument, "a query of " + std::to_string(text.size()) + " bytes; at most " +
        std::to_string(limits::kMaxQueryBytes));
  }
  if (const Status nesting = check_nesting(text); !nesting.ok()) return nesting;
  peg::memory_input in(text.data(), text.data() + text.size(), "");
  Furthest furthest;
  const auto root = peg::parse_tree::parse<grammar::statement, grammar::kept, peg::nothing, Control>(in, furthest);
  if (root == nullptr) return unexpected(text, std::move(furthest));
  Statement out = statement_of(*root->children[0]->children[0]);
  if (out.kind == Statement::Kind::kDrop) return out;
  if (count_nodes(out.select) > limits::kMaxQueryNodes || depth_of(out.select) > limits::kMaxQueryDepth) {
    return Status(Code::kInvalidArgument, "the query is too large: more than " + std::to_string(limits::kMaxQueryNodes) +
                                              " parts, or more than " + std::to_string(limits::kMaxQueryDepth) +
                                                  " operators in each other");
  }
  return out;
}

}  // namespace halocline::queries
