#include "simulator/allowance.hpp"

#include <algorithm>
#include <chrono>

namespace tollgate::simulator {

namespace {

/// Whoever comes with still another key shares one bucket with all who came as late.
constexpr std::size_t most_credentials = 10'000;

std::optional<Standing> standing(std::optional<Bucket>& bucket, std::uint64_t requested, SteadyTime now) {
  if (!bucket) return std::nullopt;
  bucket->advance(now);
  Standing standing;
  standing.limit = bucket->limit();
  standing.used = standing.limit - bucket->left();
  standing.requested = requested;
  standing.refused = !bucket->has(requested);
  if (requested <= standing.limit) standing.wait = bucket->wait(requested);
  return standing;
}

void settle(std::optional<Bucket>& bucket, std::optional<Standing>& standing, bool granted) {
  if (!bucket) return;
  if (granted) bucket->take(standing->requested);
  standing->remaining = bucket->left();
  standing->reset = bucket->wait(bucket->limit());
}

}  // namespace

Bucket::Bucket(std::uint64_t per_minute, SteadyTime now)
    : per_minute_(static_cast<std::int64_t>(per_minute)), level_(parts_of(per_minute)), last_(now) {}

void Bucket::advance(SteadyTime now) {
  if (now <= last_) return;
  const Micros passed = std::chrono::duration_cast<Micros>(now - last_);
  // What is less than a microsecond is left for the next time.
  last_ += passed;
  const std::int64_t full = per_minute_ * part;
  level_ = passed >= std::chrono::minutes(1) ? full : std::min(full, level_ + passed.count() * per_minute_);
}

Micros Bucket::wait(std::uint64_t units) const {
  const std::int64_t lacking = std::max<std::int64_t>(parts_of(units) - level_, 0);
  return Micros{(lacking + per_minute_ - 1) / per_minute_};
}

const Standing* Grant::refusal() const {
  if (requests && requests->refused) return &*requests;
  if (tokens && tokens->refused) return &*tokens;
  return nullptr;
}

Grant Allowances::ask(const std::string& credential, std::uint64_t tokens, SteadyTime now) {
  if (!limits_.any()) return {};
  Buckets& buckets = buckets_of(credential, now);
  Grant grant{standing(buckets.requests, 1, now), standing(buckets.tokens, tokens, now)};
  const bool granted = !grant.refusal();
  settle(buckets.requests, grant.requests, granted);
  settle(buckets.tokens, grant.tokens, granted);
  return grant;
}

Allowances::Buckets& Allowances::buckets_of(const std::string& credential, SteadyTime now) {
  const bool room = by_credential_.size() < most_credentials || by_credential_.contains(credential);
  const auto [entry, is_new] = by_credential_.try_emplace(room ? credential : std::string());
  Buckets& buckets = entry->second;
  if (is_new && limits_.requests_per_minute) buckets.requests.emplace(*limits_.requests_per_minute, now);
  if (is_new && limits_.tokens_per_minute) buckets.tokens.emplace(*limits_.tokens_per_minute, now);
  return buckets;
}

}  // namespace tollgate::simulator
