#pragma once
// What the tests of the choice between providers share: providers that are played by hand or answer by themselves, and
// the operators' view of the targets.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace tollgate::test {

inline const std::string good = R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]})";

inline std::string failed_answer(int status, const std::string& message = "down") {
  return json_answer(R"({"error":{"message":")" + message + R"(","type":"server_error","code":null,"param":null}})",
                     status);
}

/// A provider's block of the configuration, in one line.
inline std::string provider_at(const std::string& name, std::uint16_t port, const std::string& keys = {}) {
  return "  " + name + ": {base_url: \"http://127.0.0.1:" + std::to_string(port) + "/v1\"" +
         (keys.empty() ? "" : ", " + keys) + "}\n";
}

inline void expect_by(const Answer& got, const std::string& provider, const std::string& attempts,
                      const std::string& reason, int status = 200) {
  const auto field = [&got](const char* name) {
    const auto found = got.fields.find(name);
    return found == got.fields.end() ? std::string() : found->second;
  };
  EXPECT_EQ(got.status, status) << got.body;
  EXPECT_EQ(field("x-tollgate-provider"), provider);
  EXPECT_EQ(field("x-tollgate-attempts"), attempts);
  EXPECT_EQ(field("x-tollgate-reason"), reason);
}

/// What operators see of the targets. They may not ask too often: then it waits.
inline nlohmann::json target_views(const GatewayUnderTest& gateway) {
  Answer got;
  EXPECT_TRUE(eventually([&] {
    RawClient operators(gateway.admin_address());
    operators.send(get("/admin/v1/targets"));
    got = operators.read_answer();
    return got.status == 200;
  })) << got.body;
  return nlohmann::json::parse(got.body).at("data");
}

/// Of one, "provider/name", with its first credential.
inline nlohmann::json target_view(const GatewayUnderTest& gateway, const std::string& label) {
  for (const auto& target : target_views(gateway))
    if (target.at("target") == label) return target;
  ADD_FAILURE() << "no target " << label;
  return {};
}

/// A provider that answers by itself, on a thread of its own.
class AnsweringUpstream {
 public:
  /// The bytes to answer with; empty: it says nothing and keeps the connection; `reset`: that happens to it.
  using Says = std::function<std::string(const UpstreamRequest&)>;
  static constexpr const char* reset = "reset";

  explicit AnsweringUpstream(Says says);
  ~AnsweringUpstream() { stop(); }
  std::uint16_t port() const { return listener_.port(); }
  /// From here on nobody takes what comes.
  void stop();

 private:
  void run();
  void serve(RawSocket& connection);
  Says says_;
  RawListener listener_, stopper_;
  std::thread thread_;
};

}  // namespace tollgate::test
