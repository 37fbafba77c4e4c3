// A request's way there and back: what crosses, what stays, and that the bytes are kept.
#include <gtest/gtest.h>

#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

namespace tollgate::test {
namespace {

TEST(Relay, sends_the_body_as_it_came_and_the_answer_as_it_came) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  const std::string body = "{ \"messages\" : [ ] ,\t\"model\":\"m\", \"temperature\":1.0, \"seed\":1e2, \"x\":\"\\u00e9\" }\n";
  client.send(post("/v1/chat/completions", body));
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  EXPECT_EQ(request.body, body);
  EXPECT_TRUE(request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")) << request.head;
  const std::string answer = "{ \"id\": 1.0,  \"choices\":[] }";
  connection.send(json_answer(answer));
  const Answer got = client.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, answer);
}

}  // namespace
}  // namespace tollgate::test
