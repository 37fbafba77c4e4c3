// Each form that the spliced members can have, with the exact bytes that must come out: providers' prompt caches miss
// on any other change.
#include "tollgate/protocol/openai/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace tollgate::protocol::openai {
namespace {

std::string spliced(std::string_view body, const SpliceWishes& wishes) {
  const auto scan = scan_request(body);
  if (!scan) return "refused: " + scan.error().message;
  const auto splices = plan_splices(*scan, wishes);
  std::string out;
  for (const std::string_view piece : apply_splices(body, splices)) out += piece;
  return out;
}

struct Case {
  const char *before, *after;
};

TEST(Splice, replaces_the_model_and_nothing_else) {
  const Case cases[] = {
      {R"({"model":"auto"})", R"({"model":"gpt-5.5"})"},
      {R"( { "messages" : [ ] , "model"  :  "auto"  , "x":1.0e+2 } )",
       R"( { "messages" : [ ] , "model"  :  "gpt-5.5"  , "x":1.0e+2 } )"},
      {R"({"\u006dodel":"\u0061uto"})", R"({"\u006dodel":"gpt-5.5"})"},
      {R"({"model":""})", R"({"model":"gpt-5.5"})"},
      {R"({"x":{"model":"auto"}})", R"({"x":{"model":"auto"}})"},
      {R"({"model":"gpt\u002d5.5"})", R"({"model":"gpt\u002d5.5"})"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(spliced(before, {.model = "gpt-5.5"}), after);
}

TEST(Splice, quotes_the_name_it_puts_in) {
  EXPECT_EQ(spliced(R"({"model":"a"})", {.model = "x\"\\\n\x01é"}), "{\"model\":\"x\\\"\\\\\\n\\u0001é\"}");
}

TEST(Splice, asks_for_usage_in_each_form_of_stream_options) {
  const Case cases[] = {
      {R"({"stream":true})", R"({"stream_options":{"include_usage":true},"stream":true})"},
      {R"({ })", R"({"stream_options":{"include_usage":true} })"},
      {R"({"stream_options":null})", R"({"stream_options":{"include_usage":true}})"},
      {R"({"stream_options": {} })", R"({"stream_options": {"include_usage":true} })"},
      {R"({"stream_options":{  }})", R"({"stream_options":{"include_usage":true}})"},
      {R"({"stream_options":{"include_usage":false}})", R"({"stream_options":{"include_usage":true}})"},
      {R"({"stream_options":{"include_usage" : null , "x":1}})",
       R"({"stream_options":{"include_usage" : true , "x":1}})"},
      {R"({"stream_options":{"include_usage":true}})", R"({"stream_options":{"include_usage":true}})"},
      {R"({"stream_options":{ "x":1}})", R"({"stream_options":{"include_usage":true, "x":1}})"},
      {R"({"stream_options":{"x":{"include_usage":false}}})",
       R"({"stream_options":{"include_usage":true,"x":{"include_usage":false}}})"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(spliced(before, {.model = {}, .inject_usage = true}), after);
}

TEST(Splice, cuts_the_task_type_out) {
  const Case cases[] = {
      {R"({"metadata":{"task_type":"x"}})", R"({"metadata":{}})"},
      {R"({"metadata":{ "task_type":"x" }})", R"({"metadata":{  }})"},
      {R"({"metadata":{"task_type":"x","a":"b"}})", R"({"metadata":{"a":"b"}})"},
      {R"({"metadata":{"a":"b","task_type":"x"}})", R"({"metadata":{"a":"b"}})"},
      {R"({"metadata":{"a":"b", "task_type":"x", "c":"d"}})", R"({"metadata":{"a":"b", "c":"d"}})"},
      {R"({"metadata":{"a":"b"}})", R"({"metadata":{"a":"b"}})"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(spliced(before, {.model = {}, .remove_task_type = true}), after);
}

TEST(Splice, limits_the_output_where_the_client_set_no_limit) {
  const Case cases[] = {
      {R"({"model":"m"})", R"({"max_completion_tokens":4096,"model":"m"})"},
      {R"( { } )", R"( {"max_completion_tokens":4096 } )"},
      {R"({"max_tokens":7})", R"({"max_tokens":7})"},
      {R"({"max_completion_tokens":0})", R"({"max_completion_tokens":0})"},
      {R"({"max_output_tokens":7,"max_tokens":-1})", R"({"max_output_tokens":7,"max_tokens":-1})"},
      // Not named twice, and not beside a name that the server understands.
      {R"({"max_completion_tokens": null })", R"({"max_completion_tokens": 4096 })"},
      {R"({"max_tokens":-1})", R"({"max_tokens":4096})"},
      {R"({"max_tokens":-1,"max_completion_tokens":-1.0})", R"({"max_tokens":4096,"max_completion_tokens":4096})"},
      {R"({"max_tokens":null})", R"({"max_completion_tokens":4096,"max_tokens":null})"},
      {R"({"max_tokens":-1,"max_completion_tokens":null})", R"({"max_tokens":4096,"max_completion_tokens":4096})"},
      {R"({"max_\u0074okens":-1})", R"({"max_\u0074okens":4096})"},
  };
  for (const auto& [before, after] : cases)
    EXPECT_EQ(spliced(before, {.model = {}, .max_output = {{"max_completion_tokens", 4096}}}), after);
}

TEST(Splice, puts_all_new_members_at_one_place) {
  const SpliceWishes both{.model = {}, .inject_usage = true, .max_output = {{"max_tokens", 9}}};
  EXPECT_EQ(spliced("{}", both), R"({"stream_options":{"include_usage":true},"max_tokens":9})");
  EXPECT_EQ(spliced(R"({"a":1})", both), R"({"stream_options":{"include_usage":true},"max_tokens":9,"a":1})");
  EXPECT_EQ(spliced(R"({"stream_options":{},"a":1})", both),
            R"({"max_tokens":9,"stream_options":{"include_usage":true},"a":1})");
  EXPECT_EQ(spliced(R"({"model":"m"})", {.model = "m2", .inject_usage = true, .max_output = {{"max_tokens", 9}}}),
            R"({"stream_options":{"include_usage":true},"max_tokens":9,"model":"m2"})");
}

TEST(Splice, does_all_at_once_in_any_order_of_keys) {
  const SpliceWishes all{.model = "m2", .inject_usage = true, .remove_task_type = true};
  EXPECT_EQ(spliced(R"({"metadata":{"task_type":"t"},"stream_options":{"a":1},"model":"m"})", all),
            R"({"metadata":{},"stream_options":{"include_usage":true,"a":1},"model":"m2"})");
  EXPECT_EQ(spliced(R"({"model":"m","metadata":{"task_type":"t"}})", all),
            R"({"stream_options":{"include_usage":true},"model":"m2","metadata":{}})");
}

TEST(Splice, plans_nothing_where_nothing_changes) {
  const std::string body = R"({"model":"m","stream_options":{"include_usage":true}})";
  const auto scan = scan_request(body);
  ASSERT_TRUE(scan);
  EXPECT_TRUE(plan_splices(*scan, {}).empty());
  EXPECT_TRUE(plan_splices(*scan, {.model = "m", .inject_usage = true, .remove_task_type = true}).empty());
  const auto pieces = apply_splices(body, {});
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].data(), body.data());
  EXPECT_EQ(pieces[0].size(), body.size());
}

TEST(Splice, copies_no_byte_of_the_body) {
  const std::string body = R"({"model":"m","messages":[],"metadata":{"task_type":"t"}})";
  const auto splices = plan_splices(*scan_request(body), {.model = "m2", .remove_task_type = true});
  for (const std::string_view piece : apply_splices(body, splices)) {
    const bool in_body = piece.data() >= body.data() && piece.data() + piece.size() <= body.data() + body.size();
    EXPECT_TRUE(in_body || piece == "\"m2\"") << piece;
    EXPECT_FALSE(piece.empty());
  }
}

TEST(Quote, makes_a_string_that_reads_back) {
  std::string text;
  for (int byte = 0; byte < 0x80; ++byte) text.push_back(static_cast<char>(byte));
  text += "é€😀";
  EXPECT_EQ(nlohmann::json::parse(quote(text)).get<std::string>(), text);
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a\xFF"
                  "b"),
            "\"a\uFFFD"
            "b\"");
}

}  // namespace
}  // namespace tollgate::protocol::openai
