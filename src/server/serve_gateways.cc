#include "base/log.h"
#include "gateways/fix/fix_gateway.h"
#include "gateways/grpc/grpc_gateway.h"
#include "server/fix_terms.h"
#include "server/serve.h"

namespace halocline {

int serve(const Config& config) {
  GrpcOptions options;
  options.listen = config.server.listen;
  options.tls_certificate = config.server.tls_certificate;
  options.tls_key = config.server.tls_key;
  options.max_message_bytes = config.limits.message_bytes;
  options.max_streams = static_cast<std::uint32_t>(config.limits.streams);
  options.max_calls = static_cast<std::uint32_t>(config.limits.calls);
  options.max_listings = static_cast<std::uint32_t>(config.limits.listings);
  options.window_bytes = config.limits.stream_window_bytes;
  options.total_window_bytes = config.limits.total_window_bytes;
  options.subscriber_queue = static_cast<std::uint32_t>(config.limits.subscriber_queue);
  options.client_queries = static_cast<std::uint32_t>(config.limits.client_queries);
  const std::unique_ptr<Gateway> gateway = make_grpc_gateway(options);
  SystemClock clock;
  std::unique_ptr<Gateway> fix_gateway;
  if (!config.fix.listen.empty() || !config.fix.tls_listen.empty()) {
    Result<FixOptions> fix = fix_options(config);
    CHECK(fix.ok(), "%s", fix.status().message().c_str());  // looked at with the rest of the configuration
    fix_gateway = make_fix_gateway(fix.take(), clock);
  } else if (!config.fix_sessions.empty()) {
    log_line(LogLevel::kWarn, "fix.not_listening",
             {{"sessions", config.fix_sessions.size()}, {"why", "neither fix.listen nor fix.tls_listen is set"}});
  }
  return serve(config, *gateway, fix_gateway.get());
}

}  // namespace halocline
