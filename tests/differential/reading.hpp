#pragma once
// What a parser understood of one request, in a form that parsers can be compared by.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::differential {

struct Reading {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  std::vector<std::pair<std::string, std::string>> fields;  ///< names as sent, in the order sent
  std::string framing;                                      ///< none, length, chunked
  bool keep_alive = true;
  std::string body;
};

enum class Verdict : std::uint8_t { same, refused, disagree };

/// Beast's opinion of the same bytes: whether it reads them as we do. `why` says what differs.
Verdict ask_beast(std::string_view raw, const Reading& ours, std::string& why);

}  // namespace tollgate::differential
