#include "support/raw_client.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tollgate::test {

bool RawClient::more() {
  const auto piece = receive();
  if (!piece || piece->empty()) return false;
  rest_ += *piece;
  return true;
}

Answer RawClient::read_head() {
  Answer answer;
  std::size_t end;
  while ((end = rest_.find("\r\n\r\n")) == std::string::npos)
    if (!more()) return answer;
  answer.head = rest_.substr(0, end + 2);
  rest_.erase(0, end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  for (std::size_t at = answer.head.find("\r\n") + 2; at < answer.head.size();) {
    const std::size_t line_end = answer.head.find("\r\n", at);
    const std::string line = answer.head.substr(at, line_end - at);
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    answer.fields[name] = value == std::string::npos ? "" : line.substr(value);
    at = line_end + 2;
  }
  return answer;
}

void RawClient::read_chunks(Answer& answer) {
  for (;;) {
    std::size_t line_end;
    while ((line_end = rest_.find("\r\n")) == std::string::npos)
      if (!more()) return;
    const std::size_t size = std::stoul(rest_.substr(0, line_end), nullptr, 16);
    while (rest_.size() < line_end + 2 + size + 2)
      if (!more()) {
        answer.body += rest_.substr(line_end + 2);
        return;
      }
    answer.body += rest_.substr(line_end + 2, size);
    rest_.erase(0, line_end + 2 + size + 2);
    if (size == 0) {
      answer.complete = true;
      return;
    }
  }
}

Answer RawClient::read_answer(bool to_head) {
  Answer answer = read_head();
  if (answer.status == 0) return answer;
  if (to_head || answer.status == 204 || answer.status / 100 == 1) {
    answer.complete = true;
  } else if (answer.fields.contains("transfer-encoding")) {
    read_chunks(answer);
  } else if (answer.fields.contains("content-length")) {
    const std::size_t length = std::stoul(answer.fields["content-length"]);
    while (rest_.size() < length && more()) {
    }
    answer.complete = rest_.size() >= length;
    answer.body = rest_.substr(0, length);
    rest_.erase(0, length);
  } else {
    while (more()) {
    }
    answer.body = std::exchange(rest_, {});
    answer.complete = true;
  }
  return answer;
}

std::string post(const std::string& path, const std::string& body, const std::string& more_fields) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + more_fields + "\r\n" + body;
}

std::string get(const std::string& path, const std::string& more_fields) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more_fields + "\r\n";
}

std::string chat_body(const std::string& model, bool stream) {
  return R"({"model":")" + model + R"(",)" + (stream ? R"("stream":true,)" : "") +
         R"("messages":[{"role":"user","content":"hello"}]})";
}

}  // namespace tollgate::test
