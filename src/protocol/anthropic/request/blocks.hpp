#pragma once
// Content blocks and tools as they are written, with the places of their cache marks: of those the API takes four, and
// which ones they are is known only when all have been written.
#include "protocol/anthropic/request/findings.hpp"
#include "protocol/json_write.hpp"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::request {

/// What a client says of the cache: up to here, for an hour or for five minutes.
struct CacheMark {
  bool hour = false;
};

/// Written text with marks in it, which are members with the comma after them.
struct Marked {
  struct Mark {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool hour = false;
  };
  std::string text;
  std::vector<Mark> marks;

  void append(const Marked& other);
};

/// JSON objects with commas between.
class Blocks {
 public:
  /// Where the next block is to be written: one object, whole before anything else is asked for here.
  json::Writer next();
  /// Puts a mark on the block written last, if there is one and it has none.
  void mark_last(CacheMark mark);

  bool empty() const { return written_.text.empty(); }
  const Marked& written() const { return written_; }
  Marked& written() { return written_; }
  void clear();
  /// Takes off all from the block that was begun when this was the text's size.
  void cut_back(std::size_t size);

 private:
  Marked written_;
  std::size_t last_ = 0;
};

/// The mark that a part or a tool bears: its cache_control, or its breakpoint, whose lifetime is told elsewhere. False
/// where it is refused.
bool read_cache_mark(const json::Value& control, const json::Value& breakpoint, bool breakpoint_hour,
                     std::optional<CacheMark>& mark, Findings& findings);

/// "1h" and more are an hour; nothing where it is no lifetime.
std::optional<CacheMark> read_cache_lifetime(const json::Value& lifetime);

/// Leaves the last marks, as many as there is room for, of texts in the order in which the model reads them; and none
/// of an hour after one of five minutes, which the API does not take.
void limit_marks(std::initializer_list<Marked*> texts, std::size_t room);

}  // namespace tollgate::protocol::anthropic::request
