// Any bytes as a table's metadata file. What must hold: it is refused with a message, or what is written of it reads as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "history/iceberg/table_metadata_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace halocline;
  const auto metadata = iceberg::parse_table_metadata(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!metadata.ok()) {
    CHECK(!metadata.status().message().empty(), "a refusal without a message");
    return 0;
  }
  const std::string text = iceberg::table_metadata_text(metadata.value());
  const auto again = iceberg::parse_table_metadata(text);
  CHECK(again.ok(), "what was written is refused: %s\n%s", again.status().message().c_str(), text.c_str());
  CHECK(iceberg::table_metadata_text(again.value()) == text, "%s reads as another", text.c_str());
  return 0;
}
