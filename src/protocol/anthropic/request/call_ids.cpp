#include "protocol/anthropic/request/call_ids.hpp"

#include "tollgate/base/digest.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::request {
namespace {

constexpr std::size_t longest_id = 64;

bool is_taken_by_the_api(std::string_view id) {
  const auto fits = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-';
  };
  return !id.empty() && id.size() <= longest_id && std::ranges::all_of(id, fits);
}

}  // namespace

std::string short_digest(std::string_view text) {
  std::string digits = to_hex(sha256(text));
  digits.resize(digits.size() / 2);
  return digits;
}

std::string CallIds::take(std::string_view client_id) {
  const std::size_t earlier = taken_.try_emplace(std::string(client_id), 0).first->second++;
  if (earlier == 0 && is_taken_by_the_api(client_id)) return std::string(client_id);
  return "call_" + short_digest(std::string(client_id) + '\0' + std::to_string(earlier));
}

}  // namespace tollgate::protocol::anthropic::request
