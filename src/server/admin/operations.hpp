#pragma once
// Everything that the admin API can do, one row each. Paths, methods, roles, 404, 405, 403 and the OpenAPI document all
// go by this table.
#include "exchange.hpp"
#include "query.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::server::admin {

struct Operation {
  std::string_view method;
  std::string_view path;    ///< "{id}" stands for any part of a path, slashes and all
  std::string_view name;    ///< the document's operationId
  config::AdminRole least;  ///< role
  void (*handle)(Context&, const ExchangePointer&);
  std::string_view summary;
  std::string_view answer;  ///< the name of its schema
  std::uint16_t success = 200;
  std::array<std::uint16_t, 6> failures{};  ///< its own statuses beside common_failures; the rest is 0
  std::span<const Parameter> parameters{};
  std::string_view body{};  ///< the name of the schema of its body; empty: it takes none
};

/// What every operation may answer: bad parameter, no token, role or origin, rate, a token's change while it runs.
inline constexpr std::array<std::uint16_t, 4> common_failures{400, 401, 403, 429};

std::span<const Operation> operations();

/// What stands for {id} in `path`, or an empty text where the pattern has none; nothing where it does not fit.
std::optional<std::string> match(std::string_view pattern, std::string_view path);

/// "GET, HEAD, POST, OPTIONS" of a path; empty: there is no such path.
std::string methods_of(std::string_view path);

}  // namespace tollgate::server::admin
