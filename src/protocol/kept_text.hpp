#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace tollgate::protocol::json {

/// Decodes JSON strings in a row, a line end between each two, and keeps the beginning and the end of what comes of it.
/// A string costs time by its length, and decoding by what may be kept of it.
class KeptText {
 public:
  KeptText(std::size_t head, std::size_t tail) : most_head_(head), most_tail_(tail) {}

  /// The inside of a string whose escapes are valid.
  void add(std::string_view inside);
  /// Bytes added, as written, without the line ends.
  std::size_t length() const { return length_; }
  /// At most head + 1 + tail bytes: a line end stands for what was left out.
  std::string text() const;

 private:
  void trim_tail(std::size_t to);

  std::size_t most_head_, most_tail_;
  std::size_t length_ = 0;
  bool any_ = false;
  bool head_full_ = false;
  bool left_out_ = false;
  std::string head_, tail_;
};

/// The nearest place at or before `at` that lies neither within an escape, a pair of surrogates in escapes, nor a UTF-8
/// character.
std::size_t cut_before(std::string_view inside, std::size_t at);

}  // namespace tollgate::protocol::json
