// How statements read that differ only in their numbers and texts: the thousands that clients make from one pattern are parsed once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/queries/syntax.h"

namespace halocline::queries {

class SyntaxMemo {
 public:
  // What parse_query() makes of the text, when its pattern is known; only the places in it are another statement's, so whoever finds an
  // error in it parses the text anew.
  std::optional<Statement> find(std::string_view text) const;
  // What parse_query() made of the text.
  void note(std::string_view text, const Statement& statement);

 private:
  struct Known {
    Statement statement;
    std::vector<std::uint32_t> literals;  // of its nodes that are literals, in the order of the tree: which of the text's
  };

  std::unordered_map<std::string, Known> known_;  // by pattern
};

}  // namespace halocline::queries
