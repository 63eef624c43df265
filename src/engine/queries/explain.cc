#include "engine/queries/explain.h"

#include <optional>

#include "base/civil_time.h"
#include "engine/queries/predicate_index.h"

namespace halocline::queries {
namespace {

std::string counted(std::size_t count, const std::string& what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

std::string scan(const Plan& plan, std::size_t side) {
  return "read " + std::string(plan.tables[side]->name) + " (all rows)" +
         (plan.filters[side] ? ", those that pass the conditions on it alone" : "");
}

// Which rows a change of the books makes it look at: see LiveQueries.
std::string watching(const Plan& plan) {
  if (!plan.unwatchable.empty()) return "cannot be watched: " + plan.unwatchable;
  const std::string every = "watched: every changed row of " + std::string(plan.tables[0]->name);
  if (plan.tables.size() > 1) return every + " and " + std::string(plan.tables[1]->name) + " is looked at";
  const std::optional<IndexedCondition> indexed = choose_condition(plan.conjuncts, *plan.tables[0]);
  if (!indexed) return every + " is looked at, no condition has an index";
  return "watched: changed rows are found by the index of " + indexed->text +
         (indexed->conjuncts < plan.conjuncts.size() ? ", the rest of the condition is then looked at" : "");
}

}  // namespace

std::vector<std::string> explain(const Plan& plan, const PlanTexts& texts) {
  std::vector<std::string> lines;
  if (plan.as_of.seq) lines.push_back("the books as of seq " + std::to_string(*plan.as_of.seq));
  if (plan.as_of.time) lines.push_back("the books as of " + instant_text(*plan.as_of.time));
  if (plan.as_of.text) lines.push_back("the books as of " + *plan.as_of.text);
  lines.push_back(scan(plan, 0));
  if (plan.tables.size() > 1) {
    lines.push_back(scan(plan, 1) + ", into a hash table");
    lines.push_back(std::string(plan.left_join ? "left" : "inner") + " join on " + texts.join);
  }
  if (!texts.where.empty()) lines.push_back("condition " + texts.where);
  if (plan.grouped) {
    lines.push_back(texts.distinct ? "distinct rows" : "group by " + (texts.group_by.empty() ? "nothing: one group" : texts.group_by));
    if (!plan.aggregates.empty()) lines.push_back(counted(plan.aggregates.size(), "aggregate"));
    if (!texts.having.empty()) lines.push_back("having " + texts.having);
  }
  if (!plan.order.empty()) lines.push_back("order by " + counted(plan.order.size(), "key"));
  if (plan.limit) lines.push_back("limit " + std::to_string(*plan.limit));
  lines.push_back(watching(plan));
  return lines;
}

}  // namespace halocline::queries
