#pragma once
#include "tollgate/base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::server::admin {

/// One parameter that a query may hold.
struct Parameter {
  enum class Kind : std::uint8_t { text, flag, number };
  std::string_view name;
  Kind kind = Kind::text;
  std::string_view meaning;
  std::uint64_t least = 0, most = 0;  ///< of a number
};

/// A query whose parameters are all known, of the right kind and there once.
class Query {
 public:
  /// `text` is what follows the '?'. A failure names the parameter.
  static Result<Query> parse(std::string_view text, std::span<const Parameter> known);

  std::optional<std::string> text(std::string_view name) const;
  bool flag(std::string_view name) const;  ///< false where it is not there
  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// With percent escapes replaced by their bytes; an escape that is broken stays as it is.
std::string unescaped(std::string_view text);

}  // namespace tollgate::server::admin
