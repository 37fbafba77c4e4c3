// Tags come from clients and end in reports, so every byte of them is looked at, and one form of writing them is the
// only one that is kept.
#include "tollgate/policy/tags.hpp"

#include <algorithm>
#include <optional>

namespace tollgate::policy {

namespace {

constexpr std::string_view field = "x-tollgate-tags";

bool stands_for_itself(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_encoded(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stands_for_itself(byte))
      to += c;
    else
      to.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
}

std::optional<unsigned char> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned char>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned char>(lower - 'a' + 10);
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      byte = static_cast<unsigned char>(*high * 16 + *low);
      i += 2;
    }
    if (byte < ' ' || byte == 0x7F) return std::nullopt;
    out += static_cast<char>(byte);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Failure refused(std::string message) {
  return {
      FailureKind::bad_request, Source::client, std::string(field) + ": " + std::move(message), {}, std::string(field)};
}

bool has_key(const std::vector<Tag>& tags, std::string_view key) {
  return std::ranges::any_of(tags, [key](const Tag& tag) { return tag.first == key; });
}

Result<Tag> read_tag(std::string_view item) {
  const std::size_t equals = item.find('=');
  if (equals == item.npos) return refused("each tag is KEY=VALUE, separated by commas");
  auto key = decoded(trimmed(item.substr(0, equals)));
  auto value = decoded(trimmed(item.substr(equals + 1)));
  if (!key || !value) return refused("a tag holds a broken percent escape or a control character");
  if (key->empty() || key->size() > longest_tag_key || value->size() > longest_tag_value)
    return refused("a tag's key has 1 to " + std::to_string(longest_tag_key) + " bytes, its value at most " +
                   std::to_string(longest_tag_value));
  return Tag{std::move(*key), std::move(*value)};
}

}  // namespace

std::string tag_text(std::vector<Tag> tags) {
  std::sort(tags.begin(), tags.end());
  std::string text;
  for (const auto& [key, value] : tags) {
    if (!text.empty()) text += ',';
    append_encoded(text, key);
    text += '=';
    append_encoded(text, value);
  }
  return text;
}

Result<std::string> read_tags(std::string_view text, const std::vector<std::string>& allowed,
                              const std::vector<Tag>& tenant) {
  std::vector<Tag> tags;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    auto tag = read_tag(text.substr(0, comma));
    if (!tag) return tag.error();
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (std::ranges::find(allowed, tag->first) == allowed.end())
      return refused("'" + tag->first + "' is not among the keys that may be used here (request_tags)");
    if (has_key(tenant, tag->first)) return refused("'" + tag->first + "' is set by the tenant");
    if (has_key(tags, tag->first)) return refused("'" + tag->first + "' is there twice");
    if (tags.size() == most_tags) return refused("there are more than " + std::to_string(most_tags));
    tags.push_back(std::move(*tag));
  }
  tags.insert(tags.end(), tenant.begin(), tenant.end());
  return tag_text(std::move(tags));
}

}  // namespace tollgate::policy
