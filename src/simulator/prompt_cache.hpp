#pragma once
#include "tollgate/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tollgate::simulator {

/// How long a written prefix is known, from its last use on.
enum class CacheLife : std::uint8_t { five_minutes, one_hour };

/// A place in a prompt where a cached prefix may end: after each tool, system block and content block.
struct PrefixEnd {
  std::uint64_t digest = 0;       ///< of everything up to here
  std::size_t tokens = 0;         ///< of everything up to here
  std::optional<CacheLife> mark;  ///< set: the request wants the prefix written
};

/// How a prompt's tokens are told apart in the bill; what is none of these is ordinary input.
struct CacheUse {
  std::size_t read = 0;
  std::size_t written_5m = 0;
  std::size_t written_1h = 0;
  std::size_t all() const { return read + written_5m + written_1h; }
};

/// Remembers the prefixes of prompts, the last 4,096 of them. Time is an argument; one thread.
class PromptCache {
 public:
  /// What a prompt with these ends finds and leaves behind. From each mark it looks back over up to 20 ends, as the
  /// real one does. `scope` keeps credentials and models apart.
  CacheUse use(std::string_view scope, const std::vector<PrefixEnd>& ends, SteadyTime now);

 private:
  struct Entry {
    SteadyTime expires{};
    CacheLife life = CacheLife::five_minutes;
  };
  Entry* known(std::uint64_t key, SteadyTime now);
  void write(std::uint64_t key, CacheLife life, SteadyTime now);

  std::unordered_map<std::uint64_t, Entry> entries_;
  std::deque<std::uint64_t> order_;  ///< of first writing
};

}  // namespace tollgate::simulator
