// The arithmetic behind load.hpp. What is read never changes what is kept: estimates and counts fade by the time since
// they were written, so that it makes no difference how often somebody looks.
#include "tollgate/policy/load.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tollgate::policy {
namespace {

constexpr double least_estimate = 1;  // microsecond: where all has faded, pending requests still count
constexpr auto highest = static_cast<double>(Micros(Load::highest_penalty).count());
constexpr unsigned most_doublings = 4;    // 5 s four times doubled is more than the longest shunning
constexpr std::uint64_t parts = 1 << 20;  // of a sample
constexpr std::chrono::minutes halving{1};
constexpr std::uint64_t longest_time = (std::uint64_t{1} << 32) - 1;

double in_micros(Micros time) { return static_cast<double>(time.count()); }

/// Up to 16 each value has a bucket of its own; beyond, its three bits after the first one tell.
std::size_t bucket_of(std::uint64_t micros) {
  if (micros < 16) return micros;
  const auto shift = static_cast<unsigned>(std::bit_width(micros)) - 4;
  return shift * 8 + (micros >> shift);
}

std::uint64_t highest_in(std::size_t bucket) {
  if (bucket < 16) return bucket;
  const std::size_t shift = bucket / 8 - 1;
  return ((bucket % 8 + 9) << shift) - 1;
}

}  // namespace

unsigned RecentTimes::halvings(SteadyTime now) const {
  if (!since_ || now <= *since_) return 0;
  return static_cast<unsigned>(std::min<std::int64_t>((now - *since_) / halving, 63));
}

void RecentTimes::add(Micros time, SteadyTime now) {
  const unsigned times = halvings(now);
  if (times > 0) {
    for (std::uint64_t& count : counts_) count >>= times;
  }
  if (!since_) since_ = now;
  if (now > *since_) since_ = now - (now - *since_) % halving;
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  counts_[bucket_of(std::min(micros, longest_time))] += parts;
}

std::optional<Micros> RecentTimes::p95(SteadyTime now) const {
  const unsigned times = halvings(now);
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts_) all += count >> times;
  if (all < fewest * parts) return std::nullopt;
  const std::uint64_t above = all / 20;  // what may lie above it
  std::uint64_t seen = 0;
  std::size_t bucket = bucket_count;
  while (bucket > 0 && seen <= above) seen += counts_[--bucket] >> times;
  return Micros(static_cast<std::int64_t>(highest_in(bucket)));
}

bool Load::is_trial(SteadyTime began) const { return failures_ > 0 && began >= trial_at_; }

void Load::began(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  ++pending_;
  ++awaited_;
  if (is_trial(now)) ++trials_;
}

void Load::ended() {
  const std::lock_guard lock(mutex_);
  if (pending_ > 0) --pending_;
  awaited_ = std::min(awaited_, pending_);
  trials_ = std::min(trials_, awaited_);
}

void Load::heard_of(SteadyTime began) {
  if (awaited_ > 0) --awaited_;
  if (trials_ > 0 && is_trial(began)) --trials_;
}

void Load::left(SteadyTime began) {
  const std::lock_guard lock(mutex_);
  if (pending_ > 0) --pending_;
  heard_of(began);
  awaited_ = std::min(awaited_, pending_);
  trials_ = std::min(trials_, awaited_);
}

double Load::faded(SteadyTime now) const {
  if (now <= last_) return 1;
  return std::exp(-std::chrono::duration<double>(now - last_) / std::chrono::duration<double>(decay));
}

double Load::plain_at(SteadyTime now) const {
  return std::max(awaited_ > 0 ? estimate_ : estimate_ * faded(now), least_estimate);
}

double Load::estimate_at(SteadyTime now) const {
  const bool shunned = failures_ > 0 && (now < trial_at_ || trials_ > 0);
  return shunned ? highest : plain_at(now);
}

void Load::sample(Micros first_token, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const double time = in_micros(first_token);
  const double kept = heard_ ? faded(now) : 0;  // the first one takes the place of what was only assumed
  estimate_ = heard_ && time > estimate_ ? time : estimate_ * kept + time * (1 - kept);
  last_ = std::max(now, last_);
  heard_ = true;
  if (awaited_ > 0) --awaited_;
  trials_ = std::min(trials_, awaited_);
  times_.add(first_token, now);
  if (now - std::min<Micros>(first_token, highest_penalty) < last_failure_) return;
  failures_ = 0;
}

void Load::failed(Millis told, SteadyTime began, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  heard_of(began);
  trials_ = std::min(trials_, awaited_);
  if (began < (failures_ > 0 ? trial_at_ : last_failure_)) return;
  last_failure_ = std::max(now, last_failure_);
  const Millis least = told > Millis(0) ? std::clamp(told, shortest_told, longest_told) : Millis(0);
  const Millis usual = std::min(shortest_shunning * (1 << failures_), longest_shunning);
  trial_at_ = last_failure_ + std::max(least, usual);
  failures_ = std::min(failures_ + 1, most_doublings);
  trials_ = 0;  // what is under way began before the new trial time
}

Choice Load::choice(double weight, double share, SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return {.first_token = estimate_at(now), .pending = pending_, .weight = weight, .share = share};
}

std::uint64_t Load::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

Micros Load::first_token(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return Micros(std::llround(estimate_at(now)));
}

Micros Load::first_token_when_well(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return Micros(std::llround(plain_at(now)));
}

std::optional<Micros> Load::p95(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return times_.p95(now);
}

namespace {

constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();

double counted_weight(const Choice& choice) {
  return std::max(choice.weight, 0.0) * std::clamp(choice.share, 0.0, 1.0);
}

/// One of them by weight, other than `but`; `nobody` where all others weigh nothing.
std::size_t draw(std::span<const Choice> usable, std::size_t but, Random& random) {
  double all = 0;
  for (std::size_t i = 0; i < usable.size(); ++i) all += i == but ? 0 : counted_weight(usable[i]);
  double rest = random.unit() * all;
  std::size_t drawn = nobody;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    const double weight = i == but ? 0 : counted_weight(usable[i]);
    if (weight <= 0) continue;
    drawn = i;  // rounding may leave a little over: that is the last one's
    if (rest < weight) break;
    rest -= weight;
  }
  return drawn;
}

/// With `added` requests more, the weight in parts of `usual`.
double cost(const Choice& choice, double added, double usual) {
  const double queued = (static_cast<double>(choice.pending) + added) * usual / counted_weight(choice);
  return choice.first_token * (queued + 1);
}

}  // namespace

std::size_t choose(std::span<const Choice> usable, Random& random) {
  const std::size_t first = draw(usable, nobody, random);
  if (first == nobody) return static_cast<std::size_t>(random.unit() * static_cast<double>(usable.size()));
  const std::size_t second = draw(usable, first, random);
  if (second == nobody) return first;
  const Choice& one = usable[first];
  const Choice& other = usable[second];
  if (other.share < 1 && random.unit() >= other.share) return first;
  const double usual = (counted_weight(one) + counted_weight(other)) / 2;
  return cost(other, 1, usual) < cost(one, 0, usual) ? second : first;
}

std::optional<std::size_t> home_of(std::span<const Choice> usable, std::size_t chosen) {
  constexpr double worth = 2;  // a cached beginning saves most of the time to first token, and money
  std::optional<std::size_t> home;
  double best = 0;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    if (usable[i].affinity == 0 || counted_weight(usable[i]) <= 0) continue;
    // The top 52 bits as a fraction, never 0 or 1.
    const double drawn = (static_cast<double>(usable[i].affinity >> 12) + 0.5) * 0x1p-52;
    const double score = -usable[i].weight / std::log(drawn);
    if (home && score <= best) continue;
    home = i;
    best = score;
  }
  if (!home || *home == chosen) return home;
  const double usual = (counted_weight(usable[*home]) + counted_weight(usable[chosen])) / 2;
  if (counted_weight(usable[chosen]) <= 0) return home;
  return cost(usable[*home], 0, usual) <= worth * cost(usable[chosen], 0, usual) ? home : std::nullopt;
}

}  // namespace tollgate::policy
