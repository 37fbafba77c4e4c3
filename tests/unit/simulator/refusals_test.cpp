#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;

struct Refused {
  const char* behaviour;
  const char* path;
  const char* body;
  const char* param;  ///< "null" for none
  const char* code;   ///< "null" for none
};

class Refusal : public ::testing::TestWithParam<Refused> {};

TEST_P(Refusal, is_a_400_in_openais_envelope) {
  Server server(fast());
  Client client(server.start());
  client.post(GetParam().path, GetParam().body);
  const Reply reply = client.read();
  ASSERT_EQ(reply.status, 400) << reply.body;
  const nlohmann::json error = reply.json()["error"];
  const auto text = [](const nlohmann::json& value) { return value.is_null() ? "null" : value.get<std::string>(); };
  EXPECT_EQ(error["type"], "invalid_request_error");
  EXPECT_EQ(text(error["param"]), GetParam().param);
  EXPECT_EQ(text(error["code"]), GetParam().code);
  EXPECT_EQ(server.truth().size() == 1 || server.wait_until([&] { return server.truth().size() == 1; }), true);
  EXPECT_EQ(server.truth()[0].status, 400u);
}

constexpr const char* chat_path = "/v1/chat/completions";
constexpr const char* embeddings_path = "/v1/embeddings";

INSTANTIATE_TEST_SUITE_P(
    Bodies, Refusal,
    ::testing::Values(
        Refused{"empty", chat_path, "", "null", "null"}, Refused{"not_json", chat_path, "{oops", "null", "null"},
        Refused{"not_an_object", chat_path, "[]", "null", "null"},
        Refused{"ill_formed_utf8", chat_path, "{\"model\":\"\xC3\x28\"}", "null", "null"},
        Refused{"no_model", chat_path, R"({"messages":[{}]})", "model", "missing_required_parameter"},
        Refused{"model_is_a_number", chat_path, R"({"model":5,"messages":[{}]})", "model", "invalid_type"},
        Refused{"unknown_steering", chat_path, R"({"model":"sim,fault=odd","messages":[{}]})", "model",
                "invalid_value"},
        Refused{"no_messages", chat_path, R"({"model":"m"})", "messages", "missing_required_parameter"},
        Refused{"messages_are_text", chat_path, R"({"model":"m","messages":"hi"})", "messages", "invalid_type"},
        Refused{"messages_are_empty", chat_path, R"({"model":"m","messages":[]})", "messages", "empty_array"},
        Refused{"message_is_text", chat_path, R"({"model":"m","messages":["hi"]})", "messages", "invalid_type"},
        Refused{"stream_options_alone", chat_path, R"({"model":"m","messages":[{}],"stream_options":{}})",
                "stream_options", "null"},
        Refused{"stream_is_text", chat_path, R"({"model":"m","messages":[{}],"stream":"yes"})", "stream",
                "invalid_type"},
        Refused{"metadata_without_store", chat_path, R"({"model":"m","messages":[{}],"metadata":{"a":"b"}})",
                "metadata", "null"},
        Refused{"parallel_without_tools", chat_path, R"({"model":"m","messages":[{}],"parallel_tool_calls":true})",
                "parallel_tool_calls", "null"},
        Refused{"cap_is_zero", chat_path, R"({"model":"m","messages":[{}],"max_tokens":0})", "max_tokens",
                "invalid_value"},
        Refused{"cap_is_negative", chat_path, R"({"model":"m","messages":[{}],"max_tokens":-3})", "max_tokens",
                "invalid_value"},
        Refused{"cap_is_text", chat_path, R"({"model":"m","messages":[{}],"max_tokens":"5"})", "max_tokens",
                "invalid_type"},
        Refused{"too_many_choices", chat_path, R"({"model":"m","messages":[{}],"n":129})", "n", "invalid_value"},
        Refused{"no_prompt", "/v1/completions", R"({"model":"m"})", "prompt", "missing_required_parameter"},
        Refused{"no_input", embeddings_path, R"({"model":"m"})", "input", "missing_required_parameter"},
        Refused{"input_is_empty", embeddings_path, R"({"model":"m","input":[]})", "input", "invalid_type"},
        Refused{"input_is_mixed", embeddings_path, R"({"model":"m","input":["a",{}]})", "input", "invalid_type"},
        Refused{"odd_encoding", embeddings_path, R"({"model":"m","input":"a","encoding_format":"hex"})",
                "encoding_format", "invalid_value"},
        Refused{"no_responses_input", "/v1/responses", R"({"model":"m"})", "input", "missing_required_parameter"}),
    [](const auto& instance) { return std::string(instance.param.behaviour); });

}  // namespace
}  // namespace tollgate::simulator
