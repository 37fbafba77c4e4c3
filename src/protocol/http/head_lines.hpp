#pragma once
// The first of the two passes over a head: where its lines end, and that no byte in it is one no line may hold. It
// costs less than one instruction per byte, so a sender of single bytes, for whom it runs again each time, gains
// nothing.
#include "tollgate/protocol/http/head.hpp"

#include "protocol/http/characters.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::http {

/// Where requests and responses differ in what a field line may hold.
struct FieldRules {
  bool underscore_names = false;
  bool obs_text_values = false;
};
inline constexpr FieldRules request_field_rules{};
inline constexpr FieldRules response_field_rules{.underscore_names = true, .obs_text_values = true};

/// Why a line is refused for the byte at `at`; `end` is the end of what has been read.
std::string_view line_fault(const char* at, const char* end, bool first_line);

/// Why a field line is refused whose name stops at `stop` without a colon, or is empty.
std::string_view name_fault(const char* begin, const char* stop, bool first_field);

/// The lines of a head, CR LF taken off. Lines beyond `most_lines` are not looked for.
template <FieldRules rules>
class HeadLines {
 public:
  enum class State : std::uint8_t { incomplete, complete, broken, too_many };

  explicit HeadLines(std::string_view bytes, std::size_t most_lines)
      : end_(bytes.data() + bytes.size()), most_lines_(most_lines) {
    const char* at = bytes.data();
    begins_[0] = at;
#if defined(__SSE2__)
    const char* const blocks_end = at + bytes.size() / block_size * block_size;
    for (; at != blocks_end; at += block_size) {
      auto stops = static_cast<unsigned>(_mm_movemask_epi8(LineStop<rules.obs_text_values>::block(load_block(at))));
      while (stops != 0) {
        const int bit = std::countr_zero(stops);
        const unsigned done = take(at + bit);
        if (done == 0) return;
        stops &= ~(done << bit);
      }
    }
#endif
    for (; at != end_; ++at) {
      if (LineStop<rules.obs_text_values>::byte(*at) && take(at) == 0) return;
    }
  }

  State state() const { return state_; }
  std::string_view reason() const { return reason_; }  ///< when broken
  std::size_t size() const { return size_; }           ///< of the head, when complete

  /// Whole lines found, the empty line not counted; the first is the start line.
  std::size_t count() const { return count_; }
  const char* begin_of(std::size_t line) const { return begins_[line]; }
  const char* end_of(std::size_t line) const { return begins_[line + 1] - 2; }

  /// Takes a field line apart. False where its name is not one: name_fault() says why.
  bool split(std::size_t line, Field& field) const {
    const char* const begin = begin_of(line);
    const char* const colon = name_end(begin);
    if (*colon != ':' || colon == begin) return false;
    const char* value = colon + 1;
    const char* last = end_of(line);
    while (is_white_in_line(last[-1])) --last;  // stops at the colon, if not before
    if (value != last) {
      while (is_white_in_line(*value)) ++value;
    }
    field.name = {begin, static_cast<std::size_t>(colon - begin)};
    field.value = {value, static_cast<std::size_t>(last - value)};
    return true;
  }
  std::string_view name_fault_in(std::size_t line) const {
    return name_fault(begin_of(line), name_end(begin_of(line)), line == 1);
  }

 private:
  /// SP and HTAB are the only bytes up to 0x20 that the scan leaves inside a line.
  static bool is_white_in_line(char c) { return static_cast<unsigned char>(c) <= ' '; }

  /// Deals with a byte at which LineStop stops. Bit 0 is set for that byte, bit 1 if the next one is done with as well;
  /// none where the scan ends.
  unsigned take(const char* at) {
    if (*at == '\r' && at + 1 != end_ && at[1] == '\n') return take_line_end(at) ? 3 : 0;
    if (*at == '\t' || (*at == '\n' && at + 1 == begins_[count_] && count_ != 0)) return 1;
    reason_ = line_fault(at, end_, count_ == 0);
    if (!reason_.empty()) state_ = State::broken;
    return 0;
  }

  bool take_line_end(const char* at) {
    if (at == begins_[count_] && count_ != 0) {
      state_ = State::complete;
      size_ = static_cast<std::size_t>(at + 2 - begins_[0]);
      return false;
    }
    if (count_ == most_lines_) {
      state_ = State::too_many;
      return false;
    }
    begins_[++count_] = at + 2;
    return true;
  }

  const char* name_end(const char* at) const {
    while (true) {
      at = scan_to<PlainNameStop>(at, end_);
      if (*at == ':' || !is(*at, token_characters) || (*at == '_' && !rules.underscore_names)) return at;
      ++at;
    }
  }

  const char* end_;
  std::size_t most_lines_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  State state_ = State::incomplete;
  std::string_view reason_;
  std::array<const char*, max_fields + 2> begins_;  // not set to zero: this runs on each request
};

}  // namespace tollgate::protocol::http
