#pragma once
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <string>

/// Requests that can be told apart upstream, for the tests of the connections to providers.
namespace tollgate::test {

inline std::string request(const std::string& mark, std::size_t padding = 0) {
  return post("/v1/chat/completions",
              R"({"model":"m","user":")" + mark + R"(","messages":[],"padding":")" + std::string(padding, 'x') + "\"}");
}

inline bool carries(const UpstreamRequest& request, const std::string& mark) {
  return request.body.find("\"" + mark + "\"") != std::string::npos;
}

inline std::string error_code(const Answer& answer) {
  const std::string mark = "\"code\":\"";
  const std::size_t at = answer.body.find(mark);
  if (at == std::string::npos) return {};
  return answer.body.substr(at + mark.size(), answer.body.find('"', at + mark.size()) - at - mark.size());
}

}  // namespace tollgate::test
