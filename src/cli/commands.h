// Each command adds itself to the command line; its callback sets session.action. One .cc file a command.
#pragma once

#include "cli/session.h"

namespace halocline::cli {

void add_serve(CLI::App& app, Session& session);
void add_trade(CLI::App& app, Session& session);
void add_price(CLI::App& app, Session& session);
void add_fx(CLI::App& app, Session& session);
void add_ref(CLI::App& app, Session& session);
void add_limit(CLI::App& app, Session& session);
void add_alerts(CLI::App& app, Session& session);
void add_ack(CLI::App& app, Session& session);
void add_positions(CLI::App& app, Session& session);
void add_nodes(CLI::App& app, Session& session);
void add_query(CLI::App& app, Session& session);
void add_watch(CLI::App& app, Session& session);
void add_diff(CLI::App& app, Session& session);
void add_backtest(CLI::App& app, Session& session);
void add_eod(CLI::App& app, Session& session);
void add_fix(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_journal(CLI::App& app, Session& session);
void add_audit(CLI::App& app, Session& session);
void add_bench(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

}  // namespace halocline::cli
