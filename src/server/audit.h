// The audit of a data directory: that its journal is whole, that it is the one whose heads were signed, and that the tables of the history
// are exactly what follows from it (docs/formats/audit.md; docs/operations.md, "The audit"). Nothing is modified; it works beside a running
// server, of which it sees what there was when it began.
// Where the journal's beginning was removed, what is left is held against the heads by the hash chain, and by their roots from where the
// tree is known; rows are compared from the oldest state on that the history keeps.
//
//   AuditOptions options;
//   options.data_directory = "halocline-data";
//   Result<AuditReport> report = audit(disk, options);
//   for (const AuditProblem& problem : report.value().problems) …
//
// One thread; any number of audits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/ed25519.h"
#include "base/status.h"
#include "journal/inspect.h"
#include "server/config.h"
#include "server/head_claims.h"

namespace halocline {

struct AuditOptions {
  std::string data_directory;
  std::vector<std::string> witnesses;  // witness files and copies of them; the one in the data directory is taken besides, if it is there
  std::optional<PublicKey> key;        // that the auditor noted when the record began
  bool tables = true;                  // compare those too, if there are any
  std::string warehouse;               // a folder, or s3://… reached as the AWS variables say; empty: `warehouse` in the data directory
  std::optional<Config> server;        // how the server is configured: with catalog.uri the tables are where that catalog says
  Nanos removed_before = 0;            // segments from before that may be gone (archive.keep_days); 0: none may
  std::string scratch = "/tmp";        // a folder with as much room as the warehouse takes
  // What is being done, and how much of it of about how much; total 0: not known. Often.
  std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

struct AuditedTable {
  std::string name;
  std::uint64_t rows = 0, files = 0, snapshots = 0;
  std::uint64_t differences = 0;  // of which the first are among the problems
};

struct AuditReport {
  JournalReport journal;
  std::uint64_t heads = 0;           // claims that were compared with the journal …
  std::uint64_t heads_unchecked = 0;  // … and those that could not be: it is damaged before their end, or that was removed
  std::vector<PublicKey> keys;       // in their order; the last one signs now
  Seq signed_seq = 0;                // up to here it is signed; 0: nothing is
  Nanos signed_time = 0;             // when that was
  std::vector<AuditedTable> tables;
  Seq tables_seq = 0;                // they have everything up to here
  Seq tables_from = 1;               // rows that follow from commands before were not compared: these were removed
  std::string tables_note;           // why they were not compared; empty: they were
  std::vector<AuditProblem> problems;

  bool ok() const { return problems.empty(); }
};

// kNotFound: there is no journal. kIo: the disk. kUnsupported: a command this program does not know.
Result<AuditReport> audit(Disk& disk, const AuditOptions& options);

// Where the journal and the witness file of a data directory are.
std::string audit_journal(const std::string& data_directory);
std::string audit_witness(const std::string& data_directory);

}  // namespace halocline
