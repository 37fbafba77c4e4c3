// Usage objects as servers write them: two namings, details nested or flat, and what stands beside them.
// Names only; what the counts mean together is said in usage_counts.cpp.
#include "protocol/openai/usage.hpp"

#include "protocol/openai/usage_counts.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;

class UsageReader {
 public:
  explicit UsageReader(Reader& reader) : reader_(reader) {}

  void run(std::optional<UsagePart>& into) {
    while (reader_.next_member()) read_member(reader_.key());
    if (counts_.put_into(into)) into->tier = fast_ ? ServiceTier::fast : tier_;
  }

 private:
  // By length, so that a name is held against one or two others.
  void read_member(std::string_view key) {
    switch (key.size()) {
      case 5:
        if (same(key, "speed")) return read_speed();
        break;
      case 12:
        if (same(key, "total_tokens")) return take(Count::total);
        if (same(key, "input_tokens")) return take(Count::input);
        if (same(key, "service_tier")) return read_tier();
        break;
      case 13:
        if (same(key, "prompt_tokens")) return take(Count::prompt);
        if (same(key, "output_tokens")) return take(Count::output);
        if (same(key, "cached_tokens")) return take_cached();  // Moonshot
        break;
      case 14:
        if (same(key, "cache_creation")) return read_cache_creation();
        break;
      case 15:
        if (same(key, "server_tool_use")) return read_server_tools();
        break;
      case 16:
        if (same(key, "num_sources_used")) return take(Count::searches);   // xAI
        if (same(key, "reasoning_tokens")) return take(Count::reasoning);  // Perplexity
        break;
      case 17:
        if (same(key, "completion_tokens")) return take(Count::output);
        break;
      case 18:
        if (same(key, "num_search_queries")) return take(Count::searches);  // Perplexity
        break;
      default: return read_long_name(key);
    }
    reader_.take();
  }

  void read_long_name(std::string_view key) {
    if (same(key, "prompt_tokens_details") || same(key, "input_tokens_details") || same(key, "input_token_details"))
      return read_object([this](std::string_view name) { read_input_detail(name); });
    if (same(key, "completion_tokens_details") || same(key, "output_tokens_details") ||
        same(key, "output_token_details"))
      return read_object([this](std::string_view name) { read_output_detail(name); });
    if (same(key, "prompt_cache_hit_tokens")) return take_cached();  // DeepSeek
    if (same(key, "cache_read_input_tokens")) return take_anthropic_cache(Count::cached);
    if (same(key, "cache_creation_input_tokens")) return take_anthropic_cache(Count::cache_write);
    reader_.take();
  }

  void read_input_detail(std::string_view name) {
    if (same(name, "cached_tokens")) return take_cached();
    if (same(name, "audio_tokens")) return take(Count::audio_input);
    if (same(name, "image_tokens")) return take(Count::image_input);
    if (same(name, "cache_write_tokens")) {
      counts_.openai_cache = true;
      return take(Count::cache_write);
    }
    if (same(name, "cached_tokens_details"))
      return read_pair("audio_tokens", Count::cached_audio, "image_tokens", Count::cached_image);
    if (same(name, "cache_write_tokens_details"))
      return read_pair("ttl_30m_tokens", Count::cache_write_short, "ttl_12h_tokens", Count::cache_write_long);
    reader_.take();
  }

  // Tokens of accepted and rejected predictions are part of the output and priced as such.
  void read_output_detail(std::string_view name) {
    if (same(name, "reasoning_tokens") || same(name, "thinking_tokens")) return take(Count::reasoning);
    if (same(name, "audio_tokens")) return take(Count::audio_output);
    if (same(name, "image_tokens")) return take(Count::image_output);
    reader_.take();
  }

  void read_cache_creation() {
    counts_.anthropic_cache = true;
    read_pair("ephemeral_5m_input_tokens", Count::cache_write_short, "ephemeral_1h_input_tokens",
              Count::cache_write_long);
  }

  void read_server_tools() {
    read_object([this](std::string_view name) {
      if (same(name, "web_search_requests")) return take(Count::searches);
      reader_.take();
    });
  }

  void read_pair(std::string_view first_name, Count first, std::string_view second_name, Count second) {
    read_object([&](std::string_view name) {
      if (name == first_name) return take(first);
      if (name == second_name) return take(second);
      reader_.take();
    });
  }

  /// What is no object there has no details.
  template <typename ReadMember>
  void read_object(ReadMember read_member) {
    if (!reader_.enter_object()) {
      reader_.take();
      return;
    }
    while (reader_.next_member()) read_member(reader_.key());
  }

  void take(Count count) { counts_.take(reader_, count); }
  void take_cached() {
    counts_.openai_cache = true;
    take(Count::cached);
  }
  void take_anthropic_cache(Count count) {
    counts_.anthropic_cache = true;
    take(count);
  }

  void read_tier() { tier_ = tier_of(reader_.take().text); }
  void read_speed() { fast_ = reader_.take().text == R"("fast")"; }

  Reader& reader_;
  ReportedCounts counts_;
  std::optional<ServiceTier> tier_;
  bool fast_ = false;
};

}  // namespace

void take_usage(Reader& reader, std::optional<UsagePart>& into) {
  if (reader.enter_object()) UsageReader(reader).run(into);
}

std::optional<ServiceTier> tier_of(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  const std::string_view name = value.substr(1, value.size() - 2);
  if (same(name, "default") || same(name, "standard") || same(name, "on_demand")) return ServiceTier::standard;
  if (same(name, "priority")) return ServiceTier::priority;
  if (same(name, "flex")) return ServiceTier::flex;
  if (same(name, "batch")) return ServiceTier::batch;
  if (same(name, "fast")) return ServiceTier::fast;
  return std::nullopt;
}

void UsageFinder::take_report(Reader& reader, void (*read)(Reader&, std::optional<UsagePart>&)) {
  if (reader.peek() == Kind::object) {
    seen_ = true;
    read(reader, part_);
  } else {
    reader.take();
  }
}

void UsageFinder::take_tool_usage(Reader& reader) {
  if (!reader.enter_object()) {
    reader.take();
    return;
  }
  ReportedCounts counts;
  while (reader.next_member()) {
    const bool entered = same(reader.key(), "web_search") && reader.enter_object();
    if (!entered) {
      reader.take();
      continue;
    }
    while (reader.next_member()) {
      if (same(reader.key(), "num_requests")) {
        counts.take(reader, Count::searches);
      } else {
        reader.take();
      }
    }
  }
  if (counts.has(Count::searches)) searches_ = counts[Count::searches];
}

const UsagePart& UsageFinder::part() {
  UsagePart& part = *part_;
  if (!part.tier && !tier_.empty()) part.tier = tier_of(tier_);
  if (!part.searches) part.searches = searches_;
  // A report of Anthropic's that does not name the cache is still without it: an earlier one may have named it.
  if (type_.starts_with(R"("message)") && !part.cached_input && !part.cache_write) part.cache_apart = true;
  return part;
}

void take_nested_usage(Reader& reader, std::optional<UsagePart>& into) {
  if (!reader.enter_object()) {
    reader.take();
    return;
  }
  UsageFinder usage;
  while (reader.next_member()) {
    if (!usage.take(reader)) reader.take();
  }
  if (usage.found()) into = usage.part();
}

}  // namespace tollgate::protocol::openai
