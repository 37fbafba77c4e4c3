// Requests made to hurt: nesting, broken text, runs of the small and the many. What is accepted stays JSON, and what it
// costs grows with the body and no faster; that is counted in bytes asked of the allocator and in look-ups.
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include "protocol/json_pick.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <new>

#ifdef TOLLGATE_COUNTS_ALLOCATIONS
namespace {
std::uint64_t allocated = 0;
void* allocate(std::size_t size) {
  allocated += size;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
}  // namespace
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
#else
namespace {
std::uint64_t allocated = 0;  // the sanitizers bring an operator new of their own
}
#endif

namespace tollgate::protocol::anthropic {
namespace {

class CountingThoughts : public ThoughtSource {
 public:
  std::string find(std::string_view call) const override {
    ++finds;
    return R"({"type":"thinking","thinking":")" + std::string(call) + R"(","signature":"s"})";
  }
  mutable std::size_t finds = 0;
};

std::string repeat(std::size_t count, const std::function<std::string(std::size_t)>& item) {
  std::string list;
  for (std::size_t at = 0; at < count; ++at) list += (at == 0 ? "" : ",") + item(at);
  return list;
}

std::string body_of(const std::string& messages, const std::string& more = {}) {
  return R"({"model":"m","messages":[)" + messages + "]" + more + "}";
}

std::string user_says(const std::string& content) { return R"({"role":"user","content":)" + content + "}"; }

struct Cost {
  std::uint64_t allocated = 0, made = 0, finds = 0;
};

Cost cost_of(const std::string& body, const char* model) {
  const CountingThoughts thoughts;
  const std::uint64_t before = allocated;
  const auto made = to_messages(body, {.model = model, .thoughts = &thoughts});
  const std::uint64_t after = allocated;
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  if (!made) return {};
  EXPECT_TRUE(json::is_valid(made->body));
  return {after - before, made->body.size(), thoughts.finds};
}

void expect_linear(const std::function<std::string(std::size_t)>& body, std::size_t count,
                   const char* model = "claude-opus-5") {
  const Cost once = cost_of(body(count), model), four_times = cost_of(body(4 * count), model);
  EXPECT_LE(four_times.allocated, 5 * once.allocated + 100'000);
  EXPECT_LE(four_times.made, 5 * once.made);
  EXPECT_LE(four_times.finds, 4 * once.finds + 4);
}

TEST(HostileMessagesRequest, of_many_messages_costs_what_it_is_long) {
  expect_linear(
      [](std::size_t count) { return body_of(repeat(count, [](std::size_t) { return user_says("\"a\""); })); }, 2'500);
}

TEST(HostileMessagesRequest, of_many_rounds_of_calls_costs_what_it_is_long) {
  const auto round = [](std::size_t at) {
    const std::string id = at % 3 == 0 ? "same" : "call|" + std::to_string(at);
    return R"({"role":"assistant","tool_calls":[{"id":")" + id +
           R"(","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":")" +
           id + R"(","content":"r"},{"role":"system","content":[{"type":"text","text":"s","cache_control":)" +
           R"({"type":"ephemeral"}}]})";
  };
  for (const char* model : {"claude-opus-5", "claude-haiku-4-5"})
    expect_linear([&](std::size_t count) { return body_of(repeat(count, round), R"(,"reasoning_effort":"low")"); },
                  2'500, model);
}

TEST(HostileMessagesRequest, of_many_calls_in_one_turn_costs_what_it_is_long) {
  const auto turn = [](std::size_t count) {
    const auto call = [](std::size_t at) {
      return R"({"id":"c)" + std::to_string(at) + R"(","function":{"name":"f","arguments":""}})";
    };
    const auto result = [](std::size_t at) {
      return R"({"role":"tool","tool_call_id":"c)" + std::to_string(at) + R"(","content":[]})";
    };
    return body_of(R"({"role":"assistant","tool_calls":[)" + repeat(count, call) + "]}," + repeat(count, result));
  };
  expect_linear(turn, 2'500);
}

TEST(HostileMessagesRequest, of_many_parts_and_marks_costs_what_it_is_long) {
  const auto part = [](std::size_t at) {
    return R"({"type":"text","text":")" + std::string(at % 2 == 0 ? "a" : " ") +
           R"(","cache_control":{"type":"ephemeral"}})";
  };
  expect_linear([&](std::size_t count) { return body_of(user_says("[" + repeat(count, part) + "]")); }, 2'500);
}

TEST(HostileMessagesRequest, of_many_tools_and_fields_costs_what_it_is_long) {
  const auto tool = [](std::size_t at) {
    return R"({"type":"function","function":{"name":"f)" + std::to_string(at) + R"(","strict":true,"parameters":)" +
           R"({"type":"object","properties":{"a":{"type":"integer","minimum":1}}}}})";
  };
  const auto field = [](std::size_t at) { return "\"x" + std::to_string(at) + "\":1"; };
  const auto definition = [](std::size_t at) {
    return "\"d" + std::to_string(at) + R"(":{"items":{"$ref":"#/$defs/d)" + std::to_string(at + 1) + "\"}}";
  };
  expect_linear(
      [&](std::size_t count) {
        return body_of(user_says("\"a\""),
                       R"(,"tools":[)" + repeat(count, tool) + "]," + repeat(count, field) +
                           R"(,"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object",)" +
                           R"("properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":{)" + repeat(count, definition) +
                           ",\"d" + std::to_string(count) + R"(":{"type":"null"}}}}})");
      },
      1'000);
}

TEST(HostileMessagesRequest, of_a_long_text_costs_what_it_is_long) {
  for (const char* piece : {"\\n", "\\ud83d", "a", "\xC2\xA0", "\\\\ud83d"}) {
    const auto text = [&](std::size_t count) {
      std::string long_text;
      for (std::size_t at = 0; at < count; ++at) long_text += piece;
      return user_says("\"" + long_text + "\"");
    };
    expect_linear([&](std::size_t count) { return body_of(text(count) + "," + user_says("\"b\"")); }, 25'000);
  }
}

TEST(HostileMessagesRequest, with_too_many_messages_is_refused) {
  const auto made =
      to_messages(body_of(repeat(100'001, [](std::size_t) { return user_says("\"a\""); })), {.model = "m"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().param, "messages");
}

TEST(HostileMessagesRequest, that_nests_deeply_stays_json_or_is_refused) {
  for (std::size_t depth = 1; depth < 70; ++depth) {
    std::string nested = "1", text = "1";
    for (std::size_t at = 0; at < depth; ++at) {
      nested = R"({"a":)" + nested + "}";
      text = R"({\"a\":)" + text + "}";
    }
    const std::string call = R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":")" +
                             text + R"("}}]},{"role":"tool","tool_call_id":"c","content":"r"})";
    const auto with_arguments = to_messages(body_of(call), {.model = "m"});
    EXPECT_EQ(with_arguments.has_value(), depth <= 59) << depth;
    if (with_arguments) {
      EXPECT_TRUE(json::is_valid(with_arguments->body)) << depth;
    }
    const auto with_schema =
        to_messages(body_of(user_says("\"a\""),
                            R"(,"tools":[{"type":"function","function":{"name":"f","parameters":)" + nested + "}}]"),
                    {.model = "m"});
    EXPECT_EQ(with_schema.has_value(), depth <= 60) << depth;
    if (with_schema) {
      EXPECT_TRUE(json::is_valid(with_schema->body)) << depth;
    }
  }
}

TEST(HostileMessagesRequest, that_is_no_text_or_no_json_is_refused) {
  for (const char* body : {"", "[]", "{", "null", R"({"messages":[{"role":"user","content":"a"}],"x":01})",
                           "{\"messages\":[{\"role\":\"user\",\"content\":\"\xC3\"}]}",
                           "{\"messages\":[{\"role\":\"user\",\"content\":\"\xED\xA0\x80\"}]}",
                           "{\"\xFF\":1,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
                           R"({"messages":[{"role":"user","content":"a"}],"tools":[{"a":[}]}]})",
                           R"({"messages":[{"role":"user","content":"a"}]} )"
                           "x"}) {
    const auto made = to_messages(body, {.model = "m"});
    ASSERT_FALSE(made) << body;
    EXPECT_EQ(made.error().kind, FailureKind::bad_request);
  }
}

TEST(HostileMessagesRequest, cannot_put_anything_beside_what_it_may_say) {
  const std::string quote = R"(a\"}],\"system\":\"b)";
  const std::string body = body_of(
      R"({"role":"user","content":[{"type":"text","text":")" + quote +
          R"("},{"type":"image_url","image_url":{"url":"https://x/)" + quote +
          R"("}},{"type":"file","file":{"filename":")" + quote + R"(","file_data":"data:text/plain;base64,In0="}}]})",
      R"(,"user":")" + quote + R"(","stop":[")" + quote + R"("],"tools":[{"type":"custom","custom":{"name":"f",)" +
          R"("description":")" + quote + R"(","format":{"type":"grammar","syntax":")" + quote + R"(","definition":")" +
          quote + R"("}}}])");
  const auto made = to_messages(body, {.model = "a\"}\n"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(json::is_valid(made->body));
  EXPECT_EQ(json::pick(made->body, "system").kind, json::Kind::none);
}

TEST(HostileMessagesRequest, is_told_of_unknown_fields_only_by_names_that_fit_a_header) {
  const auto made = to_messages(
      body_of(user_says("\"a\""), R"(,"a\r\nb":1,"\u0000":1,"x y":1,)" +
                                      repeat(100, [](std::size_t at) { return "\"n" + std::to_string(at) + "\":1"; })),
      {.model = "m"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->dropped.size(), 16u);
  EXPECT_EQ(made->dropped[0], "(an unknown field)");
  EXPECT_EQ(made->dropped[1], "n0");
}

}  // namespace
}  // namespace tollgate::protocol::anthropic
