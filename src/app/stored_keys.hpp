#pragma once
// The keys that the store holds, from the file to whoever checks keys: read at the start, and again each time the store
// could not be reached for a while.
#include "tollgate/base/result.hpp"
#include "tollgate/io/store.hpp"
#include "tollgate/policy/key_table.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::io {
class Diagnostics;
class Loop;
}  // namespace tollgate::io

namespace tollgate::pipeline {
struct LiveState;
}  // namespace tollgate::pipeline

namespace tollgate::app {

using KnownKeys = std::vector<std::shared_ptr<const policy::KnownKey>>;

/// Belongs to the control thread, but for the two questions, which any thread may ask.
class StoredKeys {
 public:
  struct Parts {
    io::Loop& control;  ///< outlives this
    pipeline::LiveState& live;
    io::Diagnostics& diagnostics;
    std::function<void(const KnownKeys&)> on_read_again;  ///< on the control thread: these, and no others
    std::function<void()> on_back;                        ///< on the control thread: the store can be reached again
  };

  explicit StoredKeys(Parts parts) : parts_(std::move(parts)) {}

  /// Opens the file, or makes it, and reads the keys. Blocks.
  Result<KnownKeys> open(const std::string& path);

  /// Null: nothing is stored.
  io::Store* store() const { return store_.get(); }
  /// Whether a key that is not known is one that does not exist.
  bool current() const { return !store_ || store_->reachable(); }
  /// Whether the store is gone for so long that the keys known from it are not to be believed any more.
  bool stale() const;

 private:
  void changed(bool reachable);
  void read_again();
  KnownKeys known(const std::vector<io::KeyRow>& rows);

  Parts parts_;
  std::unique_ptr<io::Store> store_;
};

}  // namespace tollgate::app
