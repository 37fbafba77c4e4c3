// Golden translations for clients of Anthropic's API in front of the chat API: requests, whole answers, streams and
// errors, each as a line of facts below tests/golden/anthropic. Streams are replayed whole, byte by byte and cut in
// two.
#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "protocol/json_pick.hpp"
#include "support/paths.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>
#include <map>
#include <set>

namespace tollgate::protocol::anthropic {
namespace {

using Facts = nlohmann::ordered_json;

const AnswerNames names{.id = "abc", .model = "claude-x", .created = 1};

/// Calls `check` with each case of a file; at least so many of different names.
void for_each_case(const std::string& file, std::size_t least, const std::function<void(const Facts&)>& check) {
  std::ifstream lines(test::in_project("tests/golden/anthropic/") + file);
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    const Facts facts = Facts::parse(line);
    SCOPED_TRACE(facts["id"].get<std::string>());
    EXPECT_TRUE(seen.insert(facts["id"]).second);
    check(facts);
  }
  EXPECT_GE(seen.size(), least);
}

/// A body by its name: given as JSON, or as text where JSON cannot say it.
std::string body_of(const Facts& facts, const std::string& name) {
  return facts.contains(name) ? facts[name].dump() : facts[name + "_text"].get<std::string>();
}

nlohmann::json plain(const std::string& text) { return nlohmann::json::parse(text, nullptr, false); }

Usage usage_of(const Facts& given) {
  const std::map<std::string, std::uint64_t Usage::*> members{{"input", &Usage::input},
                                                              {"cached_input", &Usage::cached_input},
                                                              {"cache_write", &Usage::cache_write},
                                                              {"output", &Usage::output},
                                                              {"reasoning", &Usage::reasoning}};
  Usage usage;
  for (const auto& [name, value] : given.items()) usage.*members.at(name) = value.get<std::uint64_t>();
  return usage;
}

void expect_usage(const std::optional<Usage>& usage, const Facts& facts) {
  ASSERT_EQ(usage.has_value(), facts.contains("usage"));
  if (usage) {
    EXPECT_EQ(*usage, usage_of(facts["usage"]));
  }
}

void check_request(const Facts& facts) {
  const Facts terms = facts.value("terms", Facts::object());
  const auto chat =
      to_chat(body_of(facts, "request"), {.model = "up",
                                          .max_completion_tokens = terms.value("max_completion_tokens", false),
                                          .inject_usage = terms.value("inject_usage", true),
                                          .strict = terms.value("strict", false)});
  if (facts.contains("refused")) {
    ASSERT_TRUE(chat.has_error()) << chat->body;
    EXPECT_EQ(chat.error().kind, FailureKind::bad_request);
    EXPECT_EQ(chat.error().param, facts["refused"].get<std::string>()) << chat.error().message;
    return;
  }
  ASSERT_TRUE(chat.has_value()) << chat.error().message;
  EXPECT_TRUE(json::is_valid(chat->body)) << chat->body;
  if (facts.contains("chat_text")) {
    EXPECT_EQ(chat->body, facts["chat_text"].get<std::string>());
  } else {
    EXPECT_EQ(plain(chat->body), plain(facts["chat"].dump())) << chat->body;
  }
  EXPECT_EQ(chat->dropped, facts.value("dropped", std::vector<std::string>()));
}

void check_reply(const Facts& facts) {
  const auto message = to_message(body_of(facts, "chat"), names);
  if (facts.contains("fails")) {
    ASSERT_TRUE(message.has_error()) << message->body;
    EXPECT_EQ(message.error().kind, FailureKind::upstream_error);
    return;
  }
  ASSERT_TRUE(message.has_value()) << message.error().message;
  EXPECT_EQ(plain(message->body), plain(facts["message"].dump())) << message->body;
  expect_usage(message->usage, facts);
  EXPECT_FALSE(message->thoughts);
}

void check_error(const Facts& facts) {
  const auto error =
      to_message_error(facts["status_in"], body_of(facts, facts.contains("body_in") ? "body_in" : "body"), "req_1");
  EXPECT_EQ(error.status, facts["status_out"].get<std::uint16_t>());
  EXPECT_EQ(plain(error.body), plain(facts["body_out"].dump())) << error.body;
}

std::string stream_of(const Facts& facts) {
  if (facts.contains("stream")) return facts["stream"];
  std::string stream;
  for (const Facts& chunk : facts["chunks"]) {
    if (chunk == "EOF") continue;
    const std::string text = chunk.is_string() ? chunk.get<std::string>() : chunk.dump();
    stream += (text.starts_with(':') ? text : "data: " + text) + "\n\n";
  }
  return stream + facts.value("stream_tail", "");
}

const nlohmann::json no_usage = {
    {"input_tokens", 0}, {"cache_creation_input_tokens", 0}, {"cache_read_input_tokens", 0}, {"output_tokens", 0}};

/// An event that the facts abbreviate.
nlohmann::json expected_event(const Facts& fact) {
  if (fact == "ping") return {{"type", "ping"}};
  if (fact == "stop") return {{"type", "message_stop"}};
  if (fact == "start")
    return {{"type", "message_start"},
            {"message",
             {{"id", "msg_abc"},
              {"type", "message"},
              {"role", "assistant"},
              {"model", "claude-x"},
              {"content", nlohmann::json::array()},
              {"stop_reason", nullptr},
              {"stop_sequence", nullptr},
              {"usage", no_usage}}}};
  nlohmann::json event = plain(fact.dump());
  if (event.contains("usage") && event["usage"] == "zero") event["usage"] = no_usage;
  return event;
}

/// The data of each event; its name must be its type.
std::vector<nlohmann::json> events_of(std::string_view stream) {
  std::vector<nlohmann::json> events;
  while (!stream.empty()) {
    const std::size_t end = stream.find("\n\n");
    if (end == stream.npos) {
      ADD_FAILURE() << "half an event: " << stream;
      return events;
    }
    const std::string event(stream.substr(0, end));
    const std::size_t line = event.find("\ndata: ");
    events.push_back(plain(event.substr(line + 7)));
    EXPECT_EQ(event.substr(0, line), "event: " + events.back().value("type", "")) << event;
    stream.remove_prefix(end + 2);
  }
  return events;
}

struct Told {
  std::string events, fault;
  std::optional<Usage> usage;
  bool operator==(const Told&) const = default;
};

/// Translates the stream, given in pieces that end at the places.
Told translate(std::string_view stream, const std::vector<std::size_t>& ends) {
  const auto translator = make_message_stream(names);
  Told told;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    translator->take(stream.substr(begin, end - begin), told.events);
    begin = end;
  }
  translator->end(told.events);
  told.fault = translator->fault();
  told.usage = translator->usage();
  EXPECT_FALSE(translator->take_thoughts());
  return told;
}

void check_stream(const Facts& facts) {
  const std::string stream = stream_of(facts);
  const Told whole = translate(stream, {stream.size()});
  std::vector<nlohmann::json> expected;
  for (const Facts& event : facts["events"]) expected.push_back(expected_event(event));
  EXPECT_EQ(events_of(whole.events), expected) << whole.events;
  EXPECT_EQ(whole.fault, facts.value("fault", ""));
  expect_usage(whole.usage, facts);
  std::vector<std::size_t> bytes;
  for (std::size_t cut = 1; cut <= stream.size(); ++cut) {
    EXPECT_EQ(translate(stream, {cut, stream.size()}), whole) << "cut at " << cut;
    bytes.push_back(cut);
  }
  EXPECT_EQ(translate(stream, bytes), whole);
}

TEST(MessageRequests, become_the_chats_that_the_facts_say) { for_each_case("in_requests.jsonl", 45, check_request); }
TEST(ChatReplies, become_the_messages_that_the_facts_say) { for_each_case("in_replies.jsonl", 14, check_reply); }
TEST(ChatStreams, become_the_events_that_the_facts_say) { for_each_case("in_streams.jsonl", 25, check_stream); }
TEST(ChatErrors, become_the_errors_that_the_facts_say) { for_each_case("in_errors.jsonl", 13, check_error); }

}  // namespace
}  // namespace tollgate::protocol::anthropic
