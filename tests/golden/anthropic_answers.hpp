#pragma once
// What the runners of tests/golden/anthropic share: reading cases, and the terms they are translated under.
#include "tollgate/protocol/anthropic/chat_answer.hpp"

#include "support/paths.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace tollgate::test {

/// Keeps the order of members: that of a tool's input is part of the answer.
using Json = nlohmann::ordered_json;

inline const protocol::AnswerNames answer_names{.id = "r-1", .model = "claude-\"alias\"", .created = 1'700'000'000};

/// All cases of a file; each has an `id` of its own.
inline std::vector<Json> golden_cases(const std::string& name) {
  std::ifstream file(test::in_project("tests/golden/anthropic/") + name);
  std::vector<Json> cases;
  std::set<std::string> ids;
  for (std::string line; std::getline(file, line);) {
    cases.push_back(Json::parse(line));
    EXPECT_TRUE(ids.insert(cases.back()["id"]).second) << cases.back()["id"];
  }
  EXPECT_FALSE(cases.empty());
  return cases;
}

inline protocol::anthropic::ChatShape shape_of(const Json& given) {
  protocol::anthropic::ChatShape shape;
  if (!given.contains("shape")) return shape;
  const Json& told = given["shape"];
  shape.include_usage = told.value("include_usage", false);
  shape.answer_tool = told.value("answer_tool", "");
  shape.bare_json = told.value("bare_json", false);
  shape.custom_tools = told.value("custom_tools", std::vector<std::string>());
  return shape;
}

/// As JSON values: members may stand in any order.
inline bool same_value(const Json& left, const Json& right) {
  return nlohmann::json::parse(left.dump()) == nlohmann::json::parse(right.dump());
}

inline void expect_thoughts(const std::optional<protocol::Thoughts>& thoughts, const Json& given) {
  ASSERT_EQ(thoughts.has_value(), given.contains("thoughts"));
  if (!thoughts) return;
  EXPECT_EQ(Json(thoughts->calls), given["thoughts"]["calls"]);
  EXPECT_TRUE(same_value(Json::parse("[" + thoughts->blocks + "]"), given["thoughts"]["blocks"])) << thoughts->blocks;
}

/// Where the case says what was counted: all classes of it.
inline void expect_counted(const std::optional<protocol::Usage>& usage, const Json& given) {
  if (!given.contains("counted")) return;
  const Json& counted = given["counted"];
  ASSERT_EQ(usage.has_value(), !counted.is_null());
  if (!usage) return;
  const auto count = [&](const char* name) { return counted.value(name, std::uint64_t{0}); };
  protocol::Usage expected{.input = count("input"),
                           .cached_input = count("cached_input"),
                           .cache_write = count("cache_write"),
                           .cache_write_long = count("cache_write_long"),
                           .output = count("output"),
                           .reasoning = count("reasoning"),
                           .searches = count("searches")};
  if (counted.value("priority", false)) expected.tier = protocol::ServiceTier::priority;
  EXPECT_EQ(*usage, expected);
}

}  // namespace tollgate::test
