#pragma once
#include "protocol/json_schema_value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::schema {

enum class Keyword : std::uint8_t {
  dynamic_ref,
  id,
  recursive_ref,
  ref,
  additional_items,
  additional_properties,
  all_of,
  any_of,
  constant,
  else_,
  enumeration,
  exclusive_maximum,
  exclusive_minimum,
  if_,
  items,
  max_items,
  max_length,
  max_properties,
  maximum,
  min_items,
  min_length,
  min_properties,
  minimum,
  multiple_of,
  not_,
  one_of,
  pattern_properties,
  prefix_items,
  properties,
  required,
  then,
  type,
  unique_items,
  passed_over,  ///< any of those that may refuse a value, but are not judged
  count
};

/// The keywords of one schema.
class Keywords {
 public:
  explicit Keywords(const Object& schema);
  /// The keyword's value, or null.
  const Value* operator[](Keyword keyword) const { return arguments_[static_cast<std::size_t>(keyword)]; }
  /// Whether some of them may refuse a value, but are not judged.
  bool leave_open() const { return (*this)[Keyword::passed_over] || (*this)[Keyword::pattern_properties]; }

 private:
  std::array<const Value*, static_cast<std::size_t>(Keyword::count)> arguments_{};
};

/// What a $ref within the schema points to, or null: it leads elsewhere, to an anchor or to nothing.
const Value* referred(const Value& root, std::string_view reference);

}  // namespace tollgate::protocol::schema
