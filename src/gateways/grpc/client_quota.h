// How many subscriptions each client has, over all its streams and connections. A client is the address it comes from, without the port:
// the API knows no names of clients. Those behind one address, or one socket file, share the quota.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace halocline::rpc {

// "10.0.0.7" of gRPC's "ipv4:10.0.0.7:41822", "[::1]" of "ipv6:%5B::1%5D:41822"; anything else as it is.
std::string client_of(const std::string& peer);

class ClientQuota {
 public:
  // One subscription of a client, until it is destroyed.
  class Place {
   public:
    Place(ClientQuota& quota, std::string client) : quota_(&quota), client_(std::move(client)) {}
    Place(Place&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), client_(std::move(other.client_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(quota_, other.quota_);
      client_.swap(other.client_);
      return *this;
    }
    ~Place() {
      if (quota_ != nullptr) quota_->give_back(client_);
    }

   private:
    ClientQuota* quota_;
    std::string client_;
  };

  explicit ClientQuota(std::size_t most) : most_(most) {}

  // Nothing: the client has as many as it may. Any thread, as all of it.
  std::optional<Place> take(const std::string& client);

 private:
  void give_back(const std::string& client);

  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> taken_;
};

}  // namespace halocline::rpc
