#include "tollgate/protocol/http/crossing.hpp"

#include "tollgate/protocol/http/head.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::http {
namespace {

// Account scoping (openai-organization, openai-project) belongs to the provider's credential, not to the caller.
constexpr std::array<std::string_view, 7> request_fields{
    "accept", "anthropic-beta", "anthropic-version", "content-type", "idempotency-key", "openai-beta", "user-agent",
};

// content-encoding crosses although we ask for none: without it a body encoded all the same could not be read.
constexpr std::array<std::string_view, 28> response_fields{
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-should-retry",
};

/// The names of one list by length: most fields that do not cross are turned away by one look-up.
template <std::size_t count>
class NamesByLength {
 public:
  explicit consteval NamesByLength(const std::array<std::string_view, count>& names) : names_(names) {
    std::sort(names_.begin(), names_.end(), [](auto one, auto other) { return one.size() < other.size(); });
    for (const std::string_view name : names_) {
      for (std::size_t length = name.size() + 1; length < first_.size(); ++length) ++first_[length];
    }
  }

  bool has(std::string_view name) const {
    if (name.size() > longest) return false;
    for (std::size_t at = first_[name.size()]; at < first_[name.size() + 1]; ++at) {
      if (equals_ignoring_case(name, names_[at])) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t longest = 44;

  std::array<std::string_view, count> names_;
  std::array<std::uint8_t, longest + 2> first_{};  ///< where the names of a length begin
};

constexpr NamesByLength to_upstream(request_fields);
constexpr NamesByLength to_client(response_fields);

}  // namespace

bool crosses_to_upstream(std::string_view name) { return to_upstream.has(name); }
bool crosses_to_client(std::string_view name) { return to_client.has(name); }

std::span<const std::string_view> request_allow_list() { return request_fields; }
std::span<const std::string_view> response_allow_list() { return response_fields; }

}  // namespace tollgate::protocol::http
