// Alerts of the whole gateway: the channels of its configuration, over reloads, and its metrics.
#include "support/gateway_under_test.hpp"

#include <gtest/gtest.h>

namespace tollgate::test {
namespace {

TEST(Alerts, channels_of_the_configuration_come_and_go_with_reloads_and_are_counted_from_zero) {
  GatewayUnderTest gateway(config_for(1) + "alerts: {platform: {webhook: \"http://127.0.0.1:1/x\"}, quiet: {}}\n");
  for (const char* result : {"sent", "failed", "dropped", "logged"})
    EXPECT_EQ(gateway.metric("tollgate_alerts_total{result=\"" + std::string(result) + "\"}"), 0);
  EXPECT_EQ(gateway.metric("tollgate_spans_total{result=\"sent\"}"), 0);
  gateway.rewrite_config(config_for(1) + "alerts: {other: {webhook: \"https://127.0.0.1:1/x\"}}\n");
  gateway.gateway().request_reload();
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_config_generation", 2));
}

}  // namespace
}  // namespace tollgate::test
