#include "query.hpp"

#include "strict_json.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::server::admin {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::string> fault_of(const Parameter& parameter, std::string_view value) {
  switch (parameter.kind) {
    case Parameter::Kind::text: return std::nullopt;
    case Parameter::Kind::flag:
      if (value == "true" || value == "false") return std::nullopt;
      return "expected true or false";
    case Parameter::Kind::number: {
      const auto number = number_of(value);
      if (number && *number >= parameter.least && *number <= parameter.most) return std::nullopt;
      return "expected a whole number from " + std::to_string(parameter.least) + " to " +
             std::to_string(parameter.most);
    }
  }
  return std::nullopt;  // GCOVR_EXCL_LINE: every kind has returned
}

std::string names_of(std::span<const Parameter> known) {
  std::string names;
  for (const Parameter& parameter : known) names.append(names.empty() ? "" : ", ").append(parameter.name);
  return names;
}

}  // namespace

Result<Query> Query::parse(std::string_view text, std::span<const Parameter> known) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = unescaped(pair.substr(0, equals)).substr(0, 64);
    const std::string value = unescaped(pair.substr(std::min(equals + 1, pair.size())));
    const auto parameter =
        std::find_if(known.begin(), known.end(), [&name](const Parameter& each) { return each.name == name; });
    if (parameter == known.end())
      return bad_member(
          name, known.empty() ? "this path takes no parameters" : "unknown parameter; there are " + names_of(known));
    if (const auto fault = fault_of(*parameter, value)) return bad_member(name, *fault);
    if (!query.values_.emplace(name, value).second) return bad_member(name, "this parameter is there twice");
  }
  return query;
}

std::optional<std::string> Query::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

bool Query::flag(std::string_view name) const { return text(name) == "true"; }

std::uint64_t Query::number(std::string_view name, std::uint64_t otherwise) const {
  const auto value = text(name);
  return value ? number_of(*value).value_or(otherwise) : otherwise;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    const std::string_view digits = text[at] == '%' ? text.substr(at + 1, 2) : std::string_view{};
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    const bool escape = digits.size() == 2 && parsed.ec == std::errc{} && parsed.ptr == digits.data() + 2;
    result += escape ? static_cast<char>(byte) : text[at];
    if (escape) at += 2;
  }
  return result;
}

}  // namespace tollgate::server::admin
