#include "gateways/fix/tag_rule.h"

#include "base/limits.h"

namespace halocline::fix {
namespace {

// The value of `value_tag` in the group entry whose `key_tag` is `key`; entries begin with value_tag.
std::string_view in_group(Fields fields, int value_tag, int key_tag, std::string_view key) {
  std::string_view value;
  for (const Field& field : fields) {
    if (field.tag == value_tag) value = field.value;
    if (field.tag == key_tag && field.value == key && !value.empty()) return value;
  }
  return {};
}

std::string_view find_at(const TagPlace& place, Fields fields) {
  switch (place.kind) {
    case TagPlace::Kind::kTag: {
      const std::string_view value = value_of(fields, place.tag);
      // Symbol is required by some versions where there is none; the standard's word for that is "[N/A]".
      return place.tag == tag::kSymbol && value == "[N/A]" ? std::string_view() : value;
    }
    case TagPlace::Kind::kParty: return in_group(fields, tag::kPartyId, tag::kPartyRole, place.text);
    case TagPlace::Kind::kId: {
      if (value_of(fields, tag::kSecurityIdSource) == place.text) {
        if (const std::string_view id = value_of(fields, tag::kSecurityId); !id.empty()) return id;
      }
      return in_group(fields, tag::kSecurityAltId, tag::kSecurityAltIdSource, place.text);
    }
    case TagPlace::Kind::kLiteral: return place.text;
  }
  return {};
}

bool place_of(std::string_view word, TagPlace& place) {
  if (word.starts_with('=')) {
    place = {TagPlace::Kind::kLiteral, 0, std::string(word.substr(1))};
    return word.size() > 1 && word.size() <= limits::kMaxName + 1;
  }
  for (const auto& [prefix, kind] : {std::pair{std::string_view("party:"), TagPlace::Kind::kParty},
      {std::string_view("id:"), TagPlace::Kind::kId}}) {
    if (!word.starts_with(prefix)) continue;
    place = {kind, 0, std::string(word.substr(prefix.size()))};
    return !place.text.empty() && place.text.size() <= 10;
  }
  place = {TagPlace::Kind::kTag, static_cast<int>(sequence_number(word)), {}};
  return place.tag > 0;
}

}  // namespace

std::string TagPlace::to_string() const {
  switch (kind) {
    case Kind::kTag: return "tag " + std::to_string(tag);
    case Kind::kParty: return "party:" + text;
    case Kind::kId: return "id:" + text;
    case Kind::kLiteral: return "=" + text;
  }
  return {};
}

Result<TagRule> TagRule::parse(std::string_view text) {
  TagRule rule;
  while (true) {
    const std::size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) return rule;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find(' '));
    TagPlace place;
    if (!place_of(word, place)) {
      return Status(Code::kInvalidArgument, "\"" + std::string(word) +
          "\" is no place: write a tag (1), party:ROLE, id:SOURCE or =LITERAL");
    }
    rule.places_.push_back(std::move(place));
    text.remove_prefix(word.size());
  }
}

std::string_view TagRule::find(Fields part, Fields rest, const TagPlace** found) const {
  for (const TagPlace& place : places_) {
    for (const Fields fields : {part, rest}) {
      const std::string_view value = find_at(place, fields);
      if (value.empty()) continue;
      *found = &place;
      return value;
    }
  }
  return {};
}

std::string TagRule::to_string() const {
  std::string text;
  for (const TagPlace& place : places_) text += (text.empty() ? "" : ", ") + place.to_string();
  return text;
}

}  // namespace halocline::fix
