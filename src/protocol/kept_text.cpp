// The two ends of a long text, decoded. What matters of a prompt is asked in its first and last lines, so nothing is
// spent on the megabytes that may lie between.
#include "protocol/kept_text.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::protocol::json {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Whether the backslash at `at` begins an escape, and is not the second half of one.
bool begins_escape(std::string_view inside, std::size_t at) {
  std::size_t run = 0;
  while (run <= at && inside[at - run] == '\\') ++run;
  return run % 2 == 1;
}

/// Whether a `\uXXXX` at `at` is a half of a pair: its second digit, made small, is one of these.
bool is_half(std::string_view inside, std::size_t at, std::string_view digits) {
  if (at + 6 > inside.size() || inside[at] != '\\' || inside[at + 1] != 'u') return false;
  const char digit = inside[at + 3];
  return (inside[at + 2] | 0x20) == 'd' &&
         digits.find(digit >= 'A' ? static_cast<char>(digit | 0x20) : digit) != digits.npos;
}
bool is_high_half(std::string_view inside, std::size_t at) { return is_half(inside, at, "89ab"); }
bool is_low_half(std::string_view inside, std::size_t at) { return is_half(inside, at, "cdef"); }

void append_decoded(std::string& out, std::string_view inside) {
  while (!inside.empty()) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    out.append(inside.substr(0, plain));
    inside.remove_prefix(plain);
    if (inside.empty()) return;
    std::size_t length = std::max<std::size_t>(escape_length(inside), 1);
    if (is_high_half(inside, 0) && is_low_half(inside, length)) length += 6;
    out.append(decode_lossy(inside.substr(0, length)));
    inside.remove_prefix(length);
  }
}

}  // namespace

std::size_t cut_before(std::string_view inside, std::size_t at) {
  if (at >= inside.size()) return inside.size();
  constexpr std::size_t longest_escape = 6;
  for (std::size_t back = 1; back < longest_escape && back <= at; ++back) {
    if (inside[at - back] != '\\') continue;
    if (begins_escape(inside, at - back) && escape_length(inside.substr(at - back)) > back) at -= back;
    break;
  }
  if (at >= 6 && is_low_half(inside, at) && is_high_half(inside, at - 6) && begins_escape(inside, at - 6))
    return at - 6;
  std::size_t character = at;
  while (character > 0 && at - character < 3 && is_continuation(inside[character])) --character;
  return is_continuation(inside[character]) ? at : character;
}

void KeptText::add(std::string_view inside) {
  length_ += inside.size();
  if (std::exchange(any_, true)) (head_full_ ? tail_ : head_) += '\n';
  if (!head_full_) {
    const std::size_t room = most_head_ - std::min(head_.size(), most_head_);
    const std::size_t cut = cut_before(inside, room);
    append_decoded(head_, inside.substr(0, cut));
    head_full_ = head_.size() >= most_head_ || cut < inside.size();
    inside.remove_prefix(cut);
  }
  if (inside.size() > most_tail_) {
    inside.remove_prefix(cut_before(inside, inside.size() - most_tail_));
    tail_.clear();
    left_out_ = true;
  }
  append_decoded(tail_, inside);
  if (tail_.size() > 2 * most_tail_) trim_tail(most_tail_);
}

void KeptText::trim_tail(std::size_t to) {
  std::size_t begin = tail_.size() - to;
  for (std::size_t moved = 0; moved < 3 && begin < tail_.size() && is_continuation(tail_[begin]); ++moved) ++begin;
  tail_.erase(0, begin);
  left_out_ = true;
}

std::string KeptText::text() const {
  KeptText last = *this;
  if (last.tail_.size() > most_tail_) last.trim_tail(most_tail_);
  return last.head_ + (last.left_out_ ? "\n" : "") + last.tail_;
}

}  // namespace tollgate::protocol::json
