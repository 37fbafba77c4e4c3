#include "messages_client.hpp"

#include <map>

namespace tollgate::simulator::test {

using nlohmann::json;

std::string message(const std::string& model, const std::string& more, const std::string& text) {
  return R"({"model":")" + model + R"(","max_tokens":1000,"messages":[{"role":"user","content":")" + text + R"("}])" +
         more + "}";
}

std::string conversation(const std::string& messages, const std::string& more, const std::string& model) {
  return R"({"model":")" + model + R"(","max_tokens":4000,"messages":)" + messages + more + "}";
}

std::vector<Event> named_events(const std::string& body) {
  std::vector<Event> events;
  std::size_t at = 0;
  for (std::size_t end = body.find("\n\n"); end != std::string::npos; end = body.find("\n\n", at)) {
    const std::string event = body.substr(at, end - at);
    const std::size_t data = event.find("\ndata: ");
    if (event.starts_with("event: ") && data != std::string::npos) {
      events.push_back({event.substr(7, data - 7), json::parse(event.substr(data + 7), nullptr, false)});
    }
    at = end + 2;
  }
  return events;
}

std::string order_of(const std::vector<Event>& events) {
  std::string text, last;
  for (const Event& event : events) {
    if (event.name != last) text += (text.empty() ? "" : " ") + event.name;
    last = event.name;
  }
  return text;
}

json assembled(const std::vector<Event>& events) {
  json message;
  std::map<std::size_t, std::string> inputs;
  for (const auto& [name, data] : events) {
    if (name == "message_start") message = data["message"];
    if (name == "content_block_start") message["content"].push_back(data["content_block"]);
    if (name == "content_block_delta") {
      json& block = message["content"].at(data["index"].get<std::size_t>());
      const json& delta = data["delta"];
      for (const char* field : {"text", "thinking", "signature"}) {
        if (delta.contains(field)) block[field] = block[field].get<std::string>() + delta[field].get<std::string>();
      }
      if (delta.contains("partial_json")) inputs[data["index"]] += delta["partial_json"].get<std::string>();
    }
    if (name == "content_block_stop") {
      const auto input = inputs.find(data["index"].get<std::size_t>());
      if (input != inputs.end() && !input->second.empty()) {
        message["content"].at(input->first)["input"] = json::parse(input->second);
      }
    }
    if (name == "message_delta") {
      message.update(data["delta"]);
      message["usage"].update(data["usage"]);
    }
  }
  return message;
}

Reply ask_messages(Server& server, const std::string& body, const std::string& fields, const std::string& path) {
  Client client(server.port());
  client.post(path, body, fields);
  return client.read();
}

}  // namespace tollgate::simulator::test
