#pragma once
#include "tollgate/protocol/translation.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::answer {

/// A thinking block that comes in pieces, put together as one. Anthropic checks the signature against the text, so that
/// both must come out as they went in.
class ThinkingDraft {
 public:
  /// `content_block`: a JSON object, as the block was opened.
  explicit ThinkingDraft(std::string_view content_block);
  void add_thinking(std::string_view inside) { thinking_ += inside; }
  void add_signature(std::string_view inside);
  std::string block() const;

 private:
  std::string members_;  ///< all others, as written
  std::string thinking_, signature_;
  bool signed_ = false;
};

/// Collects the thoughts of one answer. What is more than anybody thinks before a call is not kept at all, since a part
/// of it would be refused.
class ThoughtKeeper {
 public:
  static constexpr std::size_t most_bytes = 4 * 1024 * 1024;

  /// Accounts for bytes that are kept elsewhere until their block is whole. False: it is too much, forget them.
  bool reserve(std::size_t bytes);
  /// A block whose bytes are reserved.
  void add_block(std::string_view json);
  void add_call(const std::string& id);
  /// Nothing where there was no thought or no call.
  std::optional<Thoughts> take();

 private:
  Thoughts thoughts_;
  std::size_t bytes_ = 0;
};

}  // namespace tollgate::protocol::anthropic::answer
