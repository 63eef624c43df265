#include "cli/commands.h"
#include "cli/text.h"

namespace halocline::cli {

void add_eod(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("eod", "end the business day: day P&L, drawdown and largest trade start anew");
  command->footer("Example: halocline eod 2026-11-24");
  auto date = std::make_shared<std::string>();
  command->add_option("DATE", *date, "the day that ends, 2026-11-24 or 20261124")->required();
  add_server_options(*command, session);
  command->callback([date, &session] {
    session.action = [date, &session] {
      const std::optional<std::uint32_t> day = parse_date(*date);
      if (!day) return usage_error("\"" + *date + "\" is not a date like 2026-11-24 or 20261124");
      const Result<v1::Ack> ack = session.connect().end_of_day(*day);
      if (!ack.ok()) return report(ack.status());
      return show_ack(session, ack.value(), "end of day " + *date);
    };
  });
}

}  // namespace halocline::cli
