// The request that every target gets, byte for byte the same whoever sends it: a chat completion as the official SDK
// for Python sends it, with 17 header fields, and a body that looks like a conversation.
#pragma once

#include "arguments.hpp"
#include "sockets.hpp"

#include <strings.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace bench {

/// Several messages of prose, escapes, quotes and non-ASCII; exactly `size` bytes where that is possible.
inline std::string make_body(std::size_t size, bool stream, const std::string& model) {
  static constexpr std::string_view lines[] = {
      "Please read the following log and tell me why the second worker stops before the first.\\n",
      "2024-05-01T12:00:03Z INFO  worker=7 state=\\\"ready\\\" queue=112 lag_ms=3.5\\n",
      "if (auto it = table.find(key); it != table.end()) { return it->second; } // O(1)\\n",
      "Der Grund daf\xc3\xbcr ist einfach: die Verbindung wird zu fr\xc3\xbch geschlossen \xe2\x80\x93 siehe Zeile "
      "42.\\n",
      "The path is C:\\\\temp\\\\run and the pattern is ^[a-z]+\\\\d{2,4}$, \\tindented with a tab.\\n",
      "Summarise in three short bullet points, then give one sentence of advice.\\n",
  };
  std::string body = "{\"model\":\"" + model + "\",\"temperature\":0.7,\"max_tokens\":256,";
  if (stream) body += "\"stream\":true,\"stream_options\":{\"include_usage\":true},";
  body += "\"messages\":[{\"role\":\"system\",\"content\":\"You are a careful assistant.\"}";
  const std::string tail = "],\"user\":\"u-1\"}";
  const std::size_t per_message = std::max<std::size_t>(400, size / 24);
  for (std::size_t line = 0, message = 0; body.size() + tail.size() + 64 < size; ++message) {
    body += std::string(",{\"role\":\"") + (message % 2 ? "assistant" : "user") + "\",\"content\":\"";
    for (const std::size_t start = body.size(); body.size() - start < per_message;) {
      const std::string_view text = lines[line++ % std::size(lines)];
      const std::size_t room = size > body.size() + tail.size() + 2 ? size - body.size() - tail.size() - 2 : 0;
      if (text.size() > room) {
        body.append(room, 'x');
        break;
      }
      body += text;
    }
    body += "\"}";
  }
  return body + tail;
}

inline std::string body_of(const Args& args) {
  return make_body(static_cast<std::size_t>(args.num("size", 1024)), args.has("stream"), args.str("model", "mock"));
}

/// Head and body; --header replaces the field of the same name or adds one.
inline std::string make_request(const Args& args, const Target& target) {
  const std::string body = body_of(args);
  std::vector<std::string> fields = {
      "Host: " + target.host + ":" + std::to_string(target.port),
      "Accept-Encoding: gzip, deflate",
      "Connection: keep-alive",
      "Accept: application/json",
      "Content-Type: application/json",
      "User-Agent: OpenAI/Python 2.8.1",
      "X-Stainless-Lang: python",
      "X-Stainless-Package-Version: 2.8.1",
      "X-Stainless-OS: Linux",
      "X-Stainless-Arch: x64",
      "X-Stainless-Runtime: CPython",
      "X-Stainless-Runtime-Version: 3.11.2",
      "Authorization: Bearer test-key-for-measurements-only",
      "X-Stainless-Async: false",
      "x-stainless-retry-count: 0",
      "x-stainless-read-timeout: 600",
      "Content-Length: " + std::to_string(body.size()),
  };
  for (const std::string& given : args.all("header")) {
    const std::size_t name = given.find(':') + 1;
    const auto same = std::find_if(fields.begin(), fields.end(), [&](const std::string& field) {
      return name > 0 && ::strncasecmp(field.c_str(), given.c_str(), name) == 0;
    });
    if (same != fields.end())
      *same = given;
    else
      fields.push_back(given);
  }
  std::string request = "POST " + target.path + " HTTP/1.1\r\n";
  for (const std::string& field : fields) request += field + "\r\n";
  return request + "\r\n" + body;
}

}  // namespace bench
