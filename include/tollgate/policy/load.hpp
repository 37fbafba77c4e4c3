#pragma once
// How busy and how fast a target is, and which of several targets serves next: power of two choices over a peak EWMA
// of the time to first token, in a form that keeps to weights at any load and that failing fast does not gain by.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

namespace tollgate::policy {

/// How often which time was seen lately: eight buckets to each doubling, every count halved each minute. Not
/// thread-safe: whoever owns it locks.
class RecentTimes {
 public:
  static constexpr std::uint64_t fewest = 20;  ///< samples, halved ones counting half, without which nothing is said

  /// Below 1 us it counts as 0, from 2^32 us (71 minutes) on as that.
  void add(Micros time, SteadyTime now);
  /// A time that at least 95 of 100 samples do not exceed: at most an eighth above the smallest such time.
  std::optional<Micros> p95(SteadyTime now) const;

 private:
  static constexpr std::size_t bucket_count = 240;
  unsigned halvings(SteadyTime now) const;

  std::array<std::uint64_t, bucket_count> counts_{};  ///< in parts of a sample, so that halving loses little
  std::optional<SteadyTime> since_;                   ///< when the counts were halved last
};

/// A target as choose() sees it.
struct Choice {
  double first_token = 0;      ///< the estimate, in microseconds
  std::uint64_t pending = 0;   ///< requests there now
  double weight = 1;           ///< of the traffic, in any unit; 0 or less: serves only where no other does
  double share = 1;            ///< 0..1: how much of its weight counts; below 1 in a slow start
  std::uint64_t affinity = 0;  ///< a hash of it and of the conversation together; 0: the request continues nothing
};

/// The load of one target, shared by all workers. Any thread.
///
/// The estimate follows Finagle's and Linkerd's peak EWMA: a longer time counts at once, a shorter one by
/// w = exp(-dt / 10 s): e w + x (1 - w). Without answers it falls to e w, so that a target once slow is tried again.
/// That buys one try and no more: while a first token is awaited, the estimate is what it was at the last answer. So
/// neither a target that never answers nor one just as slow as before draws a crowd.
///
/// Failures are kept apart from it, since how fast a target fails says nothing of how fast it answers, and failing fast
/// must not attract. A target whose last news was a failure is shunned: its estimate is `highest_penalty`, so that it
/// serves only where no other does. From its trial time on the estimate is what it would be without the failures, until
/// a request comes; while news of that one is awaited, it is shunned again. So one request tries it (few, where several
/// threads choose at the same moment), which is cheap: before content a failure moves on to an equal at once. The first
/// success ends it all. The trial time is 5 s after the first failure, and twice as long as the last time after each
/// trial that fails, at most 60 s. What was under way when the target failed says nothing of the time since: its
/// failures, which have the same reason, do not count again, and its successes do not end the shunning. Else a target
/// that fails one request in five would be shunned for no longer than the next of the other four takes. What is sent
/// to a shunned target for want of others is no trial, so its failures do not count either. Else an outage of all
/// would take all of them to 60 s, and the first one to be well would have the traffic alone for so long.
class Load {
 public:
  static constexpr Millis decay{10'000};
  static constexpr Millis shortest_shunning{5'000};
  static constexpr Millis longest_shunning{60'000};
  static constexpr Millis shortest_told{1'000};
  static constexpr Millis longest_told{300'000};
  static constexpr Millis highest_penalty{86'400'000};

  /// `start` is assumed and fades like what is known, so that a target is tried even where the others are faster than
  /// that; the first time to first token takes its place.
  explicit Load(SteadyTime now, Micros start = Micros(30'000))
      : estimate_(static_cast<double>(start.count())), last_(now) {}

  /// A request goes there. It is followed by news of it, one of sample() and failed(), and then by ended(); or, where
  /// there is none that says anything of the target (its client left, say), by left(). What failed() and left() are
  /// told as `began` is the `now` of the same request's began().
  void began(SteadyTime now);
  void ended();
  void left(SteadyTime began);

  /// The time to first token of an answer that is no failure, of a request that began so long before `now`.
  void sample(Micros first_token, SteadyTime now);
  /// Where the target told when to come back (`told` above 0), it is not tried before that, `told` clamped to 1..300 s.
  /// Of a request that began before the last failure that counted, or while the target was shunned, it is no news, and
  /// changes nothing.
  void failed(Millis told, SteadyTime began, SteadyTime now);

  Choice choice(double weight, double share, SteadyTime now) const;  ///< all at one moment
  std::uint64_t pending() const;
  Micros first_token(SteadyTime now) const;            ///< the estimate; `highest_penalty` while shunned
  Micros first_token_when_well(SteadyTime now) const;  ///< the estimate as if it had never failed
  /// Of successes only: see RecentTimes.
  std::optional<Micros> p95(SteadyTime now) const;

 private:
  double faded(SteadyTime now) const;
  double plain_at(SteadyTime now) const;
  double estimate_at(SteadyTime now) const;
  bool is_trial(SteadyTime began) const;
  void heard_of(SteadyTime began);

  mutable std::mutex mutex_;  ///< over all below
  double estimate_;           ///< microseconds, at `last_`, failures apart
  SteadyTime last_;           ///< the last answer, or made
  bool heard_ = false;        ///< whether there was an answer
  std::uint64_t pending_ = 0;
  std::uint64_t awaited_ = 0;  ///< of those pending, how many first tokens are still to come
  std::uint64_t trials_ = 0;  ///< of those awaited, how many began at the trial time or later; where there are failures
  unsigned failures_ = 0;     ///< in a row, up to where they no longer make a difference
  SteadyTime last_failure_ = SteadyTime::min();  ///< that counted
  SteadyTime trial_at_ = SteadyTime::min();      ///< where there are failures
  RecentTimes times_;
};

/// Which of the targets serves next, by its place in `usable`, which is not empty.
///
/// Two distinct ones are drawn by weight times share. The first drawn serves unless the second would cost less even
/// with the request added, where cost is first_token * (pending / relative weight + 1). Plainly comparing
/// first_token * (pending + 1) / weight keeps to weights only while much is pending: of two idle equals the heavier one
/// always wins. The second one, where it is in a slow start, stands up against the first with the chance `share` alone.
std::size_t choose(std::span<const Choice> usable, Random& random);

/// The one of `usable` that a conversation stays with, which is likely to have its beginning in its prompt cache,
/// unless that would cost more than twice as much as the one that choose() gave. Nothing: there is no such one, or it
/// costs more. Found by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as Schindelhauer and
/// Schomaker 2005), so that every process finds the same one and nobody has to remember.
std::optional<std::size_t> home_of(std::span<const Choice> usable, std::size_t chosen);

}  // namespace tollgate::policy
