#include "server/iceberg.h"

namespace halocline {

bool has_iceberg() { return false; }

Result<std::unique_ptr<Iceberg>> open_iceberg(const Config&, Disk&, const Clock&, const std::string&, HeadLog*) {
  return std::unique_ptr<Iceberg>();
}

}  // namespace halocline
