// Usage objects as servers write them: two namings, details nested or flat.
// Counts that cannot be true are no counts, so that nobody is charged by them.
#include "protocol/openai/usage.hpp"

#include "protocol/json_text.hpp"
#include "protocol/same.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;

class UsageReader {
 public:
  explicit UsageReader(Reader& reader) : reader_(reader) {}

  std::optional<Usage> run() {
    while (reader_.next_member()) read_member(reader_.key());
    if (!known_ || broken_) return std::nullopt;
    return usage_;
  }

 private:
  void read_member(std::string_view key) {
    if (same(key, "prompt_tokens") || same(key, "input_tokens")) {
      known_ |= read_count(usage_.input);
    } else if (same(key, "completion_tokens") || same(key, "output_tokens")) {
      known_ |= read_count(usage_.output);
    } else if (same(key, "prompt_tokens_details") || same(key, "input_tokens_details") ||
               same(key, "input_token_details")) {
      read_detail("cached_tokens", usage_.cached_input);
    } else if (same(key, "completion_tokens_details") || same(key, "output_tokens_details") ||
               same(key, "output_token_details")) {
      read_detail("reasoning_tokens", usage_.reasoning);
    } else if (same(key, "prompt_cache_hit_tokens")) {
      read_count(usage_.cached_input);
    } else {
      reader_.take();
    }
  }

  /// Some servers write both namings and leave one at 0, so the larger counts. False where there is no count.
  bool read_count(std::uint64_t& count) {
    const json::Value value = reader_.take();
    if (value.is_null()) return false;
    const auto number = value.kind == Kind::number ? json::whole_number(value.text) : std::nullopt;
    if (!number || *number < 0) {
      broken_ = true;
      return false;
    }
    count = std::max(count, static_cast<std::uint64_t>(*number));
    return true;
  }

  void read_detail(std::string_view name, std::uint64_t& count) {
    if (!reader_.enter_object()) {
      reader_.take();
      return;
    }
    while (reader_.next_member()) {
      if (reader_.key() == name) {
        read_count(count);
      } else {
        reader_.take();
      }
    }
  }

  Reader& reader_;
  Usage usage_;
  bool known_ = false;
  bool broken_ = false;
};

}  // namespace

std::optional<Usage> take_usage(Reader& reader) {
  if (!reader.enter_object()) {
    reader.take();
    return std::nullopt;
  }
  return UsageReader(reader).run();
}

std::optional<Usage> take_nested_usage(Reader& reader) {
  std::optional<Usage> usage;
  if (!reader.enter_object()) {
    reader.take();
    return usage;
  }
  while (reader.next_member()) {
    if (same(reader.key(), "usage")) {
      usage = take_usage(reader);
    } else {
      reader.take();
    }
  }
  return usage;
}

}  // namespace tollgate::protocol::openai
