#include "gateways/grpc/client_quota.h"

#include "base/check.h"

namespace halocline::rpc {

std::string client_of(const std::string& peer) {
  const bool v6 = peer.starts_with("ipv6:");
  if (!v6 && !peer.starts_with("ipv4:")) return peer;
  std::string client = peer.substr(5, peer.rfind(':') - 5);
  if (!client.starts_with("%5B") || !client.ends_with("%5D")) return client;
  return "[" + client.substr(3, client.size() - 6) + "]";
}

std::optional<ClientQuota::Place> ClientQuota::take(const std::string& client) {
  const std::lock_guard lock(mutex_);
  std::size_t& taken = taken_[client];
  if (taken >= most_) return std::nullopt;  // at least one, so there is no entry without any
  ++taken;
  return std::optional<Place>(std::in_place, *this, client);
}

void ClientQuota::give_back(const std::string& client) {
  const std::lock_guard lock(mutex_);
  const auto at = taken_.find(client);
  CHECK(at != taken_.end(), "%s gives back what it has not", client.c_str());
  if (--at->second == 0) taken_.erase(at);
}

}  // namespace halocline::rpc
