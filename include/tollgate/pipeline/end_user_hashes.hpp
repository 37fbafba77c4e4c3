#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::pipeline {

/// What end users are known by: 8 bytes of the SHA-256 of the name that a request gives them, which nobody can turn
/// back. The same name comes again and again, so some are remembered. One worker's; some 10 KB.
class EndUserHashes {
 public:
  std::uint64_t of(std::string_view name);

 private:
  struct Known {
    std::string name;  ///< empty: nobody
    std::uint64_t hash = 0;
  };
  std::array<Known, 256> known_;  ///< by a hash of the name that costs little; one name at each place
};

/// The same without a memory.
std::uint64_t end_user_hash(std::string_view name);

}  // namespace tollgate::pipeline
