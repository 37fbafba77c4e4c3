#pragma once
// What usage costs. Rates are whole nano-dollars per million of their unit, products are 128 bits wide, and the sum of
// one attempt is rounded once, half up, to nano-dollars (product.md, section 9). Facts: protocol.md, section 6.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/protocol/usage.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// Of one tier of prompt lengths. A class without a rate of its own is charged as the one it is a part of: cached and
/// written input, audio and images as input; reasoning, audio and images as output; a long cache write as a short one.
/// No rate is negative or above most_rate.
struct Rates {
  std::optional<std::int64_t> input{}, cached_input{}, cache_write{}, cache_write_long{}, audio_input{}, image_input{};
  std::optional<std::int64_t> output{}, reasoning{}, audio_output{}, image_output{};
  bool operator==(const Rates&) const = default;
};

inline constexpr std::int64_t most_rate = 1'000'000 * Money::nanos_per_dollar;  ///< per million tokens

/// What cost_of and worst_case never exceed: usage that comes to more than a million dollars is a provider's slip, and
/// a thousand of such slips must still fit into Money.
inline constexpr Money most_per_attempt{1'000'000 * Money::nanos_per_dollar};

/// From so many tokens of the whole prompt on other rates hold; cached tokens count, as the providers have it.
struct PriceTier {
  std::uint64_t threshold = 0;
  bool inclusive = true;  ///< a prompt of exactly that length is in
  /// Only the prompt's tokens above it have its rates, instead of the whole request; output keeps the row's. Which
  /// tokens these are: a prompt is taken to be in the order cached, written (long, short), audio, images, the rest.
  bool marginal = false;
  Rates rates{};  ///< a class without one keeps the row's own
  bool operator==(const PriceTier&) const = default;
};

/// In millionths, by protocol::ServiceTier.
using ServiceFactors = std::array<std::int64_t, 5>;
inline constexpr std::int64_t whole_factor = 1'000'000;
inline constexpr std::int64_t most_service_factor = 100 * whole_factor;

/// The dearest of a row, its tiers aside.
struct Dearest {
  std::uint64_t input = 0, output = 0;  ///< rates of any class
  std::int64_t service = 0;             ///< factor of any service tier
  bool operator==(const Dearest&) const = default;
};

/// What one model costs at one provider during some time.
struct PriceRow {
  std::string id;                         ///< names the row in the ledger: "openai/gpt-5.5@2026-04-01"
  std::optional<SystemTime> from, until;  ///< until: excluded
  Rates rates;
  std::vector<PriceTier> tiers;  ///< by threshold, the lowest first; all of them marginal, or none
  std::int64_t per_call = 0;     ///< nano-dollars per call
  std::int64_t per_search = 0;   ///< nano-dollars per million searches
  /// On everything but searches.
  ServiceFactors service_tiers{whole_factor, whole_factor, whole_factor, whole_factor, whole_factor};
  std::int64_t factor = whole_factor;  ///< `discount`, in millionths of the list price: 900'000 is 10 % off
  bool free = false;                   ///< costs nothing, and that is known
  std::string source;
  std::optional<Dearest> dearest;  ///< filled in by Price, for each request asks; without it worst_case() looks
  bool operator==(const PriceRow&) const = default;
};

/// What a call of this usage costs.
Money cost_of(const PriceRow& row, const protocol::Usage& usage);

/// The most that a call may come to whose prompt has at most `input` tokens, whose answers have at most `output`
/// together, and which makes at most so many searches: in the dearest class, tier and service tier that may apply to
/// it. The fee per call is in it. Tokens and searches are counted as cost_of counts them, so where a usage's parts are
/// larger than their whole, it is the parts that must be within.
Money worst_case(const PriceRow& row, std::uint64_t input, std::uint64_t output, std::uint64_t searches = 0);

/// All rows of one model at one provider.
class Price {
 public:
  explicit Price(std::vector<PriceRow> rows);
  /// Of those that hold at that time, the one that began last. Null: none does.
  const PriceRow* at(SystemTime when) const;
  const std::vector<PriceRow>& rows() const { return rows_; }

 private:
  std::vector<PriceRow> rows_;  ///< by begin, the earliest first
};

/// By provider and by the name that the provider knows the model by. Immutable once it is filled; any thread. What it
/// has handed out stays where it is.
class PriceBook {
 public:
  /// A model's name may end in "*". The first price that is added under a name stays.
  void add(std::string provider, std::string model, Price price);
  /// The model's own name, else the longest name that ends in "*" and covers it. Null: unknown.
  const Price* find(std::string_view provider, std::string_view model) const;
  bool empty() const { return providers_.empty(); }

 private:
  struct LongestFirst {
    bool operator()(const std::string& left, const std::string& right) const {
      return left.size() != right.size() ? left.size() > right.size() : left < right;
    }
  };
  struct Models {
    std::map<std::string, Price, std::less<>> names;
    std::map<std::string, Price, LongestFirst> prefixes;  ///< without the "*"
  };
  std::map<std::string, Models, std::less<>> providers_;
};

}  // namespace tollgate::policy
