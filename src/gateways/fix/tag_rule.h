// A rule that says where in a message a name stands: a list of places, the first that has a value wins. docs/fix.md, "Which tag says what".
//
//   Result<TagRule> rule = TagRule::parse("party:12 50 =desk7");
//   std::string_view name = rule.value().find(side, rest, &place);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gateways/fix/message.h"

namespace halocline::fix {

struct TagPlace {
  enum class Kind { kTag, kParty, kId, kLiteral };
  Kind kind = Kind::kTag;
  int tag = 0;
  std::string text;  // the role, the source, or the literal

  std::string to_string() const;  // "tag 1", "party:12", …
};

class TagRule {
 public:
  // kInvalidArgument says which place is none. An empty text is the rule that finds nothing.
  static Result<TagRule> parse(std::string_view text);

  // Looks place by place, in `part` (a side of a trade capture report) before `rest` (what the message says of the whole). Empty when no
  // place has a value; `found` is set to the place.
  std::string_view find(Fields part, Fields rest, const TagPlace** found) const;

  bool empty() const { return places_.empty(); }
  // "tag 1, party:12": for messages to people.
  std::string to_string() const;

 private:
  std::vector<TagPlace> places_;
};

}  // namespace halocline::fix
