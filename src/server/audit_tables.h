// The tables' part of the audit (server/audit.h): what they claim of the journal, and whether their rows are those that follow from it. A
// second history is written from the journal into a scratch folder, with commits where the first one had them, and the rows of both are
// compared. Where the journal's beginning was removed, that begins with the oldest state that the history keeps (server/history.h).
//
//   Result<std::unique_ptr<TablesAudit>> tables = TablesAudit::open(disk, options);      // kNotFound: there are none
//   tables.value()->claim(claims);                                                         // roots and heads in their metadata
//   Status status = tables.value()->compare(journal_directory, report);
//
// A program without Iceberg has without_iceberg.cc for it: kUnsupported. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/merkle.h"
#include "base/status.h"
#include "server/audit.h"
#include "server/head_claims.h"

namespace halocline {

class TablesAudit {
 public:
  virtual ~TablesAudit() = default;

  // From a copy of the catalog's database, so a running server is not disturbed; or from another one's catalog, as the server finds it.
  // kNotFound: no catalog, or no tables of ours in it.
  // kUnsupported: not in this program. kDataLoss: broken metadata; the message names the file. kIo: no scratch folder.
  static Result<std::unique_ptr<TablesAudit>> open(Disk& disk, const AuditOptions& options);

  virtual void claim(HeadClaims& claims) = 0;
  // Of the first records of the journal, as the states say that the history keeps.
  virtual std::vector<MerkleTree> trees() const = 0;
  // Up to which seq the tables say they are.
  virtual Seq committed() const = 0;
  // Adds tables and problems to the report, or says in it why there are none. Fails when the comparison cannot be made.
  virtual Status compare(const std::string& journal_directory, AuditReport& report) = 0;
};

}  // namespace halocline
