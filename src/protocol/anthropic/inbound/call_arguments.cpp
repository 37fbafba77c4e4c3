#include "protocol/anthropic/inbound/call_arguments.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_write.hpp"

namespace tollgate::protocol::anthropic::inbound {
namespace {

constexpr std::string_view blanks = " \t\r\n";
// A message nests its inputs four levels deep.
constexpr unsigned deepest_input = json::max_depth - 4;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

}  // namespace

bool is_blank(std::string_view text) { return text.find_first_not_of(blanks) == text.npos; }

std::size_t ObjectEnd::pass(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (whole_) return at;
    const char byte = text[at];
    if (in_string_) {
      in_string_ = escaped_ || byte != '"';
      escaped_ = !escaped_ && byte == '\\';
    } else if (byte == '"') {
      in_string_ = true;
    } else if (byte == '{' || byte == '[') {
      ++depth_;
    } else if ((byte == '}' || byte == ']') && depth_ > 0) {
      whole_ = --depth_ == 0;
    }
  }
  return text.size();
}

std::string input_of(std::string_view arguments) {
  const std::string_view text = trimmed(arguments);
  if (text.empty() || text == "null") return "{}";
  if (text.front() == '{' && json::is_valid(text, deepest_input)) return std::string(text);
  std::string input;
  json::Writer(input).open_object().key("arguments").text(text).close_object();
  return input;
}

}  // namespace tollgate::protocol::anthropic::inbound
