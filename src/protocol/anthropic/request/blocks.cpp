#include "protocol/anthropic/request/blocks.hpp"

#include "protocol/json_pick.hpp"

namespace tollgate::protocol::anthropic::request {
namespace {

constexpr std::string_view short_mark = R"("cache_control":{"type":"ephemeral"},)";
constexpr std::string_view hour_mark = R"("cache_control":{"type":"ephemeral","ttl":"1h"},)";

std::string_view text_of(bool hour) { return hour ? hour_mark : short_mark; }

}  // namespace

void Marked::append(const Marked& other) {
  for (const Mark& mark : other.marks) marks.push_back({text.size() + mark.begin, text.size() + mark.end, mark.hour});
  text += other.text;
}

json::Writer Blocks::next() {
  if (!empty()) written_.text += ',';
  last_ = written_.text.size();
  return json::Writer(written_.text);
}

void Blocks::mark_last(CacheMark mark) {
  if (empty() || (!written_.marks.empty() && written_.marks.back().begin > last_)) return;
  const std::size_t at = last_ + 1;
  written_.text.insert(at, text_of(mark.hour));
  written_.marks.push_back({at, at + text_of(mark.hour).size(), mark.hour});
}

void Blocks::clear() {
  written_.text.clear();
  written_.marks.clear();
  last_ = 0;
}

void Blocks::cut_back(std::size_t size) {
  written_.text.resize(size);
  while (!written_.marks.empty() && written_.marks.back().begin >= size) written_.marks.pop_back();
}

std::optional<CacheMark> read_cache_lifetime(const json::Value& lifetime) {
  if (lifetime.kind == json::Kind::none || lifetime.is_null()) return CacheMark{};
  for (const std::string_view text : {"\"5m\"", "\"30m\""})
    if (lifetime.text == text) return CacheMark{};
  for (const std::string_view text : {"\"1h\"", "\"12h\"", "\"24h\""})
    if (lifetime.text == text) return CacheMark{.hour = true};
  return std::nullopt;
}

bool read_cache_mark(const json::Value& control, const json::Value& breakpoint, bool breakpoint_hour,
                     std::optional<CacheMark>& mark, Findings& findings) {
  constexpr std::string_view of_breakpoint = "prompt_cache_breakpoint", of_control = "cache_control";
  if (breakpoint.kind == json::Kind::object) {
    if (json::pick(breakpoint.text, "mode").text == "\"explicit\"") mark = CacheMark{breakpoint_hour};
  } else if (breakpoint.kind != json::Kind::none && !breakpoint.is_null()) {
    return findings.refuse("'prompt_cache_breakpoint' must be an object", of_breakpoint);
  }
  if (control.kind == json::Kind::none || control.is_null()) return true;
  const auto [type, lifetime] = json::pick<2>(control.text, {"type", "ttl"});
  if (type.text != "\"ephemeral\"")
    return findings.refuse("'cache_control' must be an object of the type \"ephemeral\"", of_control);
  mark = read_cache_lifetime(lifetime);
  if (!mark) return findings.refuse("'cache_control.ttl' must be \"5m\" or \"1h\"", of_control, unsupported_value);
  return true;
}

void limit_marks(std::initializer_list<Marked*> texts, std::size_t room) {
  std::size_t count = 0;
  for (const Marked* text : texts) count += text->marks.size();
  std::size_t spare = count > room ? count - room : 0;
  bool after_short = false;
  for (Marked* text : texts) {
    if (text->marks.empty()) continue;
    std::string kept;
    kept.reserve(text->text.size());
    std::size_t at = 0;
    for (const Marked::Mark& mark : text->marks) {
      kept.append(text->text, at, mark.begin - at);
      at = mark.end;
      if (spare > 0) {
        --spare;
        continue;
      }
      after_short |= !mark.hour;
      kept += text_of(!after_short);
    }
    kept.append(text->text, at);
    text->text = std::move(kept);
    text->marks.clear();
  }
}

}  // namespace tollgate::protocol::anthropic::request
