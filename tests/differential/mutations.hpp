#pragma once
// Request streams with small faults of the kinds that have made HTTP parsers disagree, the same ones for the same seed.
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::differential {

/// Whole requests without fault, bodies included.
const std::vector<std::string>& seed_requests();

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  /// A seed request changed by one to four operators.
  std::string next();
  /// The operators of the stream made last, by their index.
  const std::vector<std::size_t>& applied() const { return applied_; }

  /// The names of all operators.
  static std::vector<std::string_view> operators();

 private:
  std::mt19937 random_;
  std::vector<std::size_t> applied_;
};

}  // namespace tollgate::differential
