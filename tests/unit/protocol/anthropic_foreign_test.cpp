// Thinking that is not Anthropic's own is cut out of what goes there, and nothing else: whatever stands around it, the
// rest is the same bytes and valid JSON.
#include "tollgate/protocol/anthropic/foreign.hpp"

#include "protocol/json_pick.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::protocol::anthropic {
namespace {

std::string cut(const std::string& body) {
  const auto splices = cut_foreign_thinking(body);
  std::string out;
  for (const std::string_view piece : openai::apply_splices(body, splices)) out += piece;
  EXPECT_TRUE(json::is_valid(out)) << out;
  return out;
}

const std::string foreign = R"({"type":"thinking","thinking":"x, [","signature":"tollgate-foreign-1"})";
const std::string own = R"({"type":"thinking","thinking":"tollgate-foreign-","signature":"EqQB"})";
const std::string text = R"({"type":"text","text":"\"signature\":\"tollgate-foreign-1\""})";

std::string body_of(const std::string& blocks) {
  return R"({"model":"m", "messages": [ {"role":"user","content":"q"} , {"role":"assistant","content":)" + blocks +
         R"(} ,{"role":"user","content":"r"} ],"max_tokens":1})";
}

TEST(ForeignThinking, is_cut_wherever_it_stands_among_blocks) {
  EXPECT_EQ(cut(body_of("[ " + foreign + " , " + text + " ]")), body_of("[ " + text + " ]"));
  EXPECT_EQ(cut(body_of("[" + text + " , " + foreign + "]")), body_of("[" + text + "]"));
  EXPECT_EQ(cut(body_of("[" + text + "," + foreign + "," + own + "]")), body_of("[" + text + "," + own + "]"));
  EXPECT_EQ(cut(body_of("[" + foreign + "," + foreign + "," + text + "," + foreign + " , " + foreign + "]")),
            body_of("[" + text + "]"));
}

TEST(ForeignThinking, takes_a_turn_of_nothing_else_with_it) {
  EXPECT_EQ(
      cut(body_of("[" + foreign + "," + foreign + "]")),
      R"({"model":"m", "messages": [ {"role":"user","content":"q"} ,{"role":"user","content":"r"} ],"max_tokens":1})");
  const std::string alone = R"({"role":"assistant","content":[)" + foreign + "]}";
  EXPECT_EQ(cut(R"({"messages":[)" + alone + "," + alone + R"(,{"role":"user","content":"q"}]})"),
            R"({"messages":[{"role":"user","content":"q"}]})");
  EXPECT_EQ(cut(R"({"messages":[)" + alone + "]}"), R"({"messages":[]})");
}

TEST(ForeignThinking, is_not_what_only_names_it) {
  EXPECT_TRUE(cut_foreign_thinking(body_of("[" + own + "," + text + "]")).empty());
  EXPECT_TRUE(cut_foreign_thinking(body_of(R"("tollgate-foreign-1")")).empty());
  EXPECT_TRUE(cut_foreign_thinking(R"({"system":"tollgate-foreign-"})").empty());
  EXPECT_TRUE(
      cut_foreign_thinking(R"({"messages":[{"content":[{"type":"thinking","signature":"tollgate-foreign-)").empty());
}

std::string loop_of(const std::string& turns, const std::string& thinking = R"({"type":"enabled","budget_tokens":9})") {
  return R"({"messages":[{"role":"user","content":"q"},)" + turns + R"(],"thinking": )" + thinking + R"(,"model":"m"})";
}

std::string turn_of(const std::string& role, const std::string& blocks) {
  return R"({"role":")" + role + R"(","content":[)" + blocks + "]}";
}

std::string without_thinking(const std::string& body) {
  const auto splices = end_thinking_of_foreign_loop(body);
  std::string out;
  for (const std::string_view piece : openai::apply_splices(body, splices)) out += piece;
  return out;
}

const std::string their_call = R"({"type":"tool_use","id":"call_1","name":"f","input":{}})";
const std::string own_call = R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}})";
const std::string results = turn_of("user", R"({"type":"tool_result","tool_use_id":"call_1","content":"r"})");
const std::string off = R"({"type":"disabled"})";

TEST(ForeignLoop, is_gone_on_with_without_thinking) {
  for (const std::string& blocks :
       {their_call, text + "," + their_call, foreign + "," + their_call, foreign + "," + own_call}) {
    const std::string turns = turn_of("assistant", blocks) + "," + results;
    EXPECT_EQ(without_thinking(loop_of(turns)), loop_of(turns, off)) << blocks;
  }
  // What Anthropic itself has then called without thinking belongs to the same loop.
  const std::string turns =
      turn_of("assistant", their_call) + "," + results + "," + turn_of("assistant", own_call) + "," + results;
  EXPECT_EQ(without_thinking(loop_of(turns)), loop_of(turns, off));
}

TEST(ForeignLoop, is_over_when_the_user_speaks_or_anthropic_thinks) {
  const std::string theirs = turn_of("assistant", their_call) + "," + results + ",";
  const std::string spoken = theirs + turn_of("assistant", text) + R"(,{"role":"user","content":"on"})";
  for (const std::string& turns :
       {spoken, spoken + "," + turn_of("assistant", own_call) + "," + results,
        theirs + turn_of("assistant", own + "," + own_call) + "," + results,
        theirs + turn_of("assistant", R"({"type":"redacted_thinking","data":"x"},)" + own_call) + "," + results})
    EXPECT_TRUE(end_thinking_of_foreign_loop(loop_of(turns)).empty()) << turns;
}

TEST(ForeignLoop, is_none_where_the_client_has_lost_what_was_thought) {
  EXPECT_TRUE(end_thinking_of_foreign_loop(loop_of(turn_of("assistant", own_call) + "," + results)).empty());
}

TEST(ForeignLoop, minds_only_thinking_with_a_budget) {
  const std::string turns = turn_of("assistant", their_call) + "," + results;
  for (const std::string thinking : {R"({"type":"adaptive"})", R"({"type":"disabled"})", R"("enabled")", "null"})
    EXPECT_TRUE(end_thinking_of_foreign_loop(loop_of(turns, thinking)).empty()) << thinking;
  const std::string body = loop_of(turns);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string part = body.substr(0, size);
    for (const auto& splice : end_thinking_of_foreign_loop(part)) EXPECT_LE(splice.where.end, part.size());
  }
}

}  // namespace
}  // namespace tollgate::protocol::anthropic
