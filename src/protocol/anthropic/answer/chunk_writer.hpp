#pragma once
#include "protocol/anthropic/answer/chat_parts.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::answer {

/// Writes the events of one chat completion's stream: all with the same id, and each one whole.
class ChunkWriter {
 public:
  /// `with_usage`: the stream ends with a usage chunk, and so all others say that they have none.
  ChunkWriter(bool with_usage, const AnswerNames& names);

  void role(std::string& out) const;
  /// A piece of `content`, `refusal` or `reasoning_content`, as the inside of a string.
  void text(std::string& out, std::string_view member, std::string_view inside) const;
  /// Elements with commas between.
  void annotations(std::string& out, std::string_view elements) const;
  void call(std::string& out, std::uint64_t index, const Call& call) const;
  /// A piece of its arguments or its text.
  void call_input(std::string& out, std::uint64_t index, bool is_custom, std::string_view inside) const;
  void finish(std::string& out, std::string_view reason) const;
  void usage(std::string& out, const Usage& usage) const;
  static void comment(std::string& out) { out += ": ping\n\n"; }
  static void done(std::string& out) { out += "data: [DONE]\n\n"; }

 private:
  template <class WriteDelta>
  void chunk(std::string& out, std::string_view reason, WriteDelta write_delta) const;

  bool with_usage_;
  std::string head_;  ///< up to and without `choices`
};

}  // namespace tollgate::protocol::anthropic::answer
