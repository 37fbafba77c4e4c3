// Gemini's own report, by its native endpoints. Prompt and cache are counted as at OpenAI, thoughts beside the answer.
#include "protocol/openai/usage.hpp"
#include "protocol/openai/usage_counts.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Reader;

class UsageMetadataReader {
 public:
  explicit UsageMetadataReader(Reader& reader) : reader_(reader) { counts_.reasoning_apart = true; }

  void run(std::optional<UsagePart>& into) {
    while (reader_.next_member()) read_member(reader_.key());
    counts_.put_into(into);
  }

 private:
  void read_member(std::string_view key) {
    if (same(key, "promptTokenCount")) return counts_.take(reader_, Count::prompt);
    if (same(key, "toolUsePromptTokenCount")) return counts_.take(reader_, Count::tool_prompt);
    if (same(key, "cachedContentTokenCount")) return counts_.take(reader_, Count::cached);
    if (same(key, "candidatesTokenCount")) return counts_.take(reader_, Count::output);
    if (same(key, "thoughtsTokenCount")) return counts_.take(reader_, Count::reasoning);
    if (same(key, "promptTokensDetails")) return read_modalities(Count::audio_input, Count::image_input);
    if (same(key, "cacheTokensDetails")) return read_modalities(Count::cached_audio, Count::cached_image);
    if (same(key, "candidatesTokensDetails")) return read_modalities(Count::audio_output, Count::image_output);
    reader_.take();
  }

  /// [{"modality": "AUDIO", "tokenCount": 7}, ...]
  void read_modalities(Count audio, Count image) {
    if (!reader_.enter_array()) {
      reader_.take();
      return;
    }
    while (reader_.next_element()) read_modality(audio, image);
  }

  void read_modality(Count audio, Count image) {
    if (!reader_.enter_object()) {
      reader_.take();
      return;
    }
    std::string_view modality;
    std::optional<std::uint64_t> count;
    while (reader_.next_member()) {
      if (same(reader_.key(), "modality")) {
        modality = reader_.take().text;
      } else if (same(reader_.key(), "tokenCount")) {
        count = counts_.read(reader_);
      } else {
        reader_.take();
      }
    }
    if (count && modality == R"("AUDIO")") counts_.put(audio, *count);
    if (count && modality == R"("IMAGE")") counts_.put(image, *count);
  }

  Reader& reader_;
  ReportedCounts counts_;
};

}  // namespace

void take_usage_metadata(Reader& reader, std::optional<UsagePart>& into) {
  if (reader.enter_object()) UsageMetadataReader(reader).run(into);
}

}  // namespace tollgate::protocol::openai
