#include "tollgate/protocol/usage_part.hpp"

#include <algorithm>

namespace tollgate::protocol {
namespace {

void put(std::uint64_t& into, const std::optional<std::uint64_t>& count) {
  if (count) into = *count;
}

std::uint64_t rest(std::uint64_t whole, std::uint64_t part) { return whole - std::min(whole, part); }

std::uint64_t at_cache(const Usage& usage) { return usage.cached_input + usage.cache_write + usage.cache_write_long; }

void merge_input(Usage& into, const UsagePart& part) {
  const std::uint64_t fresh = part.cache_apart ? part.input.value_or(rest(into.input, at_cache(into))) : 0;
  put(into.cached_input, part.cached_input);
  const std::uint64_t written = part.cache_write.value_or(into.cache_write + into.cache_write_long);
  put(into.cache_write_long, part.cache_write_long);
  into.cache_write_long = std::min(into.cache_write_long, written);
  into.cache_write = written - into.cache_write_long;
  put(into.audio_input, part.audio_input);
  put(into.image_input, part.image_input);
  if (part.cache_apart) {
    into.input = fresh + at_cache(into);
  } else {
    put(into.input, part.input);
  }
  into.input = std::max(into.input, at_cache(into) + into.audio_input + into.image_input);
}

void merge_output(Usage& into, const UsagePart& part) {
  const std::uint64_t visible = part.reasoning_apart ? part.output.value_or(rest(into.output, into.reasoning)) : 0;
  put(into.reasoning, part.reasoning);
  put(into.audio_output, part.audio_output);
  put(into.image_output, part.image_output);
  if (part.reasoning_apart) {
    into.output = visible + into.reasoning;
  } else {
    put(into.output, part.output);
  }
  into.output = std::max(into.output, into.reasoning + into.audio_output + into.image_output);
}

}  // namespace

void merge(std::optional<Usage>& into, const UsagePart& part) {
  Usage& usage = into ? *into : into.emplace();
  merge_input(usage, part);
  merge_output(usage, part);
  put(usage.searches, part.searches);
  if (part.tier) usage.tier = *part.tier;
}

}  // namespace tollgate::protocol
