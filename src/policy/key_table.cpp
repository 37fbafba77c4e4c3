#include "tollgate/policy/key_table.hpp"

#include <cstring>
#include <utility>

namespace tollgate::policy {

namespace {

std::uint64_t first_bytes(const Digest& digest) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

}  // namespace

void KeyTable::add(std::shared_ptr<const KnownKey> key) {
  remove(key->key.digest);
  const std::uint64_t place = first_bytes(key->key.digest);
  keys_.emplace(place, std::move(key));
}

void KeyTable::remove(const Digest& digest) {
  const auto [first, last] = keys_.equal_range(first_bytes(digest));
  for (auto at = first; at != last; ++at) {
    if (!same_digest(at->second->key.digest, digest)) continue;
    keys_.erase(at);
    return;
  }
}

const std::shared_ptr<const KnownKey>* KeyTable::find(const Digest& digest) const {
  const auto [first, last] = keys_.equal_range(first_bytes(digest));
  for (auto at = first; at != last; ++at) {
    if (same_digest(at->second->key.digest, digest)) return &at->second;
  }
  return nullptr;
}

std::string_view name_of(Priority priority) {
  switch (priority) {
    case Priority::low: return "low";
    case Priority::normal: return "normal";
    case Priority::high: return "high";
  }
  return "normal";  // GCOVR_EXCL_LINE: every priority has returned
}

std::optional<Priority> priority_of(std::string_view name) {
  for (const Priority priority : {Priority::low, Priority::normal, Priority::high})
    if (name == name_of(priority)) return priority;
  return std::nullopt;
}

}  // namespace tollgate::policy
