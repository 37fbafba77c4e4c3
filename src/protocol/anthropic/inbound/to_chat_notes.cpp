#include "protocol/anthropic/inbound/to_chat_notes.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::inbound {
namespace {

constexpr std::size_t most_unknown = 16;
constexpr std::size_t longest_unknown = 64;

bool is_plain(std::string_view name) {
  const auto plain = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.';
  };
  return !name.empty() && name.size() <= longest_unknown && std::ranges::all_of(name, plain);
}

}  // namespace

std::string_view name_of(Fate fate) {
  switch (fate) {
    case Fate::mapped: return "mapped";
    case Fate::ignored: return "ignored";
    case Fate::dropped: return "dropped";
    case Fate::refused: return "refused";
  }
  return "mapped";  // GCOVR_EXCL_LINE: every fate has returned
}

void Notes::leave_out_unknown(std::string_view name) {
  if (!is_plain(name)) name = "unknown";
  if (unknown_.size() < most_unknown && std::ranges::find(unknown_, name) == unknown_.end())
    unknown_.emplace_back(name);
}

bool Notes::refuse(std::string message, std::string_view param) {
  if (!failure_) {
    failure_ = Failure{.kind = FailureKind::bad_request,
                       .source = Source::client,
                       .message = std::move(message),
                       .param = std::string(param)};
  }
  return false;
}

std::vector<std::string> Notes::names() const {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < message_fields.size(); ++at)
    if (left_out_[at]) names.emplace_back(message_fields[at].name);
  names.insert(names.end(), unknown_.begin(), unknown_.end());
  return names;
}

std::string Notes::loss() const {
  for (std::size_t at = 0; at < message_fields.size(); ++at)
    if (left_out_[at] && message_fields[at].fate != Fate::ignored) return std::string(message_fields[at].name);
  return unknown_.empty() ? std::string() : unknown_.front();
}

}  // namespace tollgate::protocol::anthropic::inbound
