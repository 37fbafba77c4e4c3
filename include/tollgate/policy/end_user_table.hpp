#pragma once
// A table of bounded size by tenant and end user, in parts, each under a lock of its own, so that end users do not wait
// for each other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tollgate::policy {

/// "tenant/0123456789abcdef": how an end user, known by a hash of its name, is named to others.
std::string end_user_label(std::string_view tenant, std::uint64_t end_user);

/// Any thread. `Value` is made by default and moved.
template <class Value>
class EndUserTable {
 public:
  /// Holds at most `capacity` values.
  explicit EndUserTable(std::size_t capacity) : shards_(std::clamp<std::size_t>(capacity, 1, most_shards)) {
    for (std::size_t i = 0; i < shards_.size(); ++i)
      shards_[i].capacity = capacity / shards_.size() + (i < capacity % shards_.size() ? 1 : 0);
  }

  /// Calls `use(Value&)` with the end user's value, or with a new one, under the lock of its part. A new one takes,
  /// where the table is full, the place of another of which `is_at_rest(const Value&)` says that forgetting it changes
  /// nothing. False: none of a few is such, and nothing was called.
  template <class Use, class AtRest>
  bool with(std::string_view tenant, std::uint64_t end_user, const Use& use, const AtRest& is_at_rest) {
    const Sought sought{tenant, end_user};
    // The upper half: the table in the shard goes by the lower bits.
    Shard& shard = shards_[(Hash{}(sought) >> 32) % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.values.find(sought); found != shard.values.end()) {
      use(found->second);
      return true;
    }
    const bool is_full = shard.values.size() >= shard.capacity;
    const auto forgotten = is_full ? find_at_rest(shard, is_at_rest) : shard.values.end();
    if (is_full && forgotten == shard.values.end()) return false;
    Value made;
    use(made);
    Name name{std::string(tenant), end_user};
    if (is_full) {
      auto node = shard.values.extract(forgotten);  // whose place in the ring stays
      node.key() = std::move(name);
      node.mapped() = std::move(made);
      shard.values.insert(std::move(node));
    } else {
      if (shard.ring.empty()) shard.ring.reserve(shard.capacity);
      shard.ring.push_back(&*shard.values.emplace(std::move(name), std::move(made)).first);
    }
    return true;
  }

  std::size_t size() const {
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.values.size();
    }
    return all;
  }

 private:
  static constexpr std::size_t most_shards = 16;
  static constexpr std::size_t looked_at = 8;  ///< places at most, before one is given up as having no room

  struct Name {
    std::string tenant;
    std::uint64_t end_user = 0;
  };
  struct Sought {
    std::string_view tenant;
    std::uint64_t end_user = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Sought& sought) const {
      constexpr std::size_t odd = 0x9E3779B97F4A7C15;  // spreads the bits (Knuth's multiplicative hashing)
      return (std::hash<std::string_view>{}(sought.tenant) ^ sought.end_user) * odd;
    }
    std::size_t operator()(const Name& name) const { return (*this)(Sought{name.tenant, name.end_user}); }
  };
  struct Same {
    using is_transparent = void;
    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const {
      return one.end_user == other.end_user && one.tenant == other.tenant;
    }
  };
  using Values = std::unordered_map<Name, Value, Hash, Same>;
  struct Shard {
    mutable std::mutex mutex;  ///< over all below; taken before any lock of a value
    Values values;
    std::size_t capacity = 0;
    std::vector<const typename Values::value_type*> ring;  ///< all of `values`, whose nodes never move
    std::size_t hand = 0;                                  ///< where in the ring to look for room next
  };

  template <class AtRest>
  static typename Values::iterator find_at_rest(Shard& shard, const AtRest& is_at_rest) {
    for (std::size_t looks = std::min(looked_at, shard.ring.size()); looks > 0; --looks) {
      const auto& [name, value] = *shard.ring[shard.hand];
      shard.hand = (shard.hand + 1) % shard.ring.size();
      if (is_at_rest(value)) return shard.values.find(Sought{name.tenant, name.end_user});
    }
    return shard.values.end();
  }

  std::vector<Shard> shards_;
};

}  // namespace tollgate::policy
