#pragma once
#include "protocol/json_write.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// Where the texts of a content go, and what is no text. Texts are the insides of JSON strings.
class ChatParts {
 public:
  enum class Texts : unsigned char {
    apart,  ///< a part each
    joined  ///< one string, for roles whose content many servers take as nothing else
  };
  ChatParts(Texts texts, std::string_view separator) : texts_(texts), separator_(separator) {}

  void add_text(std::string_view inside);
  /// A part other than a text, as JSON.
  void add_part(std::string_view json);

  /// Joined texts.
  const std::string& text() const { return text_; }
  bool any_text() const { return text_count_ > 0; }
  /// Parts as JSON with commas between: for joined texts, what is no text.
  const std::string& parts() const { return parts_; }
  bool empty() const { return text_.empty() && parts_.empty(); }
  /// The parts as the value of a content: one text alone is a string.
  void write_content(json::Writer& out) const;

 private:
  Texts texts_;
  std::string_view separator_;
  std::string text_, parts_;
  std::size_t text_count_ = 0, part_count_ = 0;
};

}  // namespace tollgate::protocol::anthropic::inbound
