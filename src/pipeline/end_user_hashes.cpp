#include "tollgate/pipeline/end_user_hashes.hpp"

#include "tollgate/base/digest.hpp"

#include "stages.hpp"

#include <cstring>
#include <functional>

namespace tollgate::pipeline {

namespace {

// Mail addresses and ids are shorter. What a client sends must not fill memory.
constexpr std::size_t longest_remembered = 128;

/// Both ends of a name and its length tell most names apart, and whoever makes up names that agree in them only has
/// them hashed each time.
std::size_t place_of(std::string_view name) {
  std::uint64_t first = 0, last = 0;
  if (name.size() < sizeof first) return std::hash<std::string_view>()(name);
  std::memcpy(&first, name.data(), sizeof first);
  std::memcpy(&last, name.data() + name.size() - sizeof last, sizeof last);
  constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio: spreads neighbours (Knuth, 6.4)
  return ((first * golden ^ last) * golden + name.size()) >> 56;
}

}  // namespace

std::uint64_t end_user_hash(std::string_view name) {
  const Digest digest = sha256(name);
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

std::uint64_t EndUserHashes::of(std::string_view name) {
  if (name.empty() || name.size() > longest_remembered) return end_user_hash(name);
  Known& known = known_[place_of(name) % known_.size()];
  if (known.name != name) {
    known.hash = end_user_hash(name);
    known.name = name;
  }
  return known.hash;
}

std::string_view end_user_of(const Exchange& exchange) {
  return !exchange.inbound.end_user.empty() ? exchange.inbound.end_user : exchange.scan.end_user;
}

std::uint64_t end_user_hash_of(const Exchange& exchange) {
  const std::string_view name = end_user_of(exchange);
  return exchange.world->end_users ? exchange.world->end_users->of(name) : end_user_hash(name);
}

}  // namespace tollgate::pipeline
