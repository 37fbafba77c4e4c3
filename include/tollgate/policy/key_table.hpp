#pragma once
#include "tollgate/policy/key.hpp"
#include "tollgate/policy/network.hpp"

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

namespace tollgate::policy {

class BudgetList;
class LimitScope;

/// A key with what is made ready for its requests.
struct KnownKey {
  Key key;
  std::vector<Network> networks;              ///< settings.addresses, parsed; empty: any address
  std::shared_ptr<LimitScope> limits;         ///< null: the key itself has none
  std::shared_ptr<const BudgetList> budgets;  ///< the same
};

/// Keys by their digest. All keys there are stand in memory, so a key that is not here does not exist: guessing costs
/// no query, and nothing has to remember wrong guesses. One thread.
class KeyTable {
 public:
  /// Replaces a key with the same digest.
  void add(std::shared_ptr<const KnownKey> key);
  void remove(const Digest& digest);
  void clear() { keys_.clear(); }
  /// The key, or null. How long it takes does not tell how much of a digest was right: it is hashed once more by its
  /// first bytes, which are chance to whoever tries keys, and compared whole.
  const std::shared_ptr<const KnownKey>* find(const Digest& digest) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::unordered_multimap<std::uint64_t, std::shared_ptr<const KnownKey>> keys_;
};

}  // namespace tollgate::policy
