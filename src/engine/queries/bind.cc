// From the syntax of a query to its plan: finds what the names mean, checks the types, sorts what belongs to rows from what belongs to
// groups.
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/closest.h"
#include "base/limits.h"
#include "engine/queries/explain.h"
#include "engine/queries/expression_text.h"
#include "engine/queries/literal.h"
#include "engine/queries/plan.h"
#include "engine/queries/syntax.h"
#include "engine/queries/typing.h"
#include "engine/queries/watching.h"

namespace halocline::queries {
namespace {

// Where expressions of a select stand: whether aggregates are allowed there.
enum class Scope { kRow, kGroup };

constexpr std::string_view kFunctions[] = {"COUNT", "SUM", "AVG", "MIN", "MAX", "COALESCE", "NVL", "ABS", "ROUND", "DATE_TRUNC", "NULLIF",
                                           "NOW", "IS_DEFINED", "IS_UNDEFINED"};

bool is_aggregate(std::string_view function) {
  return function == "COUNT" || function == "SUM" || function == "AVG" || function == "MIN" || function == "MAX";
}

const Syntax* part_of(const Syntax& select, SyntaxKind kind) {
  for (const Syntax& child : select.children) {
    if (child.kind == kind) return &child;
  }
  return nullptr;
}

class Binder {
 public:
  Binder(std::string_view sql, const QueryParameters& parameters) : sql_(sql), parameters_(parameters) {}

  Result<Plan> plan_of(const Statement& statement) {
    if (parameters_.size() > limits::kMaxQueryParameters) {
      return Status(Code::kInvalidArgument, "more than " + std::to_string(limits::kMaxQueryParameters) + " parameters");
    }
    plan_.explain = statement.explain;
    const Syntax& select = statement.select;
    const bool bound = bind_from(*part_of(select, SyntaxKind::kFrom)) && bind_as_of(select) && bind_where(select) &&
                       bind_groups(select) && bind_items(select) &&
                       bind_order(select) && bind_limit(select) && check_parameters();
    if (!bound) return failure_;
    if (!plan_.as_of.effective_now()) plan_.unwatchable = "EFFECTIVE AT asks the past: it can be asked once, not watched";
    if (!plan_.as_of.known_now()) plan_.unwatchable = "AS OF asks the past: it can be asked once, not watched";
    if (plan_.limit) plan_.identity += "limit " + std::to_string(*plan_.limit);
    if (plan_.explain) plan_.description = explain(plan_, texts_);
    return std::move(plan_);
  }

 private:
  struct BoundAggregate {
    AggregateKind kind{};
    std::vector<Expression> argument;  // none or one
    std::vector<Expression> filter;    // none or one
    ValueType type{};
    bool operator==(const BoundAggregate& other) const {
      return kind == other.kind && type == other.type && argument == other.argument && filter == other.filter;
    }
  };
  struct Named {
    std::string alias;
    const Table* table;
  };

  bool wrong(Place place, const std::string& what) {
    failure_ = error_at(sql_, place, what);
    return false;
  }
  std::optional<Expression> wrong_expression(Place place, const std::string& what) {
    wrong(place, what);
    return std::nullopt;
  }

  // As the user would write it; above groups it reads the aggregates found so far.
  std::string text_of(const Expression& expression) const {
    std::vector<std::string> aliases;
    for (const Named& source : named_) aliases.push_back(source.alias);
    if (aliases.size() == 1) aliases.clear();
    return expression_text(expression, {plan_.tables, aliases, aggregate_texts_});
  }
  std::string text_of(const Syntax& call, const BoundAggregate& aggregate) const {
    const std::string argument = aggregate.argument.empty() ? "*" : text_of(aggregate.argument[0]);
    const std::string filter = aggregate.filter.empty() ? "" : " FILTER (WHERE " + text_of(aggregate.filter[0]) + ")";
    return call.text + "(" + (call.distinct ? "DISTINCT " : "") + argument + ")" + filter;
  }

  Program compiled(const Expression& expression) { return Program(expression, plan_.tables); }
  bool fits(const Expression& expression, Place place) {
    if (stack_need(expression) <= kProgramStack) return true;
    return wrong(place, "this expression nests too deep to be evaluated; write it flatter");
  }

  // --- FROM ---

  bool add_table(const Syntax& table) {
    const Table* found = find_table(table.text);
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const Table& one : tables()) names.push_back(one.name);
      const std::string meant = closest(table.text, names);
      std::string list;
      for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
      const std::string hint = meant.empty() ? "; there are " + list : "; did you mean " + meant + "?";
      return wrong(table.place, "there is no source \"" + table.text + "\"" + hint);
    }
    const std::string alias = table.children.empty() ? table.text : table.children[0].text;
    for (const Named& other : named_) {
      if (other.alias == alias) return wrong(table.place, "two sources are called \"" + alias + "\"; give one of them an alias");
    }
    named_.push_back({alias, found});
    plan_.tables.push_back(found);
    return true;
  }

  bool bind_from(const Syntax& from) {
    if (!add_table(from.children[0])) return false;
    if (from.children.size() == 1) return true;
    if (from.children.size() > 2) return wrong(from.children[2].place, "at most two sources can be joined");
    const Syntax& join = from.children[1];
    if (!add_table(join.children[0])) return false;
    plan_.left_join = join.text == "LEFT";
    std::vector<const Syntax*> conditions{&join.children[1]};
    while (!conditions.empty()) {
      const Syntax& condition = *conditions.back();
      conditions.pop_back();
      if (condition.kind == SyntaxKind::kBinary && condition.text == "AND") {
        conditions.push_back(&condition.children[1]);
        conditions.push_back(&condition.children[0]);
        continue;
      }
      if (!bind_join_condition(condition)) return false;
    }
    return true;
  }

  bool bind_join_condition(const Syntax& condition) {
    std::optional<Expression> equal = bind(condition, Scope::kRow);
    if (!equal) return false;
    const auto of_side = [](const Expression& e, std::uint8_t side) {
      return e.any([](const Expression& x) { return x.operation == Operation::kColumn; }) &&
             !e.any([&](const Expression& x) { return x.operation == Operation::kColumn && x.side != side; });
    };
    if (equal->operation == Operation::kEqual) {
      Expression &a = equal->children[0], &b = equal->children[1];
      if (of_side(a, 1) && of_side(b, 0)) std::swap(a, b);
      if (of_side(a, 0) && of_side(b, 1)) {
        if (!fits(a, condition.place) || !fits(b, condition.place)) return false;
        plan_.join_keys[0].push_back(compiled(a));
        plan_.join_keys[1].push_back(compiled(b));
        texts_.join += (texts_.join.empty() ? "" : " AND ") + text_of(*equal);
        join_conditions_.push_back(*equal);
        return true;
      }
    }
    return wrong(condition.place, "ON takes equalities between the two sources, joined by AND" +
                                      std::string(plan_.left_join ? "" : "; other conditions go into WHERE"));
  }

  // --- WHERE, GROUP BY, HAVING ---

  std::optional<Expression> bind_condition(const Syntax& clause, Scope scope, const char* name) {
    std::optional<Expression> condition = bind(clause.children[0], scope);
    if (!condition) return std::nullopt;
    if (!is_condition(*condition)) {
      return wrong_expression(clause.children[0].place, std::string(name) + " takes a condition, not " + with_article(condition->type));
    }
    if (!fits(*condition, clause.children[0].place)) return std::nullopt;
    return condition;
  }

  bool bind_where(const Syntax& select) {
    const Syntax* where = part_of(select, SyntaxKind::kWhere);
    if (where == nullptr) return true;
    const std::optional<Expression> condition = bind_condition(*where, Scope::kRow, "WHERE");
    if (!condition) return false;
    texts_.where = text_of(*condition);
    where_conditions_.push_back(*condition);
    if (!find_time_bounds(*condition, plan_.tables, plan_.time_bounds)) refuse_watching();
    // Conjuncts on one side alone are looked at before joining; of a left join only those of the left side may be.
    std::vector<Expression> rest, of_side[2];
    std::vector<const Expression*> open{&*condition};
    while (!open.empty()) {
      const Expression& one = *open.back();
      open.pop_back();
      if (one.operation == Operation::kAnd) {
        open.push_back(&one.children[1]);
        open.push_back(&one.children[0]);
        continue;
      }
      const auto reads = [&](std::uint8_t side) {
        return one.any([&](const Expression& e) { return e.operation == Operation::kColumn && e.side == side; });
      };
      const bool left = reads(0), right = reads(1);
      if (!right) {
        of_side[0].push_back(one);
        plan_.conjuncts.push_back(one);
      } else if (!left && !plan_.left_join) {
        of_side[1].push_back(one);
      } else {
        rest.push_back(one);
      }
    }
    for (int side = 0; side < 2; ++side) {
      if (!of_side[side].empty()) plan_.filters[side] = compiled(conjunction(std::move(of_side[side])));
    }
    if (!rest.empty()) plan_.where = compiled(conjunction(std::move(rest)));
    return true;
  }

  static Expression conjunction(std::vector<Expression> parts) {
    std::string unused;
    Expression out = std::move(parts[0]);
    for (std::size_t i = 1; i < parts.size(); ++i) out = *make_binary("AND", std::move(out), std::move(parts[i]), unused);
    return out;
  }

  static bool has_aggregate(const Syntax& syntax) {
    if (syntax.kind == SyntaxKind::kCall && is_aggregate(syntax.text)) return true;
    return std::any_of(syntax.children.begin(), syntax.children.end(), has_aggregate);
  }

  // The item that an expression of GROUP BY or ORDER BY means by its alias or number; nullptr when it means none.
  const Syntax* item_meant(const Syntax& items, const Syntax& by, bool& out_of_range) {
    out_of_range = false;
    if (by.kind == SyntaxKind::kNumber && by.text.find('.') == std::string::npos) {
      std::size_t at = 0;
      std::from_chars(by.text.data(), by.text.data() + by.text.size(), at);
      out_of_range = at < 1 || at > items.children.size() || items.children[at - 1].kind == SyntaxKind::kStar;
      return out_of_range ? nullptr : &items.children[at - 1].children[0];
    }
    if (by.kind != SyntaxKind::kColumn || !by.qualifier.empty()) return nullptr;
    for (const Syntax& item : items.children) {
      if (item.kind == SyntaxKind::kItem && item.text == by.text) return &item.children[0];
    }
    return nullptr;
  }

  bool bind_groups(const Syntax& select) {
    const Syntax& items = *part_of(select, SyntaxKind::kItems);
    const Syntax* group_by = part_of(select, SyntaxKind::kGroupBy);
    const Syntax* having = part_of(select, SyntaxKind::kHaving);
    const Syntax* order_by = part_of(select, SyntaxKind::kOrderBy);
    plan_.grouped = group_by != nullptr || having != nullptr || has_aggregate(items) || (order_by != nullptr && has_aggregate(*order_by));
    texts_.distinct = select.text == "DISTINCT";
    if (texts_.distinct && plan_.grouped) {
      return wrong(select.place,
          "DISTINCT does not go with aggregates or GROUP BY; its groups are distinct already, or use COUNT(DISTINCT …)");
    }
    if (group_by != nullptr) {
      if (group_by->children.size() > limits::kMaxQueryColumns) return wrong(group_by->place, "too many expressions in GROUP BY");
      for (const Syntax& by : group_by->children) {
        bool out_of_range = false;
        // A column of a source goes before an alias of the same name, as in SQL.
        const Syntax* meant = by.kind == SyntaxKind::kColumn && finds_column(by) ? nullptr : item_meant(items, by, out_of_range);
        if (out_of_range) return wrong(by.place, "GROUP BY " + by.text + " is no item of the SELECT");
        if (has_aggregate(meant != nullptr ? *meant : by)) return wrong(by.place, "GROUP BY cannot hold an aggregate");
        std::optional<Expression> key = bind(meant != nullptr ? *meant : by, Scope::kRow);
        if (!key || !fits(*key, by.place)) return false;
        texts_.group_by += (keys_.empty() ? "" : ", ") + text_of(*key);
        keys_.push_back(std::move(*key));
      }
    }
    if (having != nullptr) {
      having_ = bind_condition(*having, Scope::kGroup, "HAVING");
      if (!having_) return false;
      texts_.having = text_of(*having_);
    }
    return true;
  }

  // --- SELECT, ORDER BY, LIMIT ---

  std::string unique(std::string name) {
    std::string candidate = name;
    for (int n = 2; !titles_.insert(candidate).second; ++n) candidate = name + "_" + std::to_string(n);
    return candidate;
  }

  bool add_output(Expression expression, std::string title, Place place) {
    if (outputs_.size() >= limits::kMaxQueryColumns) {
      return wrong(place, "a result has at most " + std::to_string(limits::kMaxQueryColumns) + " columns");
    }
    if (!fits(expression, place)) return false;
    plan_.columns.push_back({unique(std::move(title)), expression.type == ValueType::kNull ? ValueType::kText : expression.type});
    outputs_.push_back(std::move(expression));
    return true;
  }

  bool add_star(const Syntax& star) {
    if (plan_.grouped) return wrong(star.place, "* does not go with aggregates or GROUP BY; name the columns");
    bool any = false;
    for (std::uint8_t side = 0; side < named_.size(); ++side) {
      if (!star.text.empty() && named_[side].alias != star.text) continue;
      any = true;
      const Table& table = *named_[side].table;
      for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
        std::string title(table.columns[i].name);
        if (named_.size() > 1 && star.text.empty() && titles_.count(title) != 0) title = named_[side].alias + "." + title;
        if (!add_output(column_of(side, i, star.place), std::move(title), star.place)) return false;
      }
    }
    return any || wrong(star.place, "there is no source \"" + star.text + "\" in FROM");
  }

  bool bind_items(const Syntax& select) {
    for (const Syntax& item : part_of(select, SyntaxKind::kItems)->children) {
      if (item.kind == SyntaxKind::kStar) {
        if (!add_star(item)) return false;
        continue;
      }
      const Syntax& what = item.children[0];
      std::optional<Expression> expression = bind(what, plan_.grouped ? Scope::kGroup : Scope::kRow);
      if (!expression) return false;
      std::string title = !item.text.empty() ? item.text : what.kind == SyntaxKind::kColumn ? what.text : item.qualifier;
      if (!add_output(std::move(*expression), std::move(title), what.place)) return false;
    }
    return true;
  }

  bool bind_order(const Syntax& select) {
    std::vector<Expression> keys;
    if (const Syntax* order_by = part_of(select, SyntaxKind::kOrderBy)) {
      if (order_by->children.size() > limits::kMaxQueryColumns) return wrong(order_by->place, "too many expressions in ORDER BY");
      const Syntax& items = *part_of(select, SyntaxKind::kItems);
      for (const Syntax& order : order_by->children) {
        const Syntax& by = order.children[0];
        bool out_of_range = false;
        const Syntax* meant = item_meant(items, by, out_of_range);
        if (out_of_range) return wrong(by.place, "ORDER BY " + by.text + " is no item of the SELECT");
        std::optional<Expression> key = bind(meant != nullptr ? *meant : by, plan_.grouped ? Scope::kGroup : Scope::kRow);
        if (!key || !fits(*key, by.place)) return false;
        if (texts_.distinct && std::find(outputs_.begin(), outputs_.end(), *key) == outputs_.end()) {
          return wrong(by.place, "with DISTINCT, ORDER BY can only hold what is selected");
        }
        OrderKey made;
        made.descending = order.text.starts_with("DESC");
        // Null is less than every value, unless said otherwise.
        made.nulls_last = order.text.ends_with(" LAST") || (made.descending && !order.text.ends_with(" FIRST"));
        plan_.order.push_back(std::move(made));
        keys.push_back(std::move(*key));
      }
    }
    if (texts_.distinct) {
      plan_.grouped = true;
      keys_ = outputs_;
    }
    return settle_groups(keys);
  }

  // Everything is bound: what stands above groups now reads their slots instead of rows.
  bool settle_groups(std::vector<Expression>& order_keys) {
    if (plan_.grouped) {
      for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (!to_slots(outputs_[i])) return false;
      }
      for (Expression& key : order_keys) {
        if (!to_slots(key)) return false;
      }
      if (having_ && !to_slots(*having_)) return false;
      for (const Expression& key : keys_) plan_.keys.push_back(compiled(key));
      for (const BoundAggregate& bound : aggregates_) {
        Aggregate aggregate;
        aggregate.kind = bound.kind;
        aggregate.type = bound.type;
        if (!bound.argument.empty()) {
          aggregate.argument_type = bound.argument[0].type;
          aggregate.argument = compiled(bound.argument[0]);
        }
        if (!bound.filter.empty()) aggregate.filter = compiled(bound.filter[0]);
        plan_.aggregates.push_back(std::move(aggregate));
      }
      if (having_) plan_.having = compiled(*having_);
    }
    for (const Expression& output : outputs_) plan_.outputs.push_back(compiled(output));
    for (std::size_t i = 0; i < order_keys.size(); ++i) plan_.order[i].key = compiled(order_keys[i]);
    prepare_watching(order_keys);
    return true;
  }

  // --- continuous queries ---

  void refuse_watching() {
    plan_.unwatchable =
        "NOW() can be watched only where a time of one source is compared with it: trade_time > NOW() - INTERVAL '60 seconds'";
  }

  void prepare_watching(const std::vector<Expression>& order_keys) {
    Identity identity, condition, groups, outputs;
    identity.add(plan_.tables.size());
    for (const Table* table : plan_.tables) identity.add(table->name);
    identity.add(plan_.left_join ? "left" : "inner");
    identity.add(join_conditions_);
    condition.add(where_conditions_);
    identity.add(texts_.distinct ? "distinct" : plan_.grouped ? "grouped" : "rows");
    groups.add(keys_);
    groups.add(aggregates_.size());
    for (const BoundAggregate& aggregate : aggregates_) {
      groups.add(static_cast<std::size_t>(aggregate.kind));
      groups.add(aggregate.argument);
      groups.add(aggregate.filter);
      if (std::any_of(aggregate.argument.begin(), aggregate.argument.end(), reads_now)) refuse_watching();
      for (const Expression& filter : aggregate.filter) {
        if (!find_time_bounds(filter, plan_.tables, plan_.time_bounds)) refuse_watching();
      }
    }
    identity.add(having_ ? std::vector<Expression>{*having_} : std::vector<Expression>{});
    for (const ColumnType& column : plan_.columns) identity.add(column.name);
    outputs.add(outputs_);
    for (const OrderKey& key : plan_.order) outputs.add((key.descending ? 2u : 0u) + (key.nulls_last ? 1u : 0u));
    outputs.add(order_keys);
    plan_.condition_identity = condition.take();
    plan_.groups_identity = groups.take();
    plan_.outputs_identity = outputs.take();
    for (const std::string* part : {&plan_.condition_identity, &plan_.groups_identity, &plan_.outputs_identity}) identity.add(*part);
    plan_.identity = identity.take();
    const bool bare_now = std::any_of(outputs_.begin(), outputs_.end(), reads_now) || std::any_of(keys_.begin(), keys_.end(), reads_now) ||
                          std::any_of(order_keys.begin(), order_keys.end(), reads_now) || (having_ && reads_now(*having_));
    if (bare_now) refuse_watching();
  }

  bool to_slots(Expression& expression) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (!(expression == keys_[i])) continue;
      Expression slot;
      slot.operation = Operation::kSlot;
      slot.type = expression.type;
      slot.index = static_cast<std::uint32_t>(i);
      expression = std::move(slot);
      return true;
    }
    if (expression.operation == Operation::kSlot) {  // an aggregate, numbered before the keys were known
      expression.index += static_cast<std::uint32_t>(keys_.size());
      return true;
    }
    if (expression.operation == Operation::kColumn) {
      const std::string name(plan_.tables[expression.side]->columns[expression.index].name);
      return wrong(expression.place, "\"" + name + "\" has many values in a group; put it into GROUP BY or into an aggregate");
    }
    return std::all_of(expression.children.begin(), expression.children.end(), [this](Expression& child) { return to_slots(child); });
  }

  bool bind_limit(const Syntax& select) {
    const Syntax* limit = part_of(select, SyntaxKind::kLimit);
    if (limit == nullptr) return true;
    std::string text = limit->text;
    if (text.starts_with('$')) {
      const QueryParameter* parameter = find_parameter(text.substr(1), limit->place);
      if (parameter == nullptr) return false;
      text = parameter->type == ValueType::kInt && !parameter->null ? to_digits(parameter->number) : "?";
    }
    std::uint64_t rows = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (error != std::errc() || end != text.data() + text.size()) return wrong(limit->place, "LIMIT takes a whole number of rows");
    plan_.limit = std::min<std::uint64_t>(rows, limits::kMaxQueryRows + 2);  // beyond it the answer is refused anyway
    return true;
  }

  bool bind_as_of(const Syntax& select) {
    for (const SyntaxKind kind : {SyntaxKind::kAsOf, SyntaxKind::kEffectiveAt}) {
      const Syntax* said = part_of(select, kind);
      if (said == nullptr) continue;
      const std::optional<Expression> instant = bind(said->children[0], Scope::kRow);
      if (!instant) return false;
      std::string why;
      const bool read = kind == SyntaxKind::kAsOf ? read_as_of(*instant, said->text == "SEQ", plan_.as_of, why)
                                                  : read_effective_at(*instant, plan_.as_of, why);
      if (!read) return wrong(said->place, why);
    }
    return true;
  }

  // --- expressions ---

  Expression column_of(std::uint8_t side, std::uint32_t index, Place place) const {
    Expression out;
    out.operation = Operation::kColumn;
    out.type = named_[side].table->columns[index].type;
    out.side = side;
    out.index = index;
    out.place = place;
    return out;
  }

  bool finds_column(const Syntax& column) const {
    for (const Named& source : named_) {
      if (!column.qualifier.empty() && column.qualifier != source.alias) continue;
      for (const Column& one : source.table->columns) {
        if (one.name == column.text) return true;
      }
    }
    return false;
  }

  std::optional<Expression> bind_column(const Syntax& column) {
    std::optional<Expression> found;
    bool known_source = column.qualifier.empty();
    std::vector<std::string_view> names;
    for (std::uint8_t side = 0; side < named_.size(); ++side) {
      if (!column.qualifier.empty() && column.qualifier != named_[side].alias) continue;
      known_source = true;
      const std::span<const Column> columns = named_[side].table->columns;
      for (std::uint32_t i = 0; i < columns.size(); ++i) {
        names.push_back(columns[i].name);
        if (columns[i].name != column.text) continue;
        if (found) {
          return wrong_expression(column.place, "\"" + column.text + "\" is in both sources; write " + named_[0].alias + "." + column.text +
                                                    " or " + named_[1].alias + "." + column.text);
        }
        found = column_of(side, i, column.place);
      }
    }
    if (found) return found;
    if (!known_source) {
      std::vector<std::string_view> aliases;
      for (const Named& source : named_) aliases.push_back(source.alias);
      const std::string meant = closest(column.qualifier, aliases);
      return wrong_expression(column.place, "there is no source \"" + column.qualifier + "\" in FROM" +
                                                (meant.empty() ? "" : "; did you mean " + meant + "?"));
    }
    const std::string meant = closest(column.text, names);
    const std::string of = column.qualifier.empty() && named_.size() > 1 ? "the sources" : std::string(named_[0].table->name);
    return wrong_expression(column.place, "there is no column \"" + column.text + "\" in " + of +
                                              (meant.empty() ? "" : "; did you mean " + meant + "?"));
  }

  const QueryParameter* find_parameter(const std::string& name, Place place) {
    const auto at = parameters_.find(name);
    if (at == parameters_.end()) {
      wrong(place, "no value is given for the parameter \"" + name + "\"");
      return nullptr;
    }
    used_.insert(name);
    return &at->second;
  }

  bool check_parameters() {
    for (const auto& [name, value] : parameters_) {
      if (used_.count(name) == 0) return failure_ = Status(Code::kInvalidArgument, "the query has no parameter \"" + name + "\""), false;
    }
    return true;
  }

  std::optional<Expression> bind_parameter(const Syntax& syntax) {
    const QueryParameter* parameter = find_parameter(syntax.text, syntax.place);
    if (parameter == nullptr) return std::nullopt;
    if (parameter->null) return null_constant();
    if (parameter->type != ValueType::kText) return constant(parameter->type, parameter->number);
    if (parameter->text.size() > limits::kMaxQueryLiteral) {
      return wrong_expression(syntax.place, "the parameter's text has more than " + std::to_string(limits::kMaxQueryLiteral) + " bytes");
    }
    return text_constant(parameter->text);
  }

  std::optional<Expression> bind_aggregate(const Syntax& call, Scope scope) {
    if (in_aggregate_) return wrong_expression(call.place, "an aggregate cannot stand in another");
    if (scope != Scope::kGroup) {
      return wrong_expression(call.place, call.text +
          " is an aggregate; it cannot stand in WHERE, ON or GROUP BY (HAVING is for conditions on groups)");
    }
    BoundAggregate out;
    const bool has_filter = !call.children.empty() && call.children.back().kind == SyntaxKind::kFilter;
    const std::size_t arguments = call.children.size() - (has_filter ? 1 : 0);
    in_aggregate_ = true;
    bool bound = true;
    if (has_filter) {
      std::optional<Expression> condition = bind_condition(call.children.back(), Scope::kRow, "FILTER");
      if (condition) out.filter.push_back(std::move(*condition));
      bound = condition.has_value();
    }
    const bool rows = call.text == "COUNT" && arguments == 1 && call.children[0].kind == SyntaxKind::kStar;
    if (bound && !rows) {
      if (arguments != 1 || call.children[0].kind == SyntaxKind::kStar) {
        in_aggregate_ = false;
        return wrong_expression(call.place, call.text + (call.text == "COUNT" ? " takes * or one value" : " takes one value"));
      }
      std::optional<Expression> argument = bind(call.children[0], Scope::kRow);
      bound = argument && fits(*argument, call.children[0].place);
      if (bound) out.argument.push_back(std::move(*argument));
    }
    in_aggregate_ = false;
    if (!bound) return std::nullopt;
    if (rows && call.distinct) return wrong_expression(call.place, "COUNT(DISTINCT *) has no meaning; name a column");
    if (!type_aggregate(call, rows, out)) return std::nullopt;
    std::size_t at = 0;
    while (at < aggregates_.size() && !(aggregates_[at] == out)) ++at;
    if (at == aggregates_.size()) {
      aggregate_texts_.push_back(text_of(call, out));
      aggregates_.push_back(out);
    }
    Expression slot;
    slot.operation = Operation::kSlot;
    slot.type = out.type;
    slot.index = static_cast<std::uint32_t>(at);  // after the keys: see to_slots()
    slot.place = call.place;
    return slot;
  }

  bool type_aggregate(const Syntax& call, bool rows, BoundAggregate& out) {
    out.type = ValueType::kInt;
    if (call.text == "COUNT") {
      out.kind = rows ? AggregateKind::kCountRows : call.distinct ? AggregateKind::kCountDistinct : AggregateKind::kCount;
      return true;
    }
    if (out.argument[0].type == ValueType::kNull) out.argument[0].type = ValueType::kDecimal;  // of no value: NULL
    const ValueType of = out.argument[0].type;
    const bool extreme = call.text == "MIN" || call.text == "MAX";
    if (call.distinct && !extreme) return wrong(call.place, "DISTINCT goes with COUNT, MIN and MAX only");
    const bool number = of == ValueType::kInt || of == ValueType::kDecimal || of == ValueType::kInterval;
    if (!extreme && !number) {
      return wrong(call.children[0].place, call.text + " takes a number or an interval, not " + with_article(of));
    }
    out.type = of;
    if (call.text == "SUM") out.kind = AggregateKind::kSum;
    if (call.text == "MIN") out.kind = AggregateKind::kMin;
    if (call.text == "MAX") out.kind = AggregateKind::kMax;
    if (call.text == "AVG") {
      out.kind = AggregateKind::kAverage;
      if (of == ValueType::kInt) out.type = ValueType::kDecimal;
    }
    return true;
  }

  std::optional<Expression> bind_call(const Syntax& call, Scope scope) {
    if (is_aggregate(call.text)) return bind_aggregate(call, scope);
    if (std::find(std::begin(kFunctions), std::end(kFunctions), call.text) == std::end(kFunctions)) {
      const std::string meant = closest(call.text, kFunctions);
      return wrong_expression(call.place, "there is no function " + call.text + (meant.empty() ? "" : "; did you mean " + meant + "?"));
    }
    if (call.distinct || (!call.children.empty() && call.children.back().kind == SyntaxKind::kFilter)) {
      return wrong_expression(call.place, call.text + " is no aggregate: DISTINCT and FILTER do not go with it");
    }
    std::vector<Expression> arguments;
    for (const Syntax& child : call.children) {
      if (child.kind == SyntaxKind::kStar) return wrong_expression(child.place, call.text + " does not take *");
      std::optional<Expression> argument = bind(child, scope);
      if (!argument) return std::nullopt;
      arguments.push_back(std::move(*argument));
    }
    std::string why;
    std::optional<Expression> out;
    if (call.text == "NOW") {
      if (!arguments.empty()) return wrong_expression(call.place, "NOW takes no value");
      out.emplace();
      out->operation = Operation::kNow;
      out->type = ValueType::kTimestamp;
    } else if (call.text == "COALESCE" || call.text == "NVL") {
      out = make_coalesce(std::move(arguments), why);
    } else if (call.text == "IS_DEFINED" || call.text == "IS_UNDEFINED") {
      if (arguments.size() != 1) return wrong_expression(call.place, call.text + " takes one value");
      out = make_test(Operation::kIsNull, std::move(arguments[0]), why);
      if (call.text == "IS_DEFINED") out = make_not(std::move(*out), why);
    } else {
      out = make_function(call.text, std::move(arguments), why);
    }
    if (!out) return wrong_expression(call.place, why);
    out->place = call.place;
    return out;
  }

  std::optional<Expression> bind_case(const Syntax& syntax, Scope scope) {
    std::vector<Expression> parts;
    std::optional<Expression> operand, otherwise;
    std::string why;
    for (const Syntax& child : syntax.children) {
      const bool wrapped = child.kind == SyntaxKind::kOperand || child.kind == SyntaxKind::kElse;
      std::optional<Expression> part = bind(wrapped ? child.children[0] : child, scope);
      if (!part) return std::nullopt;
      if (child.kind == SyntaxKind::kOperand) {
        operand = std::move(part);
      } else if (child.kind == SyntaxKind::kElse) {
        otherwise = std::move(part);
      } else if (operand && parts.size() % 2 == 0) {
        part = make_binary("=", *operand, std::move(*part), why);
        if (!part) return wrong_expression(child.place, why);
        parts.push_back(std::move(*part));
      } else {
        parts.push_back(std::move(*part));
      }
    }
    parts.push_back(otherwise ? std::move(*otherwise) : null_constant());
    std::optional<Expression> out = make_case(std::move(parts), why);
    if (!out) return wrong_expression(syntax.place, why);
    return out;
  }

  // IN, BETWEEN, LIKE and IS, with their NOT.
  std::optional<Expression> bind_predicate(const Syntax& syntax, Scope scope) {
    std::vector<Expression> parts;
    for (const Syntax& child : syntax.children) {
      std::optional<Expression> part = bind(child, scope);
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
    }
    std::string why;
    std::optional<Expression> out;
    if (syntax.kind == SyntaxKind::kIs) {
      const Operation test = syntax.text.ends_with("NULL")   ? Operation::kIsNull
                             : syntax.text.ends_with("TRUE") ? Operation::kIsTrue
                                                             : Operation::kIsFalse;
      out = make_test(test, std::move(parts[0]), why);
    } else if (syntax.kind == SyntaxKind::kIn) {
      std::vector<Expression> list(std::make_move_iterator(parts.begin() + 1), std::make_move_iterator(parts.end()));
      out = make_in(std::move(parts[0]), std::move(list), why);
    } else if (syntax.kind == SyntaxKind::kLike) {
      std::optional<Expression> escape;
      if (parts.size() == 3) escape = std::move(parts[2]);
      out = make_like(std::move(parts[0]), std::move(parts[1]), std::move(escape), why);
    } else {
      std::optional<Expression> low = make_binary(">=", parts[0], std::move(parts[1]), why);
      std::optional<Expression> high = low ? make_binary("<=", std::move(parts[0]), std::move(parts[2]), why) : std::nullopt;
      if (high) out = make_binary("AND", std::move(*low), std::move(*high), why);
    }
    if (out && syntax.text.starts_with("NOT")) out = make_not(std::move(*out), why);
    if (!out) return wrong_expression(syntax.place, why);
    return out;
  }

  std::optional<Expression> bind(const Syntax& syntax, Scope scope) {
    std::optional<Expression> out;
    std::string why;
    switch (syntax.kind) {
      case SyntaxKind::kColumn: return bind_column(syntax);
      case SyntaxKind::kNumber:
      case SyntaxKind::kText:
      case SyntaxKind::kTypedText:
      case SyntaxKind::kNull:
      case SyntaxKind::kTrue:
      case SyntaxKind::kFalse:
        out = literal_of(syntax, why);
        if (!out) return wrong_expression(syntax.place, why);
        break;
      case SyntaxKind::kParameter: out = bind_parameter(syntax); break;
      case SyntaxKind::kCall: return bind_call(syntax, scope);
      case SyntaxKind::kCase: out = bind_case(syntax, scope); break;
      case SyntaxKind::kIs:
      case SyntaxKind::kIn:
      case SyntaxKind::kBetween:
      case SyntaxKind::kLike: return bind_predicate(syntax, scope);
      case SyntaxKind::kUnary: {
        std::optional<Expression> operand = bind(syntax.children[0], scope);
        if (!operand) return std::nullopt;
        out = syntax.text == "NOT" ? make_not(std::move(*operand), why) : make_negative(std::move(*operand), why);
        if (!out) return wrong_expression(syntax.place, why);
        break;
      }
      case SyntaxKind::kBinary: {
        std::optional<Expression> left = bind(syntax.children[0], scope);
        std::optional<Expression> right = left ? bind(syntax.children[1], scope) : std::nullopt;
        if (!right) return std::nullopt;
        const bool logic = syntax.text == "AND" || syntax.text == "OR";
        const Place blamed = logic && !is_condition(*left) ? syntax.children[0].place : syntax.place;
        out = make_binary(syntax.text, std::move(*left), std::move(*right), why);
        if (!out) return wrong_expression(blamed, why);
        break;
      }
      default: return wrong_expression(syntax.place, "this cannot stand here");
    }
    if (out) out->place = syntax.place;
    return out;
  }

  const std::string_view sql_;
  const QueryParameters& parameters_;
  Plan plan_;
  Status failure_;
  std::vector<Named> named_;
  std::vector<Expression> join_conditions_, where_conditions_, keys_, outputs_;
  std::vector<BoundAggregate> aggregates_;
  std::vector<std::string> aggregate_texts_;
  std::optional<Expression> having_;
  std::set<std::string> titles_, used_;
  PlanTexts texts_;
  bool in_aggregate_ = false;
};

}  // namespace

Result<Plan> prepare(std::string_view sql, const QueryParameters& parameters) {
  const Result<Statement> statement = parse_query(sql);
  if (!statement.ok()) return statement.status();
  return plan_of(sql, statement.value(), parameters);
}

Result<Plan> plan_of(std::string_view sql, const Statement& statement, const QueryParameters& parameters) {
  if (statement.kind != Statement::Kind::kSelect) {
    return error_at(sql, {}, "a SELECT is asked for here; CREATE and DROP are statements of their own");
  }
  return Binder(sql, parameters).plan_of(statement);
}

}  // namespace halocline::queries
