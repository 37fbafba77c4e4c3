#pragma once
// Raw request heads as one table: what the guard accepts and what it refuses, with the rule. The parser's own test and
// the comparison with an independent parser both walk it.
#include "tollgate/protocol/http/head.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::http::cases {

struct AcceptedRequest {
  std::string raw;
  std::string_view method;
  std::string_view target;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expect_continue = false;
};

struct RefusedRequest {
  std::string raw;
  std::uint16_t status;
  std::string_view rule;  ///< the reason given, word for word
};

/// A GET head with these field lines after a Host.
inline std::string with_fields(std::string_view lines) {
  return "GET /v1/models HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
inline std::string with_host(std::string_view host) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}
inline std::string with_line(std::string_view line) { return std::string(line) + "\r\nHost: a\r\n\r\n"; }
inline std::string old_with_fields(std::string_view lines) {
  return "POST / HTTP/1.0\r\n" + std::string(lines) + "\r\n";
}

inline const std::string python_sdk_head =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 3.3.1\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 3.3.1\r\n"
    "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.2\r\nAuthorization: Bearer test-key-1\r\nX-Stainless-Async: false\r\n"
    "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\nContent-Length: 1024\r\n\r\n";

inline const std::string longest_target = "/" + std::string(8191, 'a');

// size: exempt, a table
inline std::vector<AcceptedRequest> accepted_requests() {
  using enum Framing;
  return {
      {python_sdk_head, "POST", "/v1/chat/completions", length, 1024},
      // Start lines
      {with_line("GET / HTTP/1.1"), "GET", "/"},
      {"\r\n" + with_line("GET / HTTP/1.1"), "GET", "/"},
      {with_line("HEAD /health/live HTTP/1.1"), "HEAD", "/health/live"},
      {with_line("OPTIONS * HTTP/1.1"), "OPTIONS", "*"},
      {with_line("OPTIONS /v1/models HTTP/1.1"), "OPTIONS", "/v1/models"},
      {with_line("DELETE /v1/files/file-1 HTTP/1.1"), "DELETE", "/v1/files/file-1"},
      {with_line("get / HTTP/1.1"), "get", "/"},
      {with_line("M-SEARCH / HTTP/1.1"), "M-SEARCH", "/"},
      {with_line("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1"), "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "/"},
      {with_line("GET //v1//models HTTP/1.1"), "GET", "//v1//models"},
      {with_line("GET /a?b=c&d=%20 HTTP/1.1"), "GET", "/a?b=c&d=%20"},
      {with_line("GET /?http://elsewhere/ HTTP/1.1"), "GET", "/?http://elsewhere/"},
      {with_line("GET /a|b{c}^d`e\"f<g> HTTP/1.1"), "GET", "/a|b{c}^d`e\"f<g>"},
      {with_line("GET " + longest_target + " HTTP/1.1"), "GET", longest_target},
      // Versions and connections
      {"GET / HTTP/1.0\r\n\r\n", "GET", "/", none, 0, false},
      {old_with_fields("Host: a\r\n"), "POST", "/", none, 0, false},
      {old_with_fields("Connection: keep-alive\r\n"), "POST", "/", none, 0, true},
      {old_with_fields("Connection: Keep-Alive, x\r\n"), "POST", "/", none, 0, true},
      {old_with_fields("Connection: keep-alive, close\r\n"), "POST", "/", none, 0, false},
      {old_with_fields("Content-Length: 3\r\n"), "POST", "/", length, 3, false},
      {old_with_fields("Expect: 100-continue\r\nContent-Length: 3\r\n"), "POST", "/", length, 3, false, false},
      {with_fields("Connection: close\r\n"), "GET", "/v1/models", none, 0, false},
      {with_fields("Connection: CLOSE\r\n"), "GET", "/v1/models", none, 0, false},
      {with_fields("Connection: keep-alive\r\nConnection: close\r\n"), "GET", "/v1/models", none, 0, false},
      {with_fields("Connection:\tkeep-alive , \tclose\t\r\n"), "GET", "/v1/models", none, 0, false},
      {with_fields("Connection: , keep-alive,,\r\n"), "GET", "/v1/models"},
      {with_fields("Connection:\r\n"), "GET", "/v1/models"},
      {with_fields("Connection: closed\r\n"), "GET", "/v1/models"},
      {with_fields("Connection: TE, x-hop\r\nTE: trailers\r\nX-Hop: 1\r\n"), "GET", "/v1/models"},
      {with_fields("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), "GET",
       "/v1/models"},
      {with_fields("Connection: upgrade\r\nUpgrade: websocket\r\n"), "GET", "/v1/models"},
      // Hosts
      {with_host("localhost"), "GET", "/"},
      {with_host("api.example.com:443"), "GET", "/"},
      {with_host("api.example.com."), "GET", "/"},
      {with_host("my_service-1:80"), "GET", "/"},
      {with_host("127.0.0.1"), "GET", "/"},
      {with_host("127.0.0.1:65535"), "GET", "/"},
      {with_host("[::1]"), "GET", "/"},
      {with_host("[2001:db8::7]:8080"), "GET", "/"},
      {with_host("[::ffff:192.0.2.1]"), "GET", "/"},
      {with_host(std::string(255, 'a')), "GET", "/"},
      {"GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", "GET", "/"},
      // Bodies
      {with_fields("Content-Length: 0\r\n"), "GET", "/v1/models", length, 0},
      {with_fields("content-length:7\r\n"), "GET", "/v1/models", length, 7},
      {with_fields("Content-Length: \t 42 \t\r\n"), "GET", "/v1/models", length, 42},
      {with_fields("Content-Length: 9223372036854775807\r\n"), "GET", "/v1/models", length, 9223372036854775807U},
      {with_fields("Transfer-Encoding: chunked\r\n"), "GET", "/v1/models", chunked},
      {with_fields("TRANSFER-ENCODING:\tCHUNKED \r\n"), "GET", "/v1/models", chunked},
      {with_fields("Expect: 100-continue\r\nContent-Length: 5\r\n"), "GET", "/v1/models", length, 5, true, true},
      {with_fields("expect: 100-Continue\r\n"), "GET", "/v1/models", none, 0, true, true},
      // Fields
      {with_fields("X:\r\n"), "GET", "/v1/models"},
      {with_fields("X-Long: " + std::string(4000, 'v') + "\r\n"), "GET", "/v1/models"},
      {with_fields("X-Tab: a\tb\t\tc\r\n"), "GET", "/v1/models"},
      {with_fields("X-Visible: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\r\n"), "GET", "/v1/models"},
      {with_fields("!#$%&'*+-.^`|~09azAZ: every token character but the underscore\r\n"), "GET", "/v1/models"},
      {with_fields("X-A: 1\r\nX-A: 2\r\nx-a: 3\r\n"), "GET", "/v1/models"},
      {with_fields("Accept: a\r\nAccept: b\r\nCookie: c=d\r\nCookie: e=f\r\n"), "GET", "/v1/models"},
      {with_fields("x-tollgate-task: code\r\nx-tollgate-task-id: 7\r\n"), "GET", "/v1/models"},
      {with_fields("Content-Type: application/json; charset=utf-8\r\nContent-Encoding: gzip\r\n"), "GET", "/v1/models"},
      {with_fields("Trailer: x\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"), "GET", "/v1/models"},
      {with_fields("Content-Lengths: 5\r\nTransfer-Encodings: x\r\nHosts: b\r\n"), "GET", "/v1/models"},
  };
}

// size: exempt, a table
inline std::vector<RefusedRequest> refused_start_lines() {
  using namespace std::string_literals;
  return {
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, "control byte in the first line"},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "method is not a token"},
      {"\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "method is not a token"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "method is not a token"},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bare LF"},
      {"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bare CR"},
      {"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bare LF"},
      {":", 400, "method is not a token"},
      {with_line("G(T / HTTP/1.1"), 400, "method is not a token"},
      {with_line("GE\xC3\x89 / HTTP/1.1"), 400, "byte outside ASCII in the first line"},
      {with_line("GET\t/ HTTP/1.1"), 400, "method is not a token"},
      {with_line("GET\x01 / HTTP/1.1"), 400, "control byte in the first line"},
      {with_line("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1"), 400, "method longer than 32 bytes"},
      {std::string(33, 'A'), 400, "method longer than 32 bytes"},
      {with_line("GET"), 400, "request line without a target"},
      {with_line("GET "), 400, "request line without a version"},
      {with_line("GET /"), 400, "request line without a version"},
      {"GET /\r\n", 400, "request line without a version"},
      {with_line("GET  HTTP/1.1"), 400, "more than one space in the request line"},
      {with_line("GET  / HTTP/1.1"), 400, "more than one space in the request line"},
      {with_line("GET /  HTTP/1.1"), 400, "more than one space in the request line"},
      {with_line("GET / HTTP/1.1 "), 400, "more than one space in the request line"},
      {with_line("GET /a b HTTP/1.1"), 400, "more than one space in the request line"},
      {with_line("GET / "), 400, "malformed HTTP version"},
      {with_line("GET /\tHTTP/1.1"), 400, "control byte in the first line"},
      {with_line("GET / HTTP/1.1\t"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/2.0"), 505, "HTTP version other than 1.0 and 1.1"},
      {with_line("GET / HTTP/1.2"), 505, "HTTP version other than 1.0 and 1.1"},
      {with_line("GET / HTTP/0.9"), 505, "HTTP version other than 1.0 and 1.1"},
      {with_line("GET / HTTP/3.0"), 505, "HTTP version other than 1.0 and 1.1"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP version other than 1.0 and 1.1"},
      {with_line("GET / http/1.1"), 400, "malformed HTTP version"},
      {with_line("GET / Http/1.1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/11"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/1.1.1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/1,1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/01.1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/1.01"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/1."), 400, "malformed HTTP version"},
      {with_line("GET / HTTP/+1.1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTPS/1.1"), 400, "malformed HTTP version"},
      {with_line("GET / ICY/1.1"), 400, "malformed HTTP version"},
      {with_line("GET / HTTP /1.1"), 400, "more than one space in the request line"},
      {with_line("CONNECT api.example.com:443 HTTP/1.1"), 400, "CONNECT is not for a gateway"},
      {with_line("CONNECT / HTTP/1.1"), 400, "CONNECT is not for a gateway"},
      {with_line("GET http://a/v1/models HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET HTTPS://a/ HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET api.example.com:443 HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET v1/models HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET ?x HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET * HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("POST * HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("options * HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("OPTIONS */ HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET \\\\a HTTP/1.1"), 400, "target is not in origin form"},
      {with_line("GET /a#b HTTP/1.1"), 400, "fragment in the target"},
      {with_line("GET # HTTP/1.1"), 400, "fragment in the target"},
      {with_line("GET /?q#b HTTP/1.1"), 400, "fragment in the target"},
      {with_line("GET /caf\xC3\xA9 HTTP/1.1"), 400, "byte outside ASCII in the first line"},
      {with_line("GET /\xA0 HTTP/1.1"), 400, "byte outside ASCII in the first line"},
      {with_line("GET /\x01 HTTP/1.1"), 400, "control byte in the first line"},
      {with_line("GET /\x7F HTTP/1.1"), 400, "control byte in the first line"},
      {with_line("GET /\0 HTTP/1.1"s), 400, "control byte in the first line"},
      {with_line("GET /\v HTTP/1.1"), 400, "control byte in the first line"},
      {with_line("GET /a\rb HTTP/1.1"), 400, "bare CR"},
      {with_line("GET /a\nb HTTP/1.1"), 400, "bare LF"},
      {with_line("GET / HTTP/1.1\r"), 400, "bare CR"},
      {"GET / HTTP/1.1\nHost: a\n\n", 400, "bare LF"},
      {"GET / HTTP/1.1\rHost: a\r\r", 400, "bare CR"},
      {with_line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), 414, "target too long"},
      {"GET /" + std::string(8192, 'a'), 414, "target too long"},
      {"GET /" + std::string(40000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "target too long"},
  };
}

// size: exempt, a table
inline std::vector<RefusedRequest> refused_fields() {
  using namespace std::string_literals;
  std::string many_fields;
  for (int i = 0; i < 100; ++i) many_fields += "X: " + std::to_string(i) + "\r\n";
  return {
      // Field lines
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "white space before the first field"},
      {"GET / HTTP/1.1\r\n\tX: 1\r\nHost: a\r\n\r\n", 400, "white space before the first field"},
      {with_fields("X: 1\r\n 2\r\n"), 400, "folded field line (obs-fold)"},
      {with_fields("X: 1\r\n\t2\r\n"), 400, "folded field line (obs-fold)"},
      {with_fields("X: 1\r\n \r\n"), 400, "folded field line (obs-fold)"},
      {with_fields("Transfer-Encoding:\r\n chunked\r\n"), 400, "Transfer-Encoding other than chunked"},
      {with_fields("Transfer-Encoding: chunked\r\n , identity\r\n"), 400, "folded field line (obs-fold)"},
      {with_fields("X : 1\r\n"), 400, "white space before the colon of a field"},
      {with_fields("X\t: 1\r\n"), 400, "white space before the colon of a field"},
      {with_fields("Content-Length : 5\r\n"), 400, "white space before the colon of a field"},
      {with_fields("Transfer-Encoding : chunked\r\n"), 400, "white space before the colon of a field"},
      {with_fields("X Y: 1\r\n"), 400, "white space before the colon of a field"},
      {with_fields(": 1\r\n"), 400, "empty field name"},
      {with_fields("no colon at all\r\n"), 400, "white space before the colon of a field"},
      {with_fields("nocolon\r\n"), 400, "field line without a colon"},
      {with_fields("X_Y: 1\r\n"), 400, "underscore in a field name"},
      {with_fields("Content_Length: 5\r\n"), 400, "underscore in a field name"},
      {with_fields("_: 5\r\n"), 400, "underscore in a field name"},
      {with_fields("X@Y: 1\r\n"), 400, "field name is not a token"},
      {with_fields("X(Y): 1\r\n"), 400, "field name is not a token"},
      {with_fields("\"X\": 1\r\n"), 400, "field name is not a token"},
      {with_fields("X/Y: 1\r\n"), 400, "field name is not a token"},
      {with_fields("X;Y: 1\r\n"), 400, "field name is not a token"},
      {with_fields("X\xC3\xA9: 1\r\n"), 400, "byte outside ASCII in a field"},
      {with_fields("X\0: 1\r\n"s), 400, "NUL in a field"},
      {with_fields("X\x0B: 1\r\n"), 400, "control byte in a field"},
      {with_fields("X: a\0b\r\n"s), 400, "NUL in a field"},
      {with_fields("X: a\x01\r\n"), 400, "control byte in a field"},
      {with_fields("X: a\x7F\r\n"), 400, "control byte in a field"},
      {with_fields("X: a\x0C\r\n"), 400, "control byte in a field"},
      {with_fields("X: a\x1B[2J\r\n"), 400, "control byte in a field"},
      {with_fields("X: caf\xC3\xA9\r\n"), 400, "byte outside ASCII in a field"},
      {with_fields("X: \xE2\x80\xA8Y: 1\r\n"), 400, "byte outside ASCII in a field"},
      {with_fields("Transfer-Encoding:\xA0"
                   "chunked\r\n"),
       400, "byte outside ASCII in a field"},
      {with_fields("X: 1\nY: 2\r\n"), 400, "bare LF"},
      {with_fields("X: 1\rY: 2\r\n"), 400, "bare CR"},
      {with_fields("X: 1\r\r\n"), 400, "bare CR"},
      {with_fields("X: 1\n\r\n"), 400, "bare LF"},
      {with_fields("X\n: 1\r\n"), 400, "bare LF"},
      {"GET / HTTP/1.1\r\nHost: a\n\n", 400, "bare LF"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "bare LF"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rX: 1\r\n\r\n", 400, "bare CR"},
      {with_fields(many_fields), 431, "too many fields"},
      {with_fields("X: " + std::string(33000, 'v') + "\r\n"), 431, "head too large"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(33000, 'v'), 431, "head too large"},
      // Host
      {"GET / HTTP/1.1\r\n\r\n", 400, "Host missing"},
      {"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", 400, "Host missing"},
      {with_host("a\r\nHost: a"), 400, "Host repeated"},
      {with_host("a\r\nX: 1\r\nhost: b"), 400, "Host repeated"},
      {old_with_fields("Host: a\r\nHost: b\r\n"), 400, "Host repeated"},
      {with_host(""), 400, "empty Host"},
      {with_host(" \t "), 400, "empty Host"},
      {old_with_fields("Host:\r\n"), 400, "empty Host"},
      {with_host("a b"), 400, "invalid Host"},
      {with_host("a, b"), 400, "invalid Host"},
      {with_host("a/b"), 400, "invalid Host"},
      {with_host("a?b"), 400, "invalid Host"},
      {with_host("a#b"), 400, "invalid Host"},
      {with_host("user@a"), 400, "invalid Host"},
      {with_host("http://a"), 400, "invalid Host"},
      {with_host("a%2Fb"), 400, "invalid Host"},
      {with_host("a\\b"), 400, "invalid Host"},
      {with_host("a'--"), 400, "invalid Host"},
      {with_host(":80"), 400, "invalid Host"},
      {with_host("a:"), 400, "invalid Host"},
      {with_host("a:65536"), 400, "invalid Host"},
      {with_host("a:000080"), 400, "invalid Host"},
      {with_host("a:8o"), 400, "invalid Host"},
      {with_host("a:80:80"), 400, "invalid Host"},
      {with_host("a:-1"), 400, "invalid Host"},
      {with_host("a:80@b"), 400, "invalid Host"},
      {with_host("::1"), 400, "invalid Host"},
      {with_host("[::1"), 400, "invalid Host"},
      {with_host("[::1]x"), 400, "invalid Host"},
      {with_host("[::1]:"), 400, "invalid Host"},
      {with_host("[]"), 400, "invalid Host"},
      {with_host("["), 400, "invalid Host"},
      {with_host("[1.2.3.4]"), 400, "invalid Host"},
      {with_host("[fe80::1%25eth0]"), 400, "invalid Host"},
      {with_host("[v1.x]"), 400, "invalid Host"},
      {with_host("[::1]]"), 400, "invalid Host"},
      {with_host("[" + std::string(64, ':') + "]"), 400, "invalid Host"},
      {with_host(std::string(256, 'a')), 400, "invalid Host"},
  };
}

// size: exempt, a table
inline std::vector<RefusedRequest> refused_framing() {
  const std::string_view not_chunked = "Transfer-Encoding other than chunked";
  const std::string_view not_a_number = "Content-Length is not a plain number";
  const std::string_view both = "Transfer-Encoding together with Content-Length";
  const std::string_view repeated = "field repeated that may be sent once";
  const std::string_view named = "Connection names a field that is acted on or passed on";
  std::vector<RefusedRequest> cases{
      {with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400, both},
      {with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400, both},
      {with_fields("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400, both},
      {with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "Transfer-Encoding repeated"},
      {with_fields("Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n"), 400, "Transfer-Encoding repeated"},
      {old_with_fields("Transfer-Encoding: chunked\r\n"), 400, "Transfer-Encoding in HTTP/1.0"},
      {with_fields("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n"), 400, not_chunked},
      {with_fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 400, not_chunked},
      {with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "Content-Length repeated"},
      {with_fields("Content-Length: 5\r\nX: 1\r\ncontent-length: 6\r\n"), 400, "Content-Length repeated"},
      {with_fields("Content-Length: 0\r\nContent-Length: 0\r\n"), 400, "Content-Length repeated"},
      {with_fields("Content-Length: 005\r\n"), 400, "Content-Length with leading zeros"},
      {with_fields("Content-Length: 00\r\n"), 400, "Content-Length with leading zeros"},
      {with_fields("Content-Length: 9223372036854775808\r\n"), 400, "Content-Length of 2^63 or more"},
      {with_fields("Content-Length: 18446744073709551616\r\n"), 400, "Content-Length of 2^63 or more"},
      {with_fields("Content-Length: 99999999999999999999999999\r\n"), 400, "Content-Length of 2^63 or more"},
      {with_fields("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 400, repeated},
      {with_fields("Expect: 200-ok\r\n"), 417, "Expect other than 100-continue"},
      {with_fields("Expect:\r\n"), 417, "Expect other than 100-continue"},
      {with_fields("Expect: 100-continue, x\r\n"), 417, "Expect other than 100-continue"},
      {with_fields("Expect: y 100-continue\r\n"), 417, "Expect other than 100-continue"},
      {with_fields("Connection: close;x\r\n"), 400, "Connection is not a list of tokens"},
      {with_fields("Connection: a b\r\n"), 400, "Connection is not a list of tokens"},
      {with_fields("Connection: \"close\"\r\n"), 400, "Connection is not a list of tokens"},
      {with_fields("Connection: keep-alive\r\nConnection: content-length\r\n"), 400, named},
      {with_fields("Connection: close, Host\r\n"), 400, named},
      {with_fields("x-tollgate-task: a\r\nX-Tollgate-Task: b\r\n"), 400, "x-tollgate field repeated"},
      {with_fields("x-tollgate-key: test-key-1\r\nX: 1\r\nx-tollgate-key: test-key-1\r\n"), 400,
       "x-tollgate field repeated"},
  };
  for (const std::string_view value :
       {"gzip", "identity", "deflate", "chunked, chunked", "gzip, chunked", "chunked, identity", ",chunked", "chunked,",
        "chunked;q=1", "chunked ;a", "\"chunked\"", "chunke", "chunkedd", "x chunked", "", "chun ked", "'chunked'",
        "0"}) {
    cases.push_back({with_fields("Transfer-Encoding: " + std::string(value) + "\r\n"), 400, not_chunked});
  }
  for (const std::string_view value :
       {"5, 5", "5,6", "+5", "-5", "0x5", "5 5", "5;", "5.0", "1e3", "1_000", "five", "", "\"5\"", "5,"}) {
    cases.push_back({with_fields("Content-Length: " + std::string(value) + "\r\n"), 400, not_a_number});
  }
  for (const std::string_view name : {"Content-Type", "Content-Encoding", "Authorization", "Api-Key", "X-Api-Key",
                                      "Idempotency-Key", "X-Request-Id"}) {
    const std::string line = std::string(name) + ": 1\r\n";
    cases.push_back({with_fields(line + line), 400, repeated});
  }
  for (const std::string_view name : {"content-length", "Transfer-Encoding", "host", "Authorization", "content-type",
                                      "Content-Encoding", "expect", "x-api-key", "api-key", "accept", "User-Agent",
                                      "openai-beta", "idempotency-key", "x-request-id", "origin", "X-Tollgate-Task"}) {
    cases.push_back({with_fields("Connection: keep-alive, " + std::string(name) + "\r\n"), 400, named});
  }
  return cases;
}

inline std::vector<RefusedRequest> refused_requests() {
  std::vector<RefusedRequest> all = refused_start_lines();
  for (const auto& part : {refused_fields(), refused_framing()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace tollgate::protocol::http::cases
