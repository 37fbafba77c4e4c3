#pragma once
// A fault is noted for every alternative that fails and told at most once: so noting one copies nothing, and words and
// place are made when it is told.
#include "protocol/json_schema_value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::schema {

/// A set of the names that `type` knows.
class Types {
 public:
  enum Type : std::uint8_t { null = 1, boolean = 2, integer = 4, number = 8, string = 16, array = 32, object = 64 };

  /// The type of that name, or nothing.
  static std::optional<Type> named(std::string_view name);
  /// The narrowest type of a value: 1.0 is an integer.
  static Type of(const Value& value);

  void add(Type type) { bits_ = static_cast<std::uint8_t>(bits_ | type); }
  void add(Types types) { bits_ = static_cast<std::uint8_t>(bits_ | types.bits_); }
  bool allow(const Value& value) const;
  /// "integer", "string or null".
  std::string words() const;

 private:
  std::uint8_t bits_ = 0;
};

struct Fault {
  enum class Kind : std::uint8_t {
    nothing_allowed,
    property_not_allowed,
    type,
    constant,     ///< `argument` is the constant
    enumeration,  ///< `argument` is the array of constants
    below,        ///< `argument` is the bound, here and in the next eight
    above,
    not_above,
    not_below,
    not_multiple,
    too_short,
    too_long,
    too_few_items,
    too_many_items,
    too_few_properties,
    too_many_properties,
    repeated_item,
    missing,  ///< `argument` is the name
    no_alternative,
    several_alternatives,
    negated
  } kind = Kind::nothing_allowed;
  const Value* at = nullptr;
  std::size_t level = 0;            ///< objects and arrays around `at`
  const Value* argument = nullptr;  ///< of the schema
  Types types{};                    ///< of `type`: those that are expected

  /// One sentence of at most 200 bytes.
  std::string what() const;
};

/// Keeps the fault that helps most of those that the alternatives for one value have.
class Nearest {
 public:
  explicit Nearest(const Value& at, std::size_t level) : at_(&at), level_(level) {}

  void add(const Fault& fault);

  /// The fault inside the value that is deepest. Of those with the value itself the only one that is more than another
  /// type or constant, or all the types that are expected; else that there is no alternative.
  Fault fault() const;

 private:
  const Value* at_;
  std::size_t level_;
  Fault best_{};
  std::size_t rank_ = 0;
  bool is_any_ = false, is_tied_ = false;
};

/// The JSON pointer from `root` to the value `wanted` in it, at most 200 bytes.
std::string pointer_to(const Value& root, const Value& wanted);

}  // namespace tollgate::protocol::schema
