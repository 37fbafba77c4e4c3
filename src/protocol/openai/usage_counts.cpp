// What the counts of one report mean together. Every rule here is a way in which some provider was seen to count, and
// where none fits, the report says nothing: a wrong number would be an invoice that nobody notices.
#include "protocol/openai/usage_counts.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

using json::Kind;

constexpr std::uint64_t most = std::uint64_t{1} << 53;

/// Nearly all counts are a few digits; whatever else a number may look like is read at leisure.
std::optional<std::uint64_t> count_of(std::string_view token) {
  constexpr std::size_t digits_below_most = 15;
  std::uint64_t count = 0;
  if (token.size() <= digits_below_most) {
    const char* at = token.data();
    const char* const end = at + token.size();
    for (; at != end; ++at) {
      const auto digit = static_cast<std::uint64_t>(*at) - '0';
      if (digit > 9) break;
      count = count * 10 + digit;
    }
    if (at == end) return count;
  }
  const auto number = json::whole_number(token);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

std::optional<std::uint64_t> ReportedCounts::read(json::Reader& reader) {
  const json::Value value = reader.take();
  if (value.is_null()) return std::nullopt;
  const auto count = value.kind == Kind::number ? count_of(value.text) : std::nullopt;
  if (!count) broken_ = true;
  return count;
}

void ReportedCounts::put(Count count, std::uint64_t value) {
  std::uint64_t& known = counts_[index(count)];
  // Some servers write two namings and leave one at 0.
  if (has(count)) {
    if (known != 0 && value != 0 && known != value) broken_ = true;
    value = std::max(known, value);
  }
  known = value;
  present_ |= 1u << index(count);
}

bool ReportedCounts::tells_something() const {
  if (has_any(Count::prompt, Count::input, Count::output)) return true;
  return (anthropic_cache && (has(Count::cached) || has(Count::cache_write))) ||
         (reasoning_apart && has(Count::reasoning));
}

bool ReportedCounts::put_into(std::optional<UsagePart>& into) const {
  into.reset();
  if (broken_ || !tells_something()) return false;
  UsagePart& part = into.emplace();
  part.searches = maybe(Count::searches);
  const bool believed = put_cache_write(part) && put_input(part) && put_output(part);
  if (!believed) into.reset();
  return believed;
}

bool ReportedCounts::put_cache_write(UsagePart& part) const {
  part.cache_write = maybe(Count::cache_write);
  if (!has_any(Count::cache_write_short, Count::cache_write_long)) return true;
  const std::uint64_t listed = (*this)[Count::cache_write_short] + (*this)[Count::cache_write_long];
  part.cache_write_long = (*this)[Count::cache_write_long];
  if (!part.cache_write) part.cache_write = listed;
  return listed <= *part.cache_write;
}

bool ReportedCounts::put_input(UsagePart& part) const {
  const std::uint64_t cache = (*this)[Count::cached] + part.cache_write.value_or(0);
  const std::uint64_t prompt = (*this)[Count::prompt] + (*this)[Count::tool_prompt];
  const std::uint64_t input = (*this)[Count::input];
  // Both names, both with a count: equal, or the second one is without the cache.
  if (prompt != 0 && input != 0 && prompt != input && prompt != input + cache) return false;
  part.cached_input = maybe(Count::cached);
  part.cache_apart = anthropic_cache && !openai_cache && prompt == 0;
  if (has_any(Count::prompt, Count::input)) part.input = std::max(prompt, input);
  return put_input_parts(part);
}

bool ReportedCounts::put_input_parts(UsagePart& part) const {
  const std::uint64_t audio = (*this)[Count::audio_input];
  const std::uint64_t image = (*this)[Count::image_input];
  if (has(Count::audio_input)) {
    if ((*this)[Count::cached_audio] > audio) return false;
    part.audio_input = audio - (*this)[Count::cached_audio];
  }
  if (has(Count::image_input)) {
    if ((*this)[Count::cached_image] > image) return false;
    part.image_input = image - (*this)[Count::cached_image];
  }
  if (!part.input) return true;
  const std::uint64_t cache = part.cached_input.value_or(0) + part.cache_write.value_or(0);
  const std::uint64_t whole = *part.input + (part.cache_apart ? cache : 0);
  if (whole > most || cache > whole || audio + image > whole) return false;
  if (!has_any(Count::audio_input, Count::image_input)) return true;
  // Who does not say how much of the audio and images was cached may have counted some of them twice.
  std::uint64_t room = whole - cache;
  for (auto* const counted : {&part.audio_input, &part.image_input}) {
    if (!*counted) continue;
    *counted = std::min(**counted, room);
    room -= **counted;
  }
  return true;
}

/// Whether `reasoning` is not in `output` yet.
bool ReportedCounts::beside_output(const UsagePart& part) const {
  if (reasoning_apart) return true;
  if (!has(Count::output) || !has(Count::reasoning)) return false;
  const std::uint64_t output = (*this)[Count::output];
  const std::uint64_t reasoning = (*this)[Count::reasoning];
  if (reasoning > output) return true;
  return reasoning != 0 && part.input && (*this)[Count::total] == *part.input + output + reasoning;
}

/// What the total holds beyond prompt and output where no reasoning is named: Gemini's compatible endpoint leaves it at
/// that. Not where it is just what was cached: then the total counts that twice.
std::uint64_t ReportedCounts::unnamed_output(const UsagePart& part) const {
  if (!has(Count::output) || !part.input || part.cache_apart || (*this)[Count::reasoning] != 0) return 0;
  const std::uint64_t named = *part.input + (*this)[Count::output];
  const std::uint64_t total = (*this)[Count::total];
  if (total <= named) return 0;
  const std::uint64_t cache = part.cached_input.value_or(0) + part.cache_write.value_or(0);
  return total - named == cache ? 0 : total - named;
}

bool ReportedCounts::put_output(UsagePart& part) const {
  if (has(Count::output)) part.output = (*this)[Count::output] + unnamed_output(part);
  part.reasoning_apart = beside_output(part);
  if (has_any(Count::reasoning, Count::audio_output, Count::image_output)) {
    part.reasoning = maybe(Count::reasoning);
    part.audio_output = maybe(Count::audio_output);
    part.image_output = maybe(Count::image_output);
  }
  if (!part.output) return true;
  const std::uint64_t reasoning = (*this)[Count::reasoning];
  const std::uint64_t whole = *part.output + (part.reasoning_apart ? reasoning : 0);
  return whole <= most && reasoning + (*this)[Count::audio_output] + (*this)[Count::image_output] <= whole;
}

}  // namespace tollgate::protocol::openai
