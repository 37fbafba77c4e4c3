// Keywords are found once for each schema and value that meet, in one walk over the schema's members, so that a schema
// with few of them is judged quickly and one with thousands of unknown ones no slower than its size.
#include "protocol/json_schema_keywords.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace tollgate::protocol::schema {
namespace {

struct Named {
  std::string_view name;
  Keyword keyword;
};

constexpr bool goes_before(const Named& left, const Named& right) { return left.name < right.name; }

constexpr std::array known{Named{"$dynamicRef", Keyword::dynamic_ref},
                           Named{"$id", Keyword::id},
                           Named{"$recursiveRef", Keyword::recursive_ref},
                           Named{"$ref", Keyword::ref},
                           Named{"additionalItems", Keyword::additional_items},
                           Named{"additionalProperties", Keyword::additional_properties},
                           Named{"allOf", Keyword::all_of},
                           Named{"anyOf", Keyword::any_of},
                           Named{"const", Keyword::constant},
                           Named{"contains", Keyword::passed_over},
                           Named{"dependencies", Keyword::passed_over},
                           Named{"dependentRequired", Keyword::passed_over},
                           Named{"dependentSchemas", Keyword::passed_over},
                           Named{"else", Keyword::else_},
                           Named{"enum", Keyword::enumeration},
                           Named{"exclusiveMaximum", Keyword::exclusive_maximum},
                           Named{"exclusiveMinimum", Keyword::exclusive_minimum},
                           Named{"format", Keyword::passed_over},
                           Named{"if", Keyword::if_},
                           Named{"items", Keyword::items},
                           Named{"maxItems", Keyword::max_items},
                           Named{"maxLength", Keyword::max_length},
                           Named{"maxProperties", Keyword::max_properties},
                           Named{"maximum", Keyword::maximum},
                           Named{"minItems", Keyword::min_items},
                           Named{"minLength", Keyword::min_length},
                           Named{"minProperties", Keyword::min_properties},
                           Named{"minimum", Keyword::minimum},
                           Named{"multipleOf", Keyword::multiple_of},
                           Named{"not", Keyword::not_},
                           Named{"oneOf", Keyword::one_of},
                           Named{"pattern", Keyword::passed_over},
                           Named{"patternProperties", Keyword::pattern_properties},
                           Named{"prefixItems", Keyword::prefix_items},
                           Named{"properties", Keyword::properties},
                           Named{"propertyNames", Keyword::passed_over},
                           Named{"required", Keyword::required},
                           Named{"then", Keyword::then},
                           Named{"type", Keyword::type},
                           Named{"unevaluatedItems", Keyword::passed_over},
                           Named{"unevaluatedProperties", Keyword::passed_over},
                           Named{"uniqueItems", Keyword::unique_items}};
static_assert(std::is_sorted(known.begin(), known.end(), goes_before));

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t plain = std::min(text.find('%'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return out;
    unsigned byte = 0;
    const std::string_view digits = text.substr(1, 2);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || failure != std::errc() || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    text.remove_prefix(3);
  }
}

/// A token of a JSON pointer (RFC 6901), or nothing where a '~' stands for nothing.
std::optional<std::string> pointer_token(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      out += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next != '0' && next != '1') return std::nullopt;
    out += next == '0' ? '~' : '/';
  }
  return out;
}

const Value* step_into(const Value& from, const std::string& token) {
  if (from.object()) return from.object()->find(token);
  if (!from.array() || token.empty() || (token.size() > 1 && token.front() == '0')) return nullptr;
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [last, failure] = std::from_chars(token.data(), end, index);
  if (failure != std::errc() || last != end || index >= from.array()->size()) return nullptr;
  return &(*from.array())[index];
}

}  // namespace

Keywords::Keywords(const Object& schema) {
  for (const auto* const member : schema.order) {
    const std::string_view name = member->first;
    const auto* const found = std::lower_bound(known.begin(), known.end(), Named{name, Keyword::count}, goes_before);
    if (found != known.end() && found->name == name)
      arguments_[static_cast<std::size_t>(found->keyword)] = &member->second;
  }
}

const Value* referred(const Value& root, std::string_view reference) {
  if (!reference.starts_with('#')) return nullptr;
  const std::optional<std::string> pointer = percent_decoded(reference.substr(1));
  if (!pointer || (!pointer->empty() && pointer->front() != '/')) return nullptr;
  const Value* at = &root;
  for (std::string_view rest = *pointer; at && !rest.empty();) {
    rest.remove_prefix(1);
    const std::optional<std::string> token = pointer_token(rest.substr(0, rest.find('/')));
    at = token ? step_into(*at, *token) : nullptr;
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
  }
  return at;
}

}  // namespace tollgate::protocol::schema
