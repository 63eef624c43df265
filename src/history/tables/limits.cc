#include "history/tables/limits.h"

#include "history/tables/columns.h"

namespace halocline {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kNumber, kName, kFromSeq, kFrom, kFromNs, kToSeq, kTo, kToNs, kCurrent, kNodeKind, kNode, kMeasure, kWarn, kBreach, kHysteresis,
  kHard, kOwner, kEscalateAfterNs,
};

}  // namespace

TableDefinition LimitVersions::definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), time = primitive(TypeKind::kTimestamptz);
  const Type amount = decimal(38, 8);
  TableDefinition table;
  table.name = "limits";
  table.sorted_by = {1};
  table.schema.fields = {
      required(1, "number", number, "of the version, from 0, in the order in which they began"),
      required(2, "name", text),
      required(3, "valid_from_seq", number, "the command that set it"), required(4, "valid_from", time),
      required(5, "valid_from_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      optional(6, "valid_to_seq", number, "the command that ended it; null while it holds"), optional(7, "valid_to", time),
      optional(8, "valid_to_ns", number), required(9, "current", primitive(TypeKind::kBoolean), "whether it holds now"),
      required(10, "node_kind", text), required(11, "node", text, "a node's name, or * for each of the kind"),
      required(12, "measure", text),
      optional(13, "warn", amount, "null: no warning"), required(14, "breach", amount),
      required(15, "hysteresis", decimal(20, 8), "fraction of the level"),
      required(16, "hard", primitive(TypeKind::kBoolean)), optional(17, "owner", text),
      required(18, "escalate_after_ns", number, "nanoseconds; 0: never"),
  };
  table.schema.identifier_field_ids = {1};
  return table;
}

void LimitVersions::take(const Command& command, Moment at, bool wanted) {
  if (const auto* limit = std::get_if<Limit>(&command)) {
    Fields fields{std::string(limit->name), std::string(limit->node), std::string(limit->owner), limit->kind, limit->measure,
                  limit->warn, limit->breach, limit->hysteresis, limit->escalate_after, limit->hard};
    const std::string name = fields.name;
    versions_.set(name, std::move(fields), at, wanted);
  } else if (const auto* removed = std::get_if<LimitRemove>(&command)) {
    versions_.end(std::string(removed->name), at, wanted);
  } else if (const auto* rename = std::get_if<Rename>(&command)) {
    const auto edit = [&](Fields& fields) {
      if (fields.kind != rename->kind || fields.node != rename->from) return false;
      fields.node = rename->to;
      return true;
    };
    versions_.edit_all(edit, at, wanted);
  }
}

Status LimitVersions::write_changes(UpsertTable& table) {
  Status first;
  versions_.take([&](const Versions<Fields>::Version& version) {
    if (!first.ok()) return;
    const Fields& fields = version.fields;
    ParquetRows& to = table.row(version.number);
    to.number(kNumber, static_cast<std::int64_t>(version.number));
    to.text(kName, fields.name);
    put_validity(to, kFromSeq, version.from, version.to);
    to.text(kNodeKind, kind_name(fields.kind));
    to.text(kNode, fields.node);
    to.text(kMeasure, measure_name(fields.measure));
    if (fields.warn == 0) to.null(kWarn);
    else to.decimal(kWarn, fields.warn);
    to.decimal(kBreach, fields.breach);
    to.decimal(kHysteresis, fields.hysteresis);
    to.flag(kHard, fields.hard);
    put_word(to, kOwner, fields.owner);
    to.number(kEscalateAfterNs, fields.escalate_after);
    first = table.end_row();
  });
  return first;
}

}  // namespace halocline
