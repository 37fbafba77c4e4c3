#include "protocol/anthropic/request/findings.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::request {
namespace {

constexpr std::size_t most_unknown = 16;
constexpr std::size_t longest_unknown = 64;

/// Fit to be told in a header line and in a message.
bool is_tellable(std::string_view name) {
  const auto plain = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.';
  };
  return !name.empty() && name.size() <= longest_unknown && std::ranges::all_of(name, plain);
}

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

bool Findings::refuse(std::string message, std::string_view param, std::string_view code) {
  if (!failure_) {
    failure_ = Failure{.kind = FailureKind::bad_request,
                       .source = Source::client,
                       .message = std::move(message),
                       .code = std::string(code),
                       .param = std::string(param)};
  }
  return false;
}

bool Findings::refuse(Field field, std::string_view param) {
  const ChatField& row = chat_field(field);
  return refuse("Claude cannot be asked for " + in_quotes(row.name) + " (" + std::string(row.how) + "): leave it out",
                param.empty() ? row.name : param, unsupported_parameter);
}

bool Findings::drop(Field field, std::string_view param) {
  const std::string_view name = chat_field(field).name;
  if (strict_)
    return refuse(in_quotes(name) + " has no effect here on Claude, and what has none is refused: leave it out",
                  param.empty() ? name : param, unsupported_parameter);
  dropped_.set(static_cast<std::size_t>(field));
  return true;
}

bool Findings::drop_unknown(std::string_view name) {
  const std::string shown = is_tellable(name) ? std::string(name) : "(an unknown field)";
  if (strict_)
    return refuse(in_quotes(shown) + " is not known, and what has no effect on Claude is refused: leave it out", shown,
                  unsupported_parameter);
  if (unknown_.size() < most_unknown && std::ranges::find(unknown_, shown) == unknown_.end()) unknown_.push_back(shown);
  return true;
}

std::vector<std::string> Findings::dropped() const {
  std::vector<std::string> names;
  for (const ChatField& row : chat_fields)
    if (dropped_[static_cast<std::size_t>(row.field)]) names.emplace_back(row.name);
  names.insert(names.end(), unknown_.begin(), unknown_.end());
  return names;
}

std::string place_of(std::string_view list, std::size_t index, std::string_view member) {
  std::string place = std::string(list) + "[" + std::to_string(index) + "]";
  if (!member.empty()) place += "." + std::string(member);
  return place;
}

}  // namespace tollgate::protocol::anthropic::request
