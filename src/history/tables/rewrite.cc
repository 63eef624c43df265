#include "history/tables/rewrite.h"

namespace halocline {

iceberg::TableChange change_of(const Rewrite& rewrite) {
  iceberg::TableChange change;
  change.same_rows = true;
  for (const Rewrite::File& file : rewrite.data) change.data.push_back(file.file);
  change.deletes = rewrite.kept_deletes;
  change.removed = rewrite.removed_data;
  change.removed.insert(rewrite.removed_deletes.begin(), rewrite.removed_deletes.end());
  change.manifests = rewrite.manifests;
  return change;
}

}  // namespace halocline
