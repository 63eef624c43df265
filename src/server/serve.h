// The server's whole life: opens the journal, replays it, starts the core and the gateway, waits for a signal, drains.
//
// When it serves it says so in one line on stdout, "halocline: serving on 127.0.0.1:7117 (journal …, durability fsync)", and
// in the file `serving` in the data directory: the address and the process id, a line each; the file is removed at the end.
// SIGTERM or SIGINT: takes no more, finishes what was taken, syncs and seals the journal, and returns 0. A second one while
// it drains ends the process at once, as a crash would.
//
// Call it before any other thread is started: it blocks the signals it waits for.
#pragma once

#include "command/gateway.h"
#include "server/config.h"

namespace halocline {

// What serve() returns, and the process exits with.
enum ServeExit : int {
  kExitDrained = 0,
  kExitUsage = 64,          // the configuration asks for something impossible
  kExitDamaged = 65,        // the journal or the catalog does not check, or is of a newer format
  kExitAddress = 69,        // the gateway cannot listen
  kExitDiskFull = 73,       // the journal found no room, at the start or while serving
  kExitJournal = 74,        // the journal failed: an I/O error. What was acknowledged is kept; nobody knows about the rest
  kExitInUse = 75,          // another process has the data directory
  kExitFirm = 78,           // the journal belongs to another firm than the configuration says
};

// With the gRPC gateway, and the FIX gateway when the configuration has an address for it. In both, the Iceberg catalog is served
// when it has one for that, and the history written when it says so.
int serve(const Config& config);
// With any gateways, for tests; `fix` may be none.
int serve(const Config& config, Gateway& gateway, Gateway* fix = nullptr);

}  // namespace halocline
