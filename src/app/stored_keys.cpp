#include "stored_keys.hpp"

#include "tollgate/io/diagnostics.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/server/admin_api.hpp"

namespace tollgate::app {

namespace {

// Keys of the store are believed for so long without it: what was revoked meanwhile would be let in.
constexpr Millis longest_without_store = std::chrono::hours(1);

}  // namespace

Result<KnownKeys> StoredKeys::open(const std::string& path) {
  io::StoreOptions options;
  options.on_reachable = [this](bool reachable) { parts_.control.post([this, reachable] { changed(reachable); }); };
  auto store = io::Store::open(path, std::move(options));
  if (!store) return store.error();
  store_ = std::move(*store);
  const auto rows = store_->load_keys();
  if (!rows) return rows.error();
  return known(*rows);
}

bool StoredKeys::stale() const {
  return !current() && std::chrono::steady_clock::now() - store_->last_good() > longest_without_store;
}

void StoredKeys::changed(bool reachable) {
  parts_.diagnostics.warning(reachable ? "store_back" : "store_unreachable", {});
  if (!reachable) return;
  // An older copy may have been put in place meanwhile.
  read_again();
  parts_.on_back();
}

void StoredKeys::read_again() {
  store_->list_keys(false, [this](const Result<std::vector<io::KeyRow>>& rows) {
    if (!rows) return;  // unreachable again: the next return reads them
    parts_.control.post([this, rows = *rows] { parts_.on_read_again(known(rows)); });
  });
}

KnownKeys StoredKeys::known(const std::vector<io::KeyRow>& rows) {
  KnownKeys keys;
  for (const io::KeyRow& row : rows) {
    auto key = server::key_from(row);
    if (!key) {
      // What it may do is not known, so it may do nothing.
      parts_.diagnostics.error("key_unreadable", {{"id", row.id}, {"why", key.error().message}});
      continue;
    }
    keys.push_back(pipeline::known_key(std::move(*key), parts_.live, std::chrono::steady_clock::now(),
                                       std::chrono::system_clock::now()));
  }
  return keys;
}

}  // namespace tollgate::app
