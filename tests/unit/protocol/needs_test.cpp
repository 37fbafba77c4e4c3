#include "tollgate/protocol/openai/needs.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol::openai {
namespace {

TEST(Needs, AreToolsPicturesAndSchemasOfEitherApi) {
  EXPECT_EQ(read_needs(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"), Needs{});
  EXPECT_EQ(read_needs(R"({"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]})"),
            Needs{.tools = true});
  EXPECT_EQ(read_needs(R"({"functions":[{"name":"f"}]})"), Needs{.tools = true});
  EXPECT_EQ(read_needs(R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]})"),
            Needs{.vision = true});
  EXPECT_EQ(read_needs(R"({"input":[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]})"),
            Needs{.vision = true});
  EXPECT_EQ(read_needs(R"({"response_format":{"type":"json_schema","json_schema":{}}})"), Needs{.json_schema = true});
  EXPECT_EQ(read_needs(R"({"text":{"format":{"type":"json_schema"}}})"), Needs{.json_schema = true});
}

TEST(Needs, AreNotWhatOnlyLooksLikeThem) {
  EXPECT_EQ(read_needs(R"({"tools":[],"functions":[ ],"tool_choice":"none"})"), Needs{});
  EXPECT_EQ(read_needs(R"({"tools":null,"response_format":{"type":"json_object"},"text":"json_schema"})"), Needs{});
  EXPECT_EQ(read_needs(R"({"messages":[{"role":"user","content":"a part of \"type\": \"image_url\" is a picture"}]})"),
            Needs{});
  EXPECT_EQ(read_needs(R"({"metadata":{"tools":[1],"messages":"image_url"}})"), Needs{});
  EXPECT_EQ(read_needs("[]"), Needs{});
}

TEST(ConversationStart, IsTheSameForEveryTurn) {
  const auto first = conversation_start(
      R"({"model":"m","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"}]})");
  const auto third =
      conversation_start(R"({"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"},)"
                         R"({"role":"assistant","content":"hello"},{"role":"user","content":"more"}],"stream":true})");
  EXPECT_EQ(first, R"([{"role":"system","content":"be kind"},{"role":"user","content":"hi"})");
  EXPECT_EQ(third, first);
  EXPECT_NE(conversation_start(R"({"messages":[{"role":"user","content":"other"}]})"), first);
}

TEST(ConversationStart, IsTheCacheKeyWhereTheCallerHasOne) {
  EXPECT_EQ(conversation_start(R"({"messages":[{"role":"user","content":"hi"}],"prompt_cache_key":"chat-7"})"),
            R"("chat-7")");
  EXPECT_EQ(conversation_start(R"({"prompt_cache_key":7,"input":[{"content":"x","role":"user"}]})"),
            R"([{"content":"x","role":"user"})");
}

TEST(ConversationStart, IsNothingWithoutAUser) {
  EXPECT_EQ(conversation_start(R"({"messages":[{"role":"system","content":"x"}]})"), "");
  EXPECT_EQ(conversation_start(R"({"input":"hello"})"), "");
  EXPECT_EQ(conversation_start(R"({"messages":[{"role":"user")"), "");
  EXPECT_EQ(conversation_start("[]"), "");
}

TEST(Needs, AreThoseOfAMessageRequestToo) {
  EXPECT_EQ(read_needs(R"({"tools":[{"name":"f","input_schema":{}}]})"), Needs{.tools = true});
  EXPECT_EQ(
      read_needs(R"({"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"x"}}]}]})"),
      Needs{.vision = true});
  EXPECT_EQ(read_needs(R"({"messages":[{"role":"user","content":[{"source":{}, "type" : "image" }]}]})"),
            Needs{.vision = true});
  EXPECT_EQ(read_needs(R"({"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}}})"),
            Needs{.json_schema = true});
  EXPECT_EQ(read_needs(R"({"output_format":{"type":"json_schema"}})"), Needs{.json_schema = true});
}

TEST(Needs, AreNoPictureWhereAWordOnlySoundsLikeOne) {
  EXPECT_EQ(read_needs(R"({"messages":[{"role":"user","name":"image","content":"a \"type\":\"image\" is one"}]})"),
            Needs{});
  EXPECT_EQ(
      read_needs(R"({"messages":[{"content":[{"type":"tool_use","input":{"image":"image","kind":["image"]}}]}]})"),
      Needs{});
}

TEST(ConversationStart, IsWithoutAMarkForTheCacheAtItsEnd) {
  const auto first = conversation_start(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]})");
  const auto second = conversation_start(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":"x"}]})");
  EXPECT_EQ(first, R"([{"role":"user","content":[{"type":"text","text":"hi")");
  EXPECT_EQ(second, first);
  EXPECT_EQ(conversation_start(R"({"messages":[{"role":"user","content":[]}]})"), R"([{"role":"user","content":[]})");
  EXPECT_EQ(conversation_start(R"({"messages":[{"role":"user","content":["a","b"]}]})"),
            R"([{"role":"user","content":["a","b"]})");
}

}  // namespace
}  // namespace tollgate::protocol::openai
