// Any bytes as two commits of the REST API, {"first": [updates], "second": [updates]}, the second on what the first makes of a
// table. What must hold: updates are refused with a message, or they come to metadata that is written and read as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "history/iceberg/metadata_update_json.h"
#include "history/iceberg/table_metadata_json.h"

namespace {

using namespace halocline;
using namespace halocline::iceberg;

TableMetadata table(int version) {
  TableDraft draft;
  draft.location = "file:///w/t";
  draft.schema.fields = {required(1, "id", primitive(TypeKind::kLong)), optional(2, "at", primitive(TypeKind::kTimestamptz))};
  draft.spec.fields = {{2, 0, "at_day", {"day"}}};
  draft.properties = {{"format-version", std::to_string(version)}};
  return new_table_metadata(draft, "0b7cf2a4-6d5e-4b6f-8f6e-9a3d0a4f2f11", 1'000).take();
}

void commit(TableMetadata base, const Json& json) {
  for (const char* part : {"first", "second"}) {
    Status first;
    ObjectReader in(json, "commits", first);
    const std::vector<MetadataUpdate> updates = read_updates(in.maybe_array(part), first);
    if (!first.ok()) {
      CHECK(!first.message().empty(), "a refusal without a message");
      return;
    }
    const Result<TableMetadata> next = apply_updates(&base, updates, {5'000, "file:///w/t/metadata/00000.metadata.json"});
    if (!next.ok()) {
      CHECK(!next.status().message().empty(), "a refusal without a message");
      return;
    }
    const std::string text = table_metadata_text(next.value());
    const Result<TableMetadata> read = parse_table_metadata(text);
    CHECK(read.ok(), "what updates came to is refused: %s\n%s", read.status().message().c_str(), text.c_str());
    CHECK(table_metadata_text(read.value()) == text, "%s reads as another", text.c_str());
    base = next.value();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Result<Json> json = parse_json(std::string_view(reinterpret_cast<const char*>(data), size), "commits");
  if (!json.ok()) return 0;
  for (const int version : {2, 3}) commit(table(version), json.value());
  return 0;
}
