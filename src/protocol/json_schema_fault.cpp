// What stands in a fault's words goes back to a model and into logs, so names and values of schema and document are cut
// short and spelled in printable ASCII.
#include "protocol/json_schema_fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace tollgate::protocol::schema {
namespace {

constexpr std::size_t longest_excerpt = 64;
constexpr std::size_t longest_pointer = 200;
constexpr std::string_view cut = "...";

constexpr std::array<std::pair<std::string_view, Types::Type>, 7> type_names{{{"object", Types::object},
                                                                              {"array", Types::array},
                                                                              {"string", Types::string},
                                                                              {"number", Types::number},
                                                                              {"integer", Types::integer},
                                                                              {"boolean", Types::boolean},
                                                                              {"null", Types::null}}};

std::string_view name_of(Types::Type type) {
  const auto* const found =
      std::find_if(type_names.begin(), type_names.end(), [&](const auto& named) { return named.second == type; });
  return found->first;
}

void append_unit(std::string& out, std::uint32_t unit) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(unit));
  out += buffer.data();
}

/// The code point that valid UTF-8 begins with, taken off it.
std::uint32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t point = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(std::min(length, text.size()));
  return point;
}

void append_spelled(std::string& out, std::uint32_t point, bool in_pointer) {
  if (in_pointer && point == '~') {
    out += "~0";
  } else if (in_pointer && point == '/') {
    out += "~1";
  } else if (point == '"' || point == '\\') {
    out += {'\\', static_cast<char>(point)};
  } else if (point >= 0x20 && point < 0x7F) {
    out += static_cast<char>(point);
  } else if (point < 0x10000) {
    append_unit(out, point);
  } else {
    append_unit(out, 0xD800 + ((point - 0x10000) >> 10));
    append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
  }
}

/// The text as inside a JSON string, or its beginning.
std::string excerpt(std::string_view text, bool in_pointer) {
  std::string out;
  std::size_t fitting = 0;
  while (!text.empty()) {
    append_spelled(out, take_code_point(text), in_pointer);
    if (out.size() > longest_excerpt) return out.substr(0, fitting).append(cut);
    if (out.size() <= longest_excerpt - cut.size()) fitting = out.size();
  }
  return out;
}

std::string in_quotes(std::string_view text) { return '"' + excerpt(text, false) + '"'; }

std::string spelled(Number number) {
  std::array<char, 32> buffer{};
  // Whole numbers that came as such have all their digits; a larger one was a double.
  if (is_whole(number) && std::abs(number) < 18446744073709551616.0L) {
    std::snprintf(buffer.data(), buffer.size(), "%.0Lf", number);
    return buffer.data();
  }
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<double>(number)).ptr;
  return {buffer.data(), end};
}

std::string spelled(const Value& value) {
  if (value.boolean()) return *value.boolean() ? "true" : "false";
  if (value.number()) return spelled(*value.number());
  if (value.text()) return in_quotes(*value.text());
  if (value.array()) return "a certain array";
  return value.object() ? "a certain object" : "null";
}

/// One of several values, as many of them as have room in an excerpt.
std::string choice(const Array& values) {
  if (values.empty()) return "nothing";
  std::string out;
  for (const Value& value : values) {
    const std::string next = (out.empty() ? "" : ", ") + spelled(value);
    if (!out.empty() && out.size() + next.size() > longest_excerpt) return out + ", " + std::string(cut);
    out += next;
  }
  return out;
}

/// "expected 2 or more items, got 1".
std::string counted(const Fault& fault, std::string_view bound, std::string_view things) {
  const Value& at = *fault.at;
  const std::size_t count = at.text()    ? code_points(*at.text())
                            : at.array() ? at.array()->size()
                                         : at.object()->members.size();
  return "expected " + spelled(*fault.argument) + std::string(bound) + std::string(things) + ", got " +
         std::to_string(count);
}

std::string bounded(const Fault& fault, std::string_view bound) {
  return "expected " + std::string(bound) + spelled(*fault.argument) + ", got " + spelled(*fault.at);
}

}  // namespace

std::optional<Types::Type> Types::named(std::string_view name) {
  for (const auto& [known, type] : type_names)
    if (known == name) return type;
  return std::nullopt;
}

Types::Type Types::of(const Value& value) {
  if (value.boolean()) return boolean;
  if (value.number()) return is_whole(*value.number()) ? integer : number;
  if (value.text()) return string;
  if (value.array()) return array;
  return value.object() ? object : null;
}

bool Types::allow(const Value& value) const {
  const Type type = of(value);
  return (bits_ & type) != 0 || (type == integer && (bits_ & number) != 0);
}

std::string Types::words() const {
  std::string out;
  for (const auto& [name, type] : type_names)
    if ((bits_ & type) != 0) out.append(out.empty() ? "" : " or ").append(name);
  return out;
}

std::string Fault::what() const {
  switch (kind) {
    case Kind::nothing_allowed: return "no value is allowed here";
    case Kind::property_not_allowed: return "this property is not allowed";
    case Kind::type: return "expected " + types.words() + ", got " + std::string(name_of(Types::of(*at)));
    case Kind::constant: return "expected " + spelled(*argument);
    case Kind::enumeration: return "expected one of: " + choice(*argument->array());
    case Kind::below: return bounded(*this, "at least ");
    case Kind::above: return bounded(*this, "at most ");
    case Kind::not_above: return bounded(*this, "more than ");
    case Kind::not_below: return bounded(*this, "less than ");
    case Kind::not_multiple: return bounded(*this, "a multiple of ");
    case Kind::too_short: return counted(*this, " or more", " characters");
    case Kind::too_long: return counted(*this, " or fewer", " characters");
    case Kind::too_few_items: return counted(*this, " or more", " items");
    case Kind::too_many_items: return counted(*this, " or fewer", " items");
    case Kind::too_few_properties: return counted(*this, " or more", " properties");
    case Kind::too_many_properties: return counted(*this, " or fewer", " properties");
    case Kind::repeated_item: return "this item is equal to an earlier one";
    case Kind::missing: return "required property " + in_quotes(*argument->text()) + " is missing";
    case Kind::no_alternative: return "it matches none of the alternatives";
    case Kind::several_alternatives: return "it matches more than one of the alternatives";
    case Kind::negated: return "it matches what is not allowed here";
  }
  return {};  // GCOVR_EXCL_LINE: every kind has returned
}

namespace {

/// Among faults at one level: an alternative for another type, or with another tag inside it, is not the one meant.
std::size_t rank_at_its_level(const Fault& fault, bool is_inside) {
  if (fault.kind == Fault::Kind::type) return is_inside ? 2 : 0;
  return fault.kind == Fault::Kind::constant || fault.kind == Fault::Kind::enumeration ? 1 : 2;
}

}  // namespace

void Nearest::add(const Fault& fault) {
  const std::size_t rank = 3 * fault.level + rank_at_its_level(fault, fault.level > level_);
  if (rank > rank_ || !is_any_) {
    best_ = fault;
    rank_ = rank;
    is_tied_ = false;
  } else if (rank == rank_) {
    is_tied_ = true;
    if (fault.at == best_.at) best_.types.add(fault.types);
  }
  is_any_ = true;
}

Fault Nearest::fault() const {
  const bool tells = is_any_ && (best_.level > level_ || !is_tied_ || best_.kind == Fault::Kind::type);
  return tells ? best_ : Fault{.kind = Fault::Kind::no_alternative, .at = at_, .level = level_};
}

namespace {

using Tokens = std::vector<std::string>;

/// Puts the way to `wanted` into `tokens`, last step first.
bool find_way(const Value& from, const Value& wanted, Tokens& tokens) {
  if (&from == &wanted) return true;
  if (const Array* const array = from.array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!find_way((*array)[i], wanted, tokens)) continue;
      tokens.push_back(std::to_string(i));
      return true;
    }
  }
  if (const Object* const object = from.object()) {
    for (const auto& [name, value] : object->members) {
      if (!find_way(value, wanted, tokens)) continue;
      tokens.push_back(excerpt(name, true));
      return true;
    }
  }
  return false;
}

}  // namespace

std::string pointer_to(const Value& root, const Value& wanted) {
  Tokens tokens;
  find_way(root, wanted, tokens);
  std::string out;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    if (out.size() + 1 + token->size() > longest_pointer - 1 - cut.size()) return out.append("/").append(cut);
    out.append("/").append(*token);
  }
  return out;
}

}  // namespace tollgate::protocol::schema
