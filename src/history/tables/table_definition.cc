#include "history/tables/table_definition.h"

#include <chrono>
#include <cstdio>

namespace halocline {

using namespace iceberg;

PartitionSpec TableDefinition::spec() const {
  PartitionSpec spec;
  if (day_of == 0) return spec;
  spec.fields.push_back({day_of, kFirstPartitionFieldId, schema.find(day_of)->name + "_day", {"day"}});
  return spec;
}

SortOrder TableDefinition::order() const {
  SortOrder order;
  for (const std::int32_t id : sorted_by) order.fields.push_back({id, {"identity"}, true, true});
  if (!order.fields.empty()) order.order_id = 1;
  return order;
}

std::int64_t micros_of(Nanos time) { return time / 1'000 - (time % 1'000 < 0 ? 1 : 0); }

std::int32_t day_of(Nanos time) {
  constexpr Nanos kDay = 86'400'000'000'000;
  return static_cast<std::int32_t>(time / kDay - (time % kDay < 0 ? 1 : 0));
}

std::string day_text(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

}  // namespace halocline
