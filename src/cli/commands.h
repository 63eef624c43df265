// Each command adds itself to the command line; its callback sets session.action. One .cc file a command.
#pragma once

#include "cli/command_line.h"
#include "cli/session.h"

namespace halocline::cli {

void add_serve(Verb& app, Session& session);
void add_trade(Verb& app, Session& session);
void add_price(Verb& app, Session& session);
void add_fx(Verb& app, Session& session);
void add_ref(Verb& app, Session& session);
void add_limit(Verb& app, Session& session);
void add_alerts(Verb& app, Session& session);
void add_ack(Verb& app, Session& session);
void add_positions(Verb& app, Session& session);
void add_nodes(Verb& app, Session& session);
void add_query(Verb& app, Session& session);
void add_watch(Verb& app, Session& session);
void add_diff(Verb& app, Session& session);
void add_backtest(Verb& app, Session& session);
void add_eod(Verb& app, Session& session);
void add_fix(Verb& app, Session& session);
void add_status(Verb& app, Session& session);
void add_journal(Verb& app, Session& session);
void add_audit(Verb& app, Session& session);
void add_bench(Verb& app, Session& session);
void add_config(Verb& app, Session& session);
void add_completion(Verb& app, Session& session);

}  // namespace halocline::cli
