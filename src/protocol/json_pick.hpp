#pragma once
// Single members out of objects, for who reads a few and in any order.
#include "protocol/json_scan.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace tollgate::protocol::json {

/// The members of an object by their names; of one given twice the last; kind none where there is none, or `object` is
/// no object or broken before it. One pass.
template <std::size_t count>
std::array<Value, count> pick(std::string_view object, const std::array<std::string_view, count>& names) {
  std::array<Value, count> found{};
  Reader reader(object);
  if (!reader.enter_object()) return found;
  while (reader.next_member()) {
    std::size_t at = 0;
    while (at < count && reader.key() != names[at]) ++at;
    const Value value = reader.take();
    if (at < count) found[at] = value;
  }
  return found;
}

inline Value pick(std::string_view object, std::string_view name) { return pick<1>(object, {name})[0]; }

/// The text is one JSON value by RFC 8259, at most `depth` deep, which is at most max_depth. Each token is looked at,
/// unlike in a value that a Reader steps over. Linear.
bool is_valid(std::string_view text, unsigned depth = max_depth);

}  // namespace tollgate::protocol::json
