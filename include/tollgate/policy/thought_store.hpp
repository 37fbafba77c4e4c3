#pragma once
// What models have thought before they called tools, for the turns in which the tools' results come: clients of the
// chat API have no place for it.
#include "tollgate/protocol/translation.hpp"

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tollgate::policy {

/// Of bounded size: what was not asked for the longest is forgotten first. A turn whose thoughts are gone is sent
/// without. Any thread.
class ThoughtStore {
 public:
  /// Keeps at most so many bytes of thoughts and of their calls' ids.
  explicit ThoughtStore(std::size_t capacity) : capacity_(capacity) {}

  /// Keeps them for whoever they were thought for, and nobody else. Larger ones than the whole store are not kept.
  void keep(std::string_view owner, const protocol::Thoughts& thoughts);
  /// Thoughts::blocks of the turn with the call; empty: not known.
  std::string find(std::string_view owner, std::string_view call);

  std::size_t bytes() const;

 private:
  struct Turn {
    std::list<std::string> names;  ///< of its calls, as they stand in the index
    std::string blocks;
    std::size_t bytes = 0;
  };
  using Turns = std::list<Turn>;

  void forget(Turns::iterator turn);

  mutable std::mutex mutex_;  ///< over all below
  Turns turns_;               ///< the one asked for last in front
  std::unordered_map<std::string_view, Turns::iterator> by_call_;
  std::size_t capacity_, bytes_ = 0;
};

}  // namespace tollgate::policy
