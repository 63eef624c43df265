#include "engine/queries/syntax_memo.h"

#include <algorithm>
#include <cctype>

#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kMostPatterns = 256;
constexpr std::size_t kMostPatternBytes = 4'096;

struct Literal {
  std::string text;  // as in Syntax
  Place place;
};

// A text without its numbers and quoted texts, and these.
struct Pattern {
  std::string bytes;
  std::vector<Literal> literals;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Nothing for what is better parsed: comments, names in quotes, what is not closed, and what comes after LIMIT, which is part of the plan.
std::optional<Pattern> pattern_of(std::string_view text) {
  if (text.size() > kMostPatternBytes || text.find('\0') != std::string_view::npos) return std::nullopt;
  Pattern out;
  Place place;
  std::size_t i = 0;
  const auto pass = [&](std::size_t bytes) {
    for (const std::size_t end = i + bytes; i < end; ++i) {
      if (text[i] == '\n') ++place.line, place.column = 0;
      ++place.column;
    }
  };
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"' || text.substr(i, 2) == "--" || text.substr(i, 2) == "/*") return std::nullopt;
    const bool begins_word = i == 0 || !is_word(text[i - 1]);
    if (c == '\'') {
      Literal literal{{}, place};
      std::size_t end = i + 1;
      for (; end < text.size(); ++end) {
        if (text[end] == '\'' && text.substr(end, 2) != "''") break;
        if (text[end] == '\'') ++end;
        literal.text += text[end];
      }
      if (end >= text.size()) return std::nullopt;
      pass(end + 1 - i);
      out.literals.push_back(std::move(literal));
      out.bytes += '\'';
    } else if (is_digit(c) && begins_word && (i == 0 || (text[i - 1] != '$' && text[i - 1] != ':' && text[i - 1] != '.'))) {
      std::size_t end = i;
      while (end < text.size() && is_digit(text[end])) ++end;
      if (end < text.size() && text[end] == '.') ++end;
      while (end < text.size() && is_digit(text[end])) ++end;
      out.literals.push_back({std::string(text.substr(i, end - i)), place});
      pass(end - i);
      out.bytes += '0';
    } else if (is_word(c)) {
      std::size_t end = i;
      while (end < text.size() && is_word(text[end])) ++end;
      const std::string_view word = text.substr(i, end - i);
      if (begins_word && word.size() == 5 && std::toupper(static_cast<unsigned char>(word[0])) == 'L' &&
          std::equal(word.begin(), word.end(), "limit", [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; })) {
        out.bytes += text.substr(i);
        return out;
      }
      out.bytes += word;
      pass(word.size());
    } else {
      out.bytes += c;
      pass(1);
    }
  }
  return out;
}

bool is_literal(const Syntax& node) {
  return node.kind == SyntaxKind::kNumber || node.kind == SyntaxKind::kText || node.kind == SyntaxKind::kTypedText;
}

template <class Node, class Visit>
void each_literal(Node& node, const Visit& visit) {
  if (is_literal(node)) visit(node);
  for (auto& child : node.children) each_literal(child, visit);
}

// What is selected without a name has a piece of the text for its title.
bool titles_a_literal(const Syntax& node) {
  if (node.kind != SyntaxKind::kItem) return std::any_of(node.children.begin(), node.children.end(), titles_a_literal);
  bool any = false;
  each_literal(node, [&](const Syntax&) { any = true; });
  return any && !node.qualifier.empty();
}

}  // namespace

std::optional<Statement> SyntaxMemo::find(std::string_view text) const {
  const std::optional<Pattern> pattern = pattern_of(text);
  if (!pattern) return std::nullopt;
  const auto at = known_.find(pattern->bytes);
  if (at == known_.end()) return std::nullopt;
  std::optional<Statement> out = at->second.statement;
  std::size_t next = 0;
  each_literal(out->select, [&](Syntax& node) { node.text = pattern->literals[at->second.literals[next++]].text; });
  return out;
}

void SyntaxMemo::note(std::string_view text, const Statement& statement) {
  if (statement.kind != Statement::Kind::kSelect) return;
  const std::optional<Pattern> pattern = pattern_of(text);
  if (!pattern) return;
  Known known{statement, {}};
  bool understood = true;
  each_literal(statement.select, [&](const Syntax& node) {
    const auto same = std::find_if(pattern->literals.begin(), pattern->literals.end(), [&](const Literal& one) {
      return one.place.line == node.place.line && one.place.column == node.place.column;
    });
    understood = understood && same != pattern->literals.end() && same->text == node.text;
    known.literals.push_back(static_cast<std::uint32_t>(same - pattern->literals.begin()));
  });
  if (!understood || known.literals.size() != pattern->literals.size()) return;
  if (titles_a_literal(statement.select)) return;
  if (known_.size() == kMostPatterns) known_.clear();
  known_.emplace(pattern->bytes, std::move(known));
}

}  // namespace halocline::queries
