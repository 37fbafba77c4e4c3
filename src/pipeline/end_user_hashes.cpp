#include "tollgate/pipeline/end_user_hashes.hpp"

#include "tollgate/base/digest.hpp"

#include "stages.hpp"

#include <cstring>
#include <functional>

namespace tollgate::pipeline {

namespace {

// Mail addresses and ids are shorter. What a client sends must not fill memory.
constexpr std::size_t longest_remembered = 128;

}  // namespace

std::uint64_t end_user_hash(std::string_view name) {
  const Digest digest = sha256(name);
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

std::uint64_t EndUserHashes::of(std::string_view name) {
  if (name.empty() || name.size() > longest_remembered) return end_user_hash(name);
  Known& known = known_[std::hash<std::string_view>()(name) % known_.size()];
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
