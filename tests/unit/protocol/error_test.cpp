#include "tollgate/protocol/openai/error.hpp"

#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/sse.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::protocol::openai {
namespace {

using nlohmann::json;

TEST(ErrorForm, is_the_table_of_the_docs) {
  struct Row {
    FailureKind kind;
    int status;
    const char *type, *code;
  };
  const Row rows[] = {
      {FailureKind::bad_request, 400, "invalid_request_error", ""},
      {FailureKind::unauthorized, 401, "invalid_request_error", "invalid_api_key"},
      {FailureKind::not_allowed, 403, "invalid_request_error", "model_not_allowed"},
      {FailureKind::not_found, 404, "invalid_request_error", "unknown_url"},
      {FailureKind::model_not_found, 404, "invalid_request_error", "model_not_found"},
      {FailureKind::method_not_allowed, 405, "invalid_request_error", "method_not_allowed"},
      {FailureKind::request_timeout, 408, "invalid_request_error", "request_timeout"},
      {FailureKind::too_large, 413, "invalid_request_error", "request_too_large"},
      {FailureKind::unsupported_media, 415, "invalid_request_error", "unsupported_media_type"},
      {FailureKind::client_left, 499, "invalid_request_error", "client_closed_request"},
      {FailureKind::internal, 500, "server_error", "internal_error"},
      {FailureKind::upstream_error, 502, "server_error", "upstream_error"},
      {FailureKind::no_upstream, 503, "server_error", "no_upstream_available"},
      {FailureKind::overloaded, 503, "server_error", "overloaded"},
      {FailureKind::upstream_timeout, 504, "server_error", "upstream_timeout"},
  };
  for (const Row& row : rows) {
    const ErrorForm form = error_form(row.kind);
    EXPECT_EQ(form.status, row.status) << row.code;
    EXPECT_EQ(form.type, row.type) << row.code;
    EXPECT_EQ(form.code, row.code);
  }
}

TEST(ErrorBody, has_all_four_keys_and_null_where_empty) {
  EXPECT_EQ(error_body("no", "invalid_request_error", "", ""),
            R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(error_body("no", "t", "model", "c"), R"({"error":{"message":"no","type":"t","param":"model","code":"c"}})");
}

TEST(ErrorBody, takes_the_kinds_code_unless_the_failure_names_one) {
  Failure failure{.kind = FailureKind::upstream_error, .source = Source::upstream, .message = "reset"};
  EXPECT_EQ(json::parse(error_body(failure))["error"]["code"], "upstream_error");
  failure.code = "upstream_auth_failed";
  failure.param = "model";
  const json body = json::parse(error_body(failure));
  EXPECT_EQ(body["error"]["code"], "upstream_auth_failed");
  EXPECT_EQ(body["error"]["type"], "server_error");
  EXPECT_EQ(body["error"]["param"], "model");
}

TEST(ErrorBody, stays_json_whatever_the_message_holds) {
  std::string message;
  for (int byte = 0; byte < 256; ++byte) message.push_back(static_cast<char>(byte));
  message += "\" \\ é 😀 \xF0\x9F";
  const json body = json::parse(error_body(message, "t", message, message));
  const std::string read = body["error"]["message"];
  EXPECT_EQ(read.substr(0, 0x80), message.substr(0, 0x80));
  EXPECT_NE(read.find("é 😀"), std::string::npos);
}

TEST(ErrorFrame, is_one_unnamed_event_that_the_sdks_raise_on) {
  const Failure failure{
      .kind = FailureKind::upstream_timeout, .source = Source::upstream, .message = "idle\nfor 120 s"};
  const std::string frame = error_frame(failure);
  EXPECT_EQ(frame,
            "data: {\"error\":{\"message\":\"idle\\nfor 120 s\",\"type\":\"server_error\",\"param\":null,"
            "\"code\":\"upstream_timeout\"}}\n\n");
  SseScanner scanner;
  EXPECT_EQ(scanner.next_event_end(frame), frame.size());
  const SseEvent event = parse_sse_event(frame);
  EXPECT_EQ(event.data_lines, 1u);
  EXPECT_TRUE(event.name.empty());
  EXPECT_TRUE(read_chunk(StreamKind::chat, event.name, event.data).error);
  EXPECT_EQ(read_error(event.data)->message, "idle\nfor 120 s");
}

}  // namespace
}  // namespace tollgate::protocol::openai
