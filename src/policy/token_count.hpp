#pragma once
#include "tollgate/policy/token_counter.hpp"

namespace tollgate::policy::tokens {

struct Count {
  std::size_t tokens = 0;
  /// What it took: characters looked at and pairs compared. Bounded by a multiple of the text's bytes.
  std::uint64_t steps = 0;
};

Count count(std::string_view text, TokenEncoding encoding);

}  // namespace tollgate::policy::tokens
