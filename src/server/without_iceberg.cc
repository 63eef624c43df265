#include "server/audit_tables.h"
#include "server/iceberg.h"

namespace halocline {

bool has_iceberg() { return false; }

Result<std::unique_ptr<SegmentArchive>> open_archive(Disk& disk, const std::string& place, const Config*) {
  if (place.find("://") == std::string::npos) return std::unique_ptr<SegmentArchive>(std::make_unique<FolderArchive>(disk, place));
  return Status(Code::kUnsupported, "this program is built without S3, where the archive " + place + " is (docs/iceberg.md)");
}

Result<std::unique_ptr<Iceberg>> open_iceberg(const Config&, Disk&, const Clock&, const std::string&, HeadLog*) {
  return std::unique_ptr<Iceberg>();
}

Result<std::unique_ptr<TablesAudit>> TablesAudit::open(Disk&, const AuditOptions&) {
  return Status(Code::kUnsupported, "this program is built without the history (docs/iceberg.md)");
}

}  // namespace halocline
