#include "cli/fix_log.h"

#include <algorithm>

namespace halocline::cli {
namespace {

constexpr std::size_t kMostSenders = 4'096;  // of a log without sessions

FixSessionTerms default_terms(const std::string& sender) {
  const std::string in_quotes = "\"" + sender + "\"";
  const Result<Config> config = parse_config("[[fix.session]]\ntheir_comp_id = " + in_quotes + "\n", "", {});
  if (!config.ok()) return {};
  Result<std::vector<FixSessionTerms>> terms = fix_session_terms(config.value());
  return terms.ok() ? terms.take().front() : FixSessionTerms();
}

}  // namespace

bool message_in(std::string_view line, std::string& text) {
  const std::size_t start = line.find("8=FIX");
  if (start == std::string_view::npos) return false;
  line.remove_prefix(start);
  // What ends the first field ends them all.
  const std::size_t end = line.find_first_of("\x01|^");
  if (end == std::string_view::npos) return false;
  const std::string_view separator = line.substr(end, line[end] == '^' ? 2 : 1);
  if (line[end] == '^' && separator != "^A") return false;
  text.clear();
  while (!line.empty()) {
    const std::size_t at = std::min(line.find(separator), line.size());
    const std::string_view field = line.substr(0, at);
    text.append(field).push_back(fix::kSoh);
    if (field.starts_with("10=")) break;  // whatever stands behind a message
    line.remove_prefix(std::min(at + separator.size(), line.size()));
  }
  return true;
}

std::optional<fix::Reply> answer_to(const fix::Message& message, const fix::Mapped& mapped) {
  if (mapped.fate == fix::Fate::kRefused) return fix::reply_to_refused(message, mapped);
  if (mapped.fate == fix::Fate::kMalformed) return fix::reject_of(message, mapped);
  return std::nullopt;
}

std::string why_not(const fix::Message& message, const fix::Mapped& mapped) {
  const std::optional<fix::Reply> answer = answer_to(message, mapped);
  if (!answer.has_value()) return mapped.text;
  for (const auto& [tag, value] : answer->body) {
    if (tag == fix::tag::kText) return value;
  }
  return {};
}

Result<FixRules> FixRules::load(const ConfigFlags& flags, const std::string& only) {
  const Result<Config> config = load_server_config(flags);
  if (!config.ok()) return config.status();
  Result<std::vector<FixSessionTerms>> terms = fix_session_terms(config.value());
  if (!terms.ok()) return terms.status();
  FixRules rules;
  rules.terms_ = terms.take();
  if (only.empty()) return rules;
  const auto found = std::find_if(rules.terms_.begin(), rules.terms_.end(), [&](const FixSessionTerms& one) { return one.name == only; });
  if (found == rules.terms_.end()) {
    return Status(Code::kInvalidArgument, "there is no session \"" + only + "\" in the configuration" +
                                              (flags.file.empty() ? "; --config FILE names it" : " " + flags.file));
  }
  rules.terms_ = {*found};
  rules.only_ = true;
  return rules;
}

const FixRules::Session* FixRules::of(const fix::Message& message) {
  const auto value = [&](int tag) { return std::string(fix::value_of(message.fields(), tag)); };
  std::tuple ids(value(fix::tag::kBeginString), value(fix::tag::kSenderCompId), value(fix::tag::kTargetCompId));
  if (only_) ids = {};
  if (const auto known = by_ids_.find(ids); known != by_ids_.end()) return &known->second;
  const auto& [version, sender, target] = ids;
  for (const FixSessionTerms& terms : terms_) {
    const fix::MachineTerms& machine = terms.machine;
    if (!only_ && (machine.begin_string != version || machine.their_comp_id != sender || machine.our_comp_id != target)) continue;
    return &by_ids_.emplace(ids, Session{terms.name, fix::Mapping(terms.rules)}).first->second;
  }
  if (!terms_.empty() || by_ids_.size() == kMostSenders) return nullptr;
  const FixSessionTerms terms = default_terms(sender);
  if (terms.name.empty()) return nullptr;
  return &by_ids_.emplace(ids, Session{terms.name, fix::Mapping(terms.rules)}).first->second;
}

}  // namespace halocline::cli
