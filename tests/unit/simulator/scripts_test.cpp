#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;

class Scripts : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.start();
    client_ = std::make_unique<Client>(server_.port());
  }
  Reply ask(const std::string& model = "sim", const std::string& fields = "") {
    client_->post("/v1/chat/completions", chat(model), fields);
    return client_->read();
  }
  static Script steered(const std::string& text, const std::string& path = "") {
    return {path, *parse_steering(text, ','), {}};
  }

  Server server_{fast()};
  std::unique_ptr<Client> client_;
};

TEST_F(Scripts, are_taken_in_order_one_per_request) {
  server_.script(steered("fault=error_500"));
  server_.script(steered("fault=quota"));
  EXPECT_EQ(ask().status, 500);
  EXPECT_EQ(ask().status, 429);
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(server_.scripts_left(), 0u);
}

TEST_F(Scripts, wait_for_a_request_to_their_path) {
  server_.script(steered("fault=error_500", "/v1/models"));
  server_.script(steered("fault=error_503"));
  EXPECT_EQ(ask().status, 503);
  EXPECT_EQ(ask().status, 200);
  client_->get("/v1/models?after=x");
  EXPECT_EQ(client_->read().status, 500);
}

TEST_F(Scripts, go_over_the_header_which_goes_over_the_model_name) {
  const auto tokens = [](const Reply& reply) { return reply.json()["usage"]["completion_tokens"].get<int>(); };
  EXPECT_EQ(tokens(ask("sim,tokens=3")), 3);
  EXPECT_EQ(tokens(ask("sim,tokens=3", "x-simulator: tokens=4; rate=0\r\n")), 4);
  server_.script(steered("tokens=5"));
  EXPECT_EQ(tokens(ask("sim,tokens=3", "x-simulator: tokens=4\r\n")), 5);
  const Reply refused = ask("sim", "x-simulator: colour=red\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.json()["error"]["param"], "x-simulator");
}

TEST_F(Scripts, replay_a_json_body_with_their_own_fields) {
  Script script;
  script.replay = json_replay(418, R"({"odd":true})", {{"x-test", "yes"}});
  server_.script(script);
  const Reply reply = ask();
  EXPECT_EQ(reply.status, 418);
  EXPECT_EQ(reply.body, R"({"odd":true})");
  EXPECT_EQ(reply.fields.at("x-test"), "yes");
  EXPECT_EQ(ask().status, 200) << "the connection serves on";
  EXPECT_EQ(server_.truth()[0].status, 418u);
}

TEST_F(Scripts, replay_a_stream_byte_for_byte) {
  Script script;
  script.replay = sse_replay({"data: {\"a\"", ":1}\r", "\n\r\n", ": note\n\n", "data: [DONE]\n\n"});
  server_.script(script);
  const Reply reply = ask();
  EXPECT_EQ(reply.end, Reply::End::whole);
  EXPECT_EQ(reply.body, "data: {\"a\":1}\r\n\r\n: note\n\ndata: [DONE]\n\n");
}

TEST_F(Scripts, send_raw_pieces_apart_and_then_close_reset_or_hang) {
  for (const auto& [then, end] :
       {std::pair{Replay::Then::close, Reply::End::cut}, std::pair{Replay::Then::reset, Reply::End::reset},
        std::pair{Replay::Then::hang, Reply::End::silent}}) {
    Script script;
    script.replay.emplace();
    script.replay->pieces = {"HTTP/1.1 200 OK\r\ncontent-le", "ngth: 10\r\n\r\nhal", "f"};
    script.replay->gap = Millis{5};
    script.replay->then = then;
    server_.script(script);
    client_ = std::make_unique<Client>(server_.port());
    client_->post("/v1/chat/completions", chat("sim"));
    const Reply reply = client_->read(then == Replay::Then::hang ? 500 : 10'000);
    EXPECT_EQ(reply.end, end);
    EXPECT_EQ(reply.body, "half");
  }
}

}  // namespace
}  // namespace tollgate::simulator
