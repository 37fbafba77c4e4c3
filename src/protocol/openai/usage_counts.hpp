#pragma once
// The counts of one report by what they are called, and what they mean together. Names differ between dialects and so
// does what a count includes; the sum that most of them give tells the two readings apart.
#include "tollgate/protocol/usage_part.hpp"

#include "protocol/json_scan.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace tollgate::protocol::openai {

enum class Count : std::uint8_t {
  prompt,       ///< the prompt by a name that means all of it
  tool_prompt,  ///< what tools put into the prompt, beside the one above
  input,  ///< the prompt by the name that OpenAI uses for all of it and Anthropic for what is neither read nor written
  output,
  total,
  cached,
  cache_write,  ///< for both times
  cache_write_short,
  cache_write_long,
  audio_input,  ///< cached or not
  image_input,
  cached_audio,  ///< of cached
  cached_image,
  reasoning,
  audio_output,
  image_output,
  searches,
};

/// Collects the counts of one report and says what they come to. A report is believed whole or not at all: it is broken
/// by one count that is no whole number from 0 to 2^53, by two different ones under one meaning (but that one of them
/// may be 0), and by parts that are larger than their whole under any reading that some provider is known for.
class ReportedCounts {
 public:
  /// Takes the next value as that count; null is none.
  void take(json::Reader& reader, Count count) {
    if (const auto value = read(reader)) put(count, *value);
  }
  /// Takes the next value. Nothing where it is null, or no count: then the report is broken.
  std::optional<std::uint64_t> read(json::Reader& reader);
  void put(Count count, std::uint64_t value);

  bool has(Count count) const { return (present_ >> index(count) & 1u) != 0; }
  /// 0 where there is none.
  std::uint64_t operator[](Count count) const { return counts_[index(count)]; }

  /// Cached input was named as Anthropic names it, who leaves it out of `input`.
  bool anthropic_cache = false;
  /// Cached input was named as OpenAI names it, who counts it into `input`.
  bool openai_cache = false;
  /// By the dialect's rule reasoning is beside `output`, not in it.
  bool reasoning_apart = false;

  /// What they come to. Nothing, and false, where the report is broken or names neither prompt nor output.
  bool put_into(std::optional<UsagePart>& into) const;

 private:
  template <typename... Counts>
  bool has_any(Counts... counts) const {
    return (present_ & ((1u << index(counts)) | ...)) != 0;
  }
  static constexpr unsigned index(Count count) { return static_cast<unsigned>(count); }
  std::optional<std::uint64_t> maybe(Count count) const {
    return has(count) ? std::optional((*this)[count]) : std::nullopt;
  }
  bool tells_something() const;
  bool put_cache_write(UsagePart& part) const;
  bool put_input(UsagePart& part) const;
  bool put_input_parts(UsagePart& part) const;
  bool put_output(UsagePart& part) const;
  bool beside_output(const UsagePart& part) const;
  std::uint64_t unnamed_output(const UsagePart& part) const;

  std::array<std::uint64_t, 17> counts_{};
  std::uint32_t present_ = 0;
  bool broken_ = false;
};

}  // namespace tollgate::protocol::openai
