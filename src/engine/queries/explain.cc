#include "engine/queries/explain.h"

#include <algorithm>
#include <optional>

#include "base/civil_time.h"
#include "engine/queries/expression_text.h"
#include "engine/queries/indexed_condition.h"
#include "engine/queries/trade_queries.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kSample = 1'000;  // rows

std::string counted(std::size_t count, const std::string& what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

std::string scan(const Plan& plan, std::size_t side) {
  return "read " + std::string(plan.tables[side]->name) + " (all rows)" +
         (plan.filters[side] ? ", those that pass the conditions on it alone" : "");
}

// The conjuncts that the index does not decide.
std::string rest_of(const Plan& plan, const IndexedCondition& indexed) {
  std::string rest;
  for (const Expression& one : plan.conjuncts) {
    const std::string text = expression_text(one, {plan.tables});
    if (indexed.text.find(text) == std::string::npos) rest += (rest.empty() ? "" : " AND ") + text;
  }
  return rest;
}

// Which rows a change of the books makes it look at: see LiveQueries.
std::string looked_at(const Plan& plan) {
  const std::string every = "watched: every changed row of " + std::string(plan.tables[0]->name);
  if (plan.tables.size() > 1) return every + " and " + std::string(plan.tables[1]->name) + " is looked at";
  const std::optional<IndexedCondition> indexed = choose_condition(plan.conjuncts, *plan.tables[0]);
  if (!indexed) return every + " is looked at, no condition has an index";
  const std::string rest = rest_of(plan, *indexed);
  return "watched: changed rows are found by the index of " + indexed->text + (rest.empty() ? "" : "; then " + rest + " is looked at");
}

void append_watching(const Plan& plan, std::vector<std::string>& lines) {
  if (!plan.unwatchable.empty()) return lines.push_back("cannot be watched: " + plan.unwatchable);
  lines.push_back(looked_at(plan));
  if (!TradeQueries::takes(plan)) {
    lines.push_back(plan.tables.size() > 1 ? "kept: what each pair of rows contributes" : "kept: what each row contributes");
    return lines.push_back("shared with those who ask the same question");
  }
  if (TradeQueries::lists(plan)) {
    lines.push_back("kept: nothing");
  } else if (plan.grouped) {
    lines.push_back(plan.limit ? "kept: the groups and their order" : "kept: the groups");
  } else {
    lines.push_back("kept: the rows of the answer, and where the others stand");
  }
  lines.push_back(std::string("shared with those who have the same: the condition, ") + (plan.grouped ? "the groups, " : "") +
                  "what is selected");
}

}  // namespace

std::vector<std::string> explain(const Plan& plan, const PlanTexts& texts) {
  std::vector<std::string> lines;
  if (plan.as_of.seq) lines.push_back("the books as of seq " + std::to_string(*plan.as_of.seq));
  if (plan.as_of.time) lines.push_back("the books as of " + instant_text(*plan.as_of.time));
  if (plan.as_of.text) lines.push_back("the books as of " + *plan.as_of.text);
  if (plan.as_of.effective_time) lines.push_back("what was effective at " + instant_text(*plan.as_of.effective_time));
  if (plan.as_of.effective_text) lines.push_back("what was effective at " + *plan.as_of.effective_text);
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
  append_watching(plan, lines);
  return lines;
}

std::string cost_of_reading(const Plan& plan, std::size_t side, const State& state) {
  const Table& table = *plan.tables[side];
  const std::size_t size = table.size(state), looks = std::min(size, kSample);
  Splits splits(state);
  const Reader reader{state, splits, state.time};
  std::size_t pass = 0;
  for (std::size_t i = 0; i < looks; ++i) {
    const auto row = static_cast<std::uint32_t>(i * size / looks);
    Inputs inputs;
    inputs.rows[side] = row;
    if (table.exists(state, row) && (!plan.filters[side] || plan.filters[side]->holds(reader, inputs))) ++pass;
  }
  const std::string read = "cost: reads " + counted(size, "row") + " of " + std::string(table.name) + ", of which ";
  if (looks == size) return read + std::to_string(pass) + " pass";
  return read + "about " + std::to_string(pass * size / looks) + " pass, by a sample";
}

}  // namespace halocline::queries
