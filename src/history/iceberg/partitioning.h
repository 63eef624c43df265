// Partition specs and sort orders: how rows are laid out, as transforms of fields.
// Iceberg spec, "Partitioning", "Partition Transforms" and "Sorting".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

enum class TransformKind : std::uint8_t { kIdentity, kBucket, kTruncate, kYear, kMonth, kDay, kHour, kVoid, kUnknown };

// A transform as it is written: "identity", "bucket[16]", "truncate[4]", "day". One that is not known is kept, and no more
// than kept: a reader must ignore it, a writer must not use it.
struct Transform {
  std::string text = "identity";

  TransformKind kind() const;
  // The N of bucket[N], the W of truncate[W], else 0.
  std::int32_t parameter() const;
  // Whether values of the type can be transformed. Unknown transforms take anything.
  bool accepts(const Type& source) const;
  // The type of what comes out, for a source it accepts. Of an unknown transform: string.
  Type result(const Type& source) const;

  friend bool operator==(const Transform&, const Transform&) = default;
};

struct PartitionField {
  std::int32_t source_id = 0;  // the schema's field
  std::int32_t field_id = 0;   // 0: to be given; else from 1000
  std::string name;
  Transform transform;

  friend bool operator==(const PartitionField&, const PartitionField&) = default;
};

inline constexpr std::int32_t kFirstPartitionFieldId = 1'000;

struct PartitionSpec {
  std::int32_t spec_id = 0;
  std::vector<PartitionField> fields;  // none: not partitioned

  // Whether both lay rows out alike: the same transforms of the same fields under the same names, in the same order.
  bool compatible_with(const PartitionSpec& other) const;
  // The largest field id, 999 when there is none.
  std::int32_t last_field_id() const;
};

struct SortField {
  std::int32_t source_id = 0;
  Transform transform;
  bool ascending = true;
  bool nulls_first = true;

  friend bool operator==(const SortField&, const SortField&) = default;
};

struct SortOrder {
  std::int32_t order_id = 0;  // 0 is the unsorted one
  std::vector<SortField> fields;
};

// Whether the sources are there, primitive, outside of lists and maps, and of a type the transform takes, and the names and
// ids of partition fields unique. kInvalidArgument names the field.
Status check_spec(const PartitionSpec& spec, const Schema& schema);
// The same, and whether its names clash with columns: asked of a new spec only, for a column may come later.
Status check_new_spec(const PartitionSpec& spec, const Schema& schema);
Status check_order(const SortOrder& order, const Schema& schema);

}  // namespace halocline::iceberg
