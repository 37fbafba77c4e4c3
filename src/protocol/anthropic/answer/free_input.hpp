#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::answer {

/// Takes the text of a JSON object in pieces and gives the value of its member `input`: of a string what is inside, of
/// anything else its JSON. What comes of pieces does not depend on where they are cut. Holds back one escape.
class FreeInput {
 public:
  /// Appends what the piece, of whole UTF-8 characters, brings, as the inside of a JSON string that is text; nothing of
  /// what is not as it should be.
  void take(std::string_view piece, std::string& inside);

 private:
  enum class Place : std::uint8_t { before, name, in_name, colon, value, text, other, after, over };
  void step(char byte, std::string& inside);
  void find_name(char byte);
  void begin_value(char byte, std::string& inside);
  void take_text(char byte, std::string& inside);
  void take_escape(char byte, std::string& inside);
  void give_up_escape(std::string& inside);
  void take_other(char byte, std::string& inside);

  Place place_ = Place::before;
  bool wanted_ = false;     ///< the value at hand is that of `input`
  bool quoted_ = false;     ///< within a string of another value
  bool escaped_ = false;    ///< behind a backslash there, or in a name
  std::uint64_t open_ = 0;  ///< brackets open there
  std::string name_;        ///< its first bytes
  std::string escape_;      ///< what may go on: at most a pair of surrogates
};

}  // namespace tollgate::protocol::anthropic::answer
