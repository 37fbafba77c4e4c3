// Models wrap JSON into a fence although they are asked not to. Whether the text is in one shows a few bytes into it,
// and whether one ends it shows only in the end: so this holds what may be a fence, and looks at it byte by byte.
#include "protocol/anthropic/answer/code_fence.hpp"

#include <algorithm>
#include <cstddef>

namespace tollgate::protocol::anthropic::answer {
namespace {

constexpr std::size_t least_ticks = 3;
constexpr std::size_t most_ticks = 16;
constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t most_blanks = 64;
constexpr std::size_t longest_word = 16;

bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-';
}

std::size_t run_of(std::string_view text, std::string_view bytes) {
  return std::min(text.find_first_not_of(bytes), text.size());
}

enum class Match { no, so_far, whole };

/// Takes the backticks off the front of what may be a fence.
Match take_ticks(std::string_view& text) {
  const std::size_t count = run_of(text, "`");
  text.remove_prefix(count);
  if (count > most_ticks || (count < least_ticks && !text.empty())) return Match::no;
  return count < least_ticks ? Match::so_far : Match::whole;
}

/// Whether a text is the opening fence; one without a line's end is so once JSON begins.
Match match_opening(std::string_view text) {
  const std::size_t before = run_of(text, blanks);
  if (before > most_blanks) return Match::no;
  text.remove_prefix(before);
  if (const Match ticks = take_ticks(text); ticks != Match::whole) return ticks;
  const auto word = static_cast<std::size_t>(std::ranges::find_if_not(text, is_word) - text.begin());
  if (word > longest_word) return Match::no;
  text.remove_prefix(word);
  const std::size_t after = run_of(text, " \t\r");
  if (after > most_blanks) return Match::no;
  text.remove_prefix(after);
  if (text.empty()) return Match::so_far;
  return text.front() == '\n' || text.front() == '{' || text.front() == '[' ? Match::whole : Match::no;
}

/// Whether a text is the closing fence with all that may stand around it.
Match match_closing(std::string_view text) {
  if (text.starts_with('\r')) text.remove_prefix(1);
  if (text.starts_with('\n')) text.remove_prefix(1);
  if (const Match ticks = take_ticks(text); ticks != Match::whole) return ticks;
  return run_of(text, blanks) == text.size() && text.size() <= most_blanks ? Match::whole : Match::no;
}

}  // namespace

void CodeFence::take(std::string_view text, std::string& out) {
  while (!text.empty()) {
    if (place_ == Place::none) {
      out += text;
      return;
    }
    if (place_ == Place::inside && held_.empty()) {
      const std::size_t plain = std::min(text.find_first_of("\r\n`"), text.size());
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      if (text.empty()) return;
    }
    const char byte = text.front();
    text.remove_prefix(1);
    if (place_ == Place::before)
      take_opening(byte, out);
    else
      take_inside(byte, out);
  }
}

void CodeFence::take_opening(char byte, std::string& out) {
  held_ += byte;
  const Match match = match_opening(held_);
  if (match == Match::so_far) return;
  place_ = match == Match::whole ? Place::inside : Place::none;
  if (match == Match::no)
    out += held_;
  else if (byte != '\n')
    out += byte;
  held_.clear();
}

void CodeFence::take_inside(char byte, std::string& out) {
  held_ += byte;
  while (!held_.empty() && match_closing(held_) == Match::no) {
    out += held_.front();
    held_.erase(0, 1);
  }
}

void CodeFence::end(std::string& out) {
  if (place_ != Place::inside || match_closing(held_) != Match::whole) out += held_;
  held_.clear();
  place_ = Place::none;
}

}  // namespace tollgate::protocol::anthropic::answer
