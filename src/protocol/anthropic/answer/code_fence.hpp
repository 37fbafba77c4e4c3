#pragma once
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::answer {

/// Takes a code fence (three backticks or more, a word or none, to the line's end) off a text's beginning and its
/// counterpart off its end, as the text comes. Holds back only what may be one of them, at most some 100 bytes; what
/// comes out does not depend on how the text is cut.
class CodeFence {
 public:
  /// Appends what of the text so far is certain to stay.
  void take(std::string_view text, std::string& out);
  /// The text has ended: appends the rest.
  void end(std::string& out);

 private:
  enum class Place { before, inside, none };
  void take_opening(char byte, std::string& out);
  void take_inside(char byte, std::string& out);

  Place place_ = Place::before;
  std::string held_;
};

}  // namespace tollgate::protocol::anthropic::answer
