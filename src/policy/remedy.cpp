#include "tollgate/policy/remedy.hpp"

#include <algorithm>
#include <array>

namespace tollgate::policy {

namespace {

bool contains(std::string_view text, std::string_view lower_part) {
  const auto same = [](char any, char lower) { return (any >= 'A' && any <= 'Z' ? any - 'A' + 'a' : any) == lower; };
  return std::search(text.begin(), text.end(), lower_part.begin(), lower_part.end(), same) != text.end();
}

template <std::size_t size>
bool says(std::string_view text, const std::array<std::string_view, size>& parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) { return contains(text, part); });
}

bool is_too_long(std::string_view type, std::string_view code, std::string_view message) {
  constexpr std::array<std::string_view, 2> codes{"context_length", "exceed_context"};
  constexpr std::array<std::string_view, 6> texts{"maximum context length", "context window",     "context length",
                                                  "context size",           "prompt is too long", "input is too long"};
  return says(code, codes) || says(type, codes) || says(message, texts);
}

bool is_without_money(std::string_view type, std::string_view code) {
  constexpr std::array<std::string_view, 5> words{"insufficient_quota", "credit_balance", "spend_limit", "usage_limit",
                                                  "billing_not_active"};
  return says(code, words) || says(type, words);
}

}  // namespace

bool refuses_content(unsigned status, std::string_view type, std::string_view code) {
  constexpr std::array<std::string_view, 4> words{"content_policy", "content_filter", "responsibleaipolicyviolation",
                                                  "invalid_prompt"};
  return status == 400 && (says(code, words) || says(type, words));
}

std::string_view name_of(Remedy remedy) {
  constexpr std::array<std::string_view, 6> names{
      "nothing", "repeat", "another_target", "larger_context", "another_credential", "cool_down"};
  return names[static_cast<std::size_t>(remedy)];
}

Diagnosis diagnose(unsigned status, std::string_view type, std::string_view code, std::string_view message) {
  switch (status) {
    case 400:
      if (is_too_long(type, code, message)) return {Remedy::larger_context, Blame::none};
      return {Remedy::nothing, Blame::none};
    case 401:
    case 402:
    case 403: return {Remedy::another_credential, Blame::none};
    case 404: return {Remedy::another_target, Blame::none};
    case 408: return {Remedy::repeat, Blame::failure};
    case 409: return {Remedy::repeat, Blame::none};
    case 413: return {Remedy::larger_context, Blame::none};
    case 429:
      if (is_without_money(type, code)) return {Remedy::another_credential, Blame::none};
      return {Remedy::cool_down, Blame::rate};
    case 501: return {Remedy::another_target, Blame::none};
    default: return status >= 500 ? no_answer : Diagnosis{};
  }
}

}  // namespace tollgate::policy
