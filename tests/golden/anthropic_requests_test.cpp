// Golden requests: chat completions and what Anthropic is asked instead, compared as JSON values; `contains` names runs
// of bytes that must be handed on as they are written.
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include "support/paths.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>

namespace tollgate::protocol::anthropic {
namespace {

using nlohmann::json;

class KnownThoughts : public ThoughtSource {
 public:
  explicit KnownThoughts(const json& known) : known_(known) {}
  std::string find(std::string_view call) const override { return known_.value(std::string(call), ""); }

 private:
  const json& known_;
};

ChatShape shape_of(const json& given) {
  return {.include_usage = given.value("include_usage", false),
          .answer_tool = given.value("answer_tool", ""),
          .bare_json = given.value("bare_json", false),
          .custom_tools = given.value("custom_tools", std::vector<std::string>())};
}

void check(const json& golden) {
  const std::string chat = golden.contains("openai_text") ? golden["openai_text"] : json(golden["openai"].dump());
  const json asked = json::parse(chat, nullptr, false);
  const json known = golden.value("thoughts", json::object());
  const KnownThoughts thoughts(known);
  const std::string model = asked.is_object() ? asked.value("model", "") : "claude-haiku-4-5";
  ToMessages terms{.model = model, .max_tokens = 4096, .strict = golden.value("strict", false), .thoughts = &thoughts};
  if (golden.contains("max_tokens")) terms.max_tokens = std::nullopt;
  if (golden.value("version", "") == "2026-10-21") terms.version = Version::v2026_10_21;

  const auto made = to_messages(chat, terms);
  if (golden.contains("refused")) {
    ASSERT_FALSE(made) << made->body;
    EXPECT_EQ(made.error().kind, FailureKind::bad_request);
    EXPECT_EQ(made.error().source, Source::client);
    EXPECT_FALSE(made.error().message.empty());
    EXPECT_EQ(made.error().param, golden["refused"].value("param", ""));
    EXPECT_EQ(made.error().code, golden["refused"].value("code", ""));
    return;
  }
  ASSERT_TRUE(made) << made.error().message;
  if (golden.contains("anthropic")) {
    EXPECT_EQ(json::parse(made->body), golden["anthropic"]) << made->body;
  }
  for (const std::string part : golden.value("contains", json::array()))
    EXPECT_NE(made->body.find(part), std::string::npos) << part << "\nin " << made->body;
  EXPECT_EQ(made->dropped, golden.value("dropped", std::vector<std::string>()));
  EXPECT_EQ(made->shape, shape_of(golden.value("shape", json::object())));
}

TEST(GoldenMessagesRequests, are_made_of_chat_completions) {
  std::ifstream table(test::in_project("tests/golden/anthropic/requests.jsonl"));
  std::set<std::string> names;
  for (std::string line; std::getline(table, line);) {
    const json golden = json::parse(line);
    const std::string name = golden["id"];
    SCOPED_TRACE(name);
    EXPECT_TRUE(names.insert(name).second);
    check(golden);
  }
  EXPECT_GE(names.size(), 60u);
}

}  // namespace
}  // namespace tollgate::protocol::anthropic
