#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::http {

/// Takes the chunked framing (RFC 9112, section 7.1) off a body that comes in pieces, in place: no byte is copied.
///
/// Strict: upper- or lower-case hex sizes of at most 16 digits, CRLF only. Extensions are skipped up to 256 bytes per
/// chunk on responses and refused on requests; trailers are refused on requests, and on responses skipped up to 8 KiB
/// and never seen.
class ChunkedDecoder {
 public:
  enum class Side : std::uint8_t { request, response };
  enum class State : std::uint8_t { reading, complete, malformed };

  explicit ChunkedDecoder(Side side) : side_(side) {}

  /// One step: consumes framing and at most one run of content from the front of `bytes`.
  struct Step {
    std::size_t consumed = 0;  ///< bytes of input used up, framing included
    std::string_view content;  ///< the run of content found, a view into the input; may be empty
  };
  /// Call until it consumes nothing or state() is no longer reading. What it leaves after `complete` belongs to the
  /// next message.
  Step step(std::string_view bytes);
  State state() const { return state_; }
  std::string_view reason() const { return reason_; }  ///< a literal, when malformed

 private:
  enum class At : std::uint8_t {
    size,
    extension,
    size_lf,
    content,
    content_cr,
    content_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf
  };
  void take_framing(char c);
  void take_size(char c);
  void take_extension(char c);
  void take_trailer(char c);
  void expect(char c, char wanted, At next, std::string_view why);
  void refuse(std::string_view why);

  Side side_;
  State state_ = State::reading;
  At at_ = At::size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;  ///< content bytes left in this chunk, or the size being read
  std::size_t extra_ = 0;   ///< extension bytes of this chunk, or trailer bytes
  std::string_view reason_;
};

/// The line before a chunk of `size` bytes: hex digits and CRLF.
class ChunkHeader {
 public:
  explicit ChunkHeader(std::size_t size);
  std::string_view text() const { return {text_.data() + start_, text_.size() - start_}; }

 private:
  std::array<char, 18> text_;
  std::size_t start_;
};

inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace tollgate::protocol::http
