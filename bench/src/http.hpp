// As much of HTTP/1.1 as tools need that only meet well-formed messages: header lines and chunked bodies.
#pragma once

#include <strings.h>

#include <algorithm>
#include <string_view>

namespace bench {

inline bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

inline std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

// Calls f(name, value) for each header line of a head that ends in an empty line.
template <class F>
void each_header(std::string_view head, F f) {
  size_t p = head.find("\r\n");
  while (p != std::string_view::npos && p + 2 < head.size()) {
    size_t e = head.find("\r\n", p + 2);
    if (e == std::string_view::npos || e == p + 2) break;
    std::string_view line = head.substr(p + 2, e - p - 2);
    size_t c = line.find(':');
    if (c != std::string_view::npos) f(line.substr(0, c), trim(line.substr(c + 1)));
    p = e;
  }
}

// Incremental decoder of "Transfer-Encoding: chunked". feed() returns the bytes consumed;
// payload pieces go to sink(string_view). done() once the last chunk and trailers are past.
class ChunkDecoder {
 public:
  void reset() { *this = ChunkDecoder(); }
  bool done() const { return state_ == Done; }
  bool bad() const { return state_ == Bad; }
  template <class S>
  size_t feed(std::string_view in, S sink) {
    size_t i = 0;
    while (i < in.size() && state_ != Done && state_ != Bad) {
      switch (state_) {
        case Size: {
          char c = in[i++];
          int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
          if (d >= 0)
            left_ = left_ * 16 + static_cast<size_t>(d);
          else if (c == '\n')
            state_ = left_ ? Data : Trailer;
          else if (c == ';')
            state_ = Ext;
          else if (c != '\r' && c != ' ')
            state_ = Bad;
          break;
        }
        case Ext:
          if (in[i++] == '\n') state_ = left_ ? Data : Trailer;
          break;
        case Data: {
          size_t n = std::min(left_, in.size() - i);
          sink(in.substr(i, n));
          i += n;
          if (!(left_ -= n)) state_ = DataEnd;
          break;
        }
        case DataEnd:
          if (in[i++] == '\n') state_ = Size;
          break;
        case Trailer: {
          char c = in[i++];
          if (c == '\n') {
            if (line_ == 0) state_ = Done;
            line_ = 0;
          } else if (c != '\r') {
            ++line_;
          }
          break;
        }
        default: break;
      }
    }
    return i;
  }

 private:
  enum { Size, Ext, Data, DataEnd, Trailer, Done, Bad } state_ = Size;
  size_t left_ = 0, line_ = 0;
};

}  // namespace bench
