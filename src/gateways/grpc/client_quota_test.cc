#include "gateways/grpc/client_quota.h"

#include <gtest/gtest.h>

namespace halocline::rpc {
namespace {

TEST(ClientQuotaTest, AClientIsItsAddressWithoutThePort) {
  EXPECT_EQ(client_of("ipv4:10.0.0.7:41822"), "10.0.0.7");
  EXPECT_EQ(client_of("ipv6:%5B::1%5D:41822"), "[::1]");
  EXPECT_EQ(client_of("ipv6:[::1]:41822"), "[::1]");
  EXPECT_EQ(client_of("unix:/run/halocline"), "unix:/run/halocline");
  EXPECT_EQ(client_of("unix:"), "unix:");
}

TEST(ClientQuotaTest, EachHasItsOwn) {
  ClientQuota quota(2);
  auto first = quota.take("a"), second = quota.take("a");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(quota.take("a"));
  EXPECT_TRUE(quota.take("b"));
  first.reset();
  EXPECT_TRUE(quota.take("a")) << "what was given back can be taken";
}

}  // namespace
}  // namespace halocline::rpc
