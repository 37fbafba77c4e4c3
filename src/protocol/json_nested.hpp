#pragma once
#include "protocol/json_scan.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::json {

/// Where a step over a nested value stands.
struct NestedWalk {
  const char* at;           ///< the next byte; in a string never the middle of an escape's two first bytes
  unsigned limit;           ///< brackets that may be open in it
  unsigned open = 0;        ///< brackets that are open
  unsigned deepest = 0;     ///< and that were at most
  std::uint64_t kinds = 0;  ///< one bit an open bracket, the innermost lowest: 1 is an object
  bool in_string = false;   ///< `at` is within a string
  bool begun = false;

  bool ended() const { return begun && open == 0; }
  /// Accounts for one of the bytes {}[] outside strings.
  Fault pass_bracket(char bracket);
};

inline bool is_bracket(char byte) { return (byte | 0x20) == '{' || (byte | 0x20) == '}'; }

/// Walks on by blocks of 64 bytes: to the value's end, or to the start of the first block that is not whole or has a
/// fault. The caller goes on from there byte by byte and so finds the fault's place. Does nothing where there is no
/// SSE2.
void walk_blocks(NestedWalk& walk, const char* end);

/// Its two forms: for every x86-64, and for processors with AVX2 and PCLMUL, which must be asked for first.
void walk_narrow_blocks(NestedWalk& walk, const char* end);
void walk_wide_blocks(NestedWalk& walk, const char* end);

/// The length of the escape that begins at `at`, or 0 where it is none.
std::size_t escape_length_at(const char* at, const char* end);

}  // namespace tollgate::protocol::json
