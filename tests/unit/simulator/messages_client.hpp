#pragma once
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <string>
#include <vector>

namespace tollgate::simulator::test {

inline constexpr const char* old_version = "anthropic-version: 2023-06-01\r\n";
inline constexpr const char* new_version = "anthropic-version: 2026-10-21\r\n";
/// What most requests of the tests share.
inline constexpr const char* look_up_tool =
    R"({"name":"look_up","input_schema":{"type":"object","properties":{"text":{"type":"string"}}}})";
inline constexpr const char* other_tool =
    R"({"name":"other","input_schema":{"type":"object","properties":{"text":{"type":"string"}}}})";

/// A body for /v1/messages with one turn of the user's.
std::string message(const std::string& model, const std::string& more = "", const std::string& text = "two words");
/// A body with the given list of messages.
std::string conversation(const std::string& messages, const std::string& more = "", const std::string& model = "sim");

/// One event of a stream, by name and data.
struct Event {
  std::string name;
  nlohmann::json data;
};
std::vector<Event> named_events(const std::string& body);
/// The names in order, runs of one name once, joined by spaces.
std::string order_of(const std::vector<Event>& events);
/// What a client puts together from a stream: the message as a whole answer would have been.
nlohmann::json assembled(const std::vector<Event>& events);

/// One question on a connection of its own.
Reply ask_messages(Server& server, const std::string& body, const std::string& fields = old_version,
                   const std::string& path = "/v1/messages");

}  // namespace tollgate::simulator::test
