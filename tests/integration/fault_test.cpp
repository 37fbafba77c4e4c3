// Upstreams that answer wrongly, one way at a time. Nothing that could be read in two ways is passed on, no connection
// is used again after something odd, and whatever it was, the next request is served.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

enum class Then { keep, close, reset };

/// What an upstream sends in place of an answer, and what the client is to get.
struct Case {
  std::string name;
  std::string bytes;
  Then then = Then::keep;
  int status = 502;
  std::string body = {};    ///< expected where the answer passes
  std::string code = {};    ///< expected of the gateway's own error
  bool used_again = false;  ///< the connection may carry the next request
  std::string field = {};   ///< one that must have crossed, as "name: value"
};

std::string answer(const std::string& fields, const std::string& body = "{}",
                   const std::string& status_line = "HTTP/1.1 200 OK") {
  return status_line + "\r\nContent-Type: application/json\r\n" + fields + "\r\n" + body;
}

Case broken(std::string name, std::string bytes, Then then = Then::keep) {
  return {std::move(name), std::move(bytes), then, 502, {}, "upstream_error"};
}

Case passes(std::string name, std::string bytes, std::string body = "{}", bool used_again = true,
            Then then = Then::keep) {
  return {std::move(name), std::move(bytes), then, 200, std::move(body), {}, used_again};
}

Case passes_with(int status, const std::string& type, const std::string& body, const std::string& field = {}) {
  return {"status_" + std::to_string(status),
          "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type + "\r\n" +
              (field.empty() ? "" : field + "\r\n") + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body,
          Then::keep,
          status,
          body,
          {},
          true,
          field.empty() ? "content-type: " + type : field};
}

std::vector<Case> broken_framing() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      broken("length given twice", answer("Content-Length: 2\r\nContent-Length: 2\r\n")),
      broken("two lengths", answer("Content-Length: 2\r\nContent-Length: 3\r\n")),
      broken("list of lengths", answer("Content-Length: 2, 2\r\n")),
      broken("negative length", answer("Content-Length: -2\r\n")),
      broken("length with a plus", answer("Content-Length: +2\r\n")),
      broken("hex length", answer("Content-Length: 0x2\r\n")),
      broken("empty length", answer("Content-Length:\r\n")),
      broken("length with leading zeros", answer("Content-Length: 002\r\n")),
      broken("length of 2^63", answer("Content-Length: 9223372036854775808\r\n")),
      broken("length of 2^64 + 2", answer("Content-Length: 18446744073709551618\r\n")),
      broken("unknown coding", answer("Transfer-Encoding: gzip\r\n")),
      broken("identity coding", answer("Transfer-Encoding: identity\r\n")),
      broken("coding given twice", answer(chunked + chunked, "2\r\n{}\r\n0\r\n\r\n")),
      broken("chunked chunked", answer("Transfer-Encoding: chunked, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      broken("gzip chunked", answer("Transfer-Encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      broken("chunked with a parameter", answer("Transfer-Encoding: chunked;a=b\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      broken("coding and length", answer(chunked + "Content-Length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      broken("coding in HTTP/1.0", answer(chunked, "2\r\n{}\r\n0\r\n\r\n", "HTTP/1.0 200 OK")),
      broken("chunk size that is no number", answer(chunked, "zz\r\n{}\r\n0\r\n\r\n")),
      broken("negative chunk size", answer(chunked, "-2\r\n{}\r\n0\r\n\r\n")),
      broken("chunk size of 17 digits", answer(chunked, "10000000000000002\r\n{}\r\n0\r\n\r\n")),
      broken("chunk longer than its size", answer(chunked, "1\r\n{}\r\n0\r\n\r\n")),
      broken("chunk without line end", answer(chunked, "2\n{}\r\n0\r\n\r\n")),
      broken("trailer that is no field", answer(chunked, "2\r\n{}\r\n0\r\nno field\r\n\r\n")),
      broken("list of unequal lengths", answer("Content-Length: 2, 3\r\n")),
      broken("chunk size of 2^63", answer(chunked, "8000000000000000\r\n{}\r\n0\r\n\r\n")),
      broken("chunk size with a prefix", answer(chunked, "0x2\r\n{}\r\n0\r\n\r\n")),
      broken("chunk size behind a blank", answer(chunked, " 2\r\n{}\r\n0\r\n\r\n")),
      broken("no chunk size", answer(chunked, "\r\n{}\r\n0\r\n\r\n")),
      broken("chunk extension of 300 bytes", answer(chunked, "2;" + std::string(300, 'x') + "\r\n{}\r\n0\r\n\r\n")),
      broken("control byte in a chunk extension", answer(chunked, "2;a=\x01\r\n{}\r\n0\r\n\r\n")),
      broken("trailers of 9 KB", answer(chunked, "2\r\n{}\r\n0\r\nX-A: " + std::string(9'000, 'x') + "\r\n\r\n")),
      broken("control byte in a trailer", answer(chunked, "2\r\n{}\r\n0\r\nX-A: \x01\r\n\r\n")),
      broken("bare LF behind a trailer", answer(chunked, "2\r\n{}\r\n0\r\nX-A: 1\n\r\n")),
      broken("error of two lengths",
             answer("Content-Length: 2\r\nContent-Length: 3\r\n", "{}", "HTTP/1.1 429 Too Many Requests")),
      broken("204 with a body", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 204 No Content")),
      broken("204 with a coding", answer(chunked, "0\r\n\r\n", "HTTP/1.1 204 No Content")),
  };
}

std::vector<Case> broken_heads() {
  std::string flood, many;
  for (int i = 0; i < 5000; ++i) flood += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  return {
      broken("flood of interim answers", flood + answer("Content-Length: 2\r\n")),
      broken("head of 70 KB", answer("X-Long: " + std::string(70'000, 'x') + "\r\nContent-Length: 2\r\n")),
      broken("head without end", "HTTP/1.1 200 OK\r\nX-Long: " + std::string(70'000, 'x')),
      broken("101 fields", answer(many + "Content-Length: 2\r\n")),
      broken("interim answer with a body", "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n{}" + answer("")),
      broken("interim answer with a coding",
             "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n" + answer("Content-Length: 2\r\n")),
      broken("Connection that names the length", answer("Connection: content-length\r\nContent-Length: 2\r\n")),
      broken("HTTP/0.9", "{\"choices\":[]}", Then::close),
      broken("HTTP/2", "HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}"),
      broken("HTTP/1.2", answer("Content-Length: 2\r\n", "{}", "HTTP/1.2 200 OK")),
      broken("ICY", answer("Content-Length: 2\r\n", "{}", "ICY 200 OK")),
      broken("status of two digits", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 20 OK")),
      broken("status of four digits", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 2000 OK")),
      broken("status 099", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 099 OK")),
      broken("status 999", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 999 OK")),
      broken("status in words", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 OK 200")),
      broken("empty line first", "\r\n" + answer("Content-Length: 2\r\n")),
      broken("binary", std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + "garbage"),
      broken("folded field", answer("X-A: b\r\n c\r\nContent-Length: 2\r\n")),
      broken("bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"),
      broken("bare CR", answer("X-A: b\rc\r\nContent-Length: 2\r\n")),
      broken("NUL in a field", answer(std::string("X-A: b\0c\r\n", 10) + "Content-Length: 2\r\n")),
      broken("space before the colon", answer("Content-Length : 2\r\n")),
      broken("field without a colon", answer("Nonsense\r\nContent-Length: 2\r\n")),
      broken("switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
      broken("not modified", answer("", "", "HTTP/1.1 304 Not Modified")),
  };
}

std::vector<Case> broken_ends() {
  return {
      broken("nothing, closed", "", Then::close),
      broken("nothing, reset", "", Then::reset),
      broken("half a status line, closed", "HTTP/1.1 2", Then::close),
      broken("half a head, closed", "HTTP/1.1 200 OK\r\nContent-Le", Then::close),
      broken("half a head, reset", "HTTP/1.1 200 OK\r\nContent-Le", Then::reset),
      broken("interim answer only, closed", "HTTP/1.1 100 Continue\r\n\r\n", Then::close),
      broken("body cut short, closed", answer("Content-Length: 10\r\n", "{\"a\":"), Then::close),
      broken("body cut short, reset", answer("Content-Length: 10\r\n", "{\"a\":"), Then::reset),
      broken("no body, closed", answer("Content-Length: 10\r\n", ""), Then::close),
      broken("chunks cut short, closed", answer("Transfer-Encoding: chunked\r\n", "5\r\n{\"a\":\r\n"), Then::close),
      broken("chunk cut short, closed", answer("Transfer-Encoding: chunked\r\n", "5\r\n{\""), Then::close),
      broken("last chunk cut short, closed", answer("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n"), Then::close),
      broken("error cut short, closed", answer("Content-Length: 10\r\n", "{\"a\":", "HTTP/1.1 429 Slow"), Then::close),
      broken("error cut short, reset", answer("Content-Length: 10\r\n", "{\"a\":", "HTTP/1.1 500 Oops"), Then::reset),
      broken("error in chunks cut short, closed",
             answer("Transfer-Encoding: chunked\r\n", "5\r\n{\"a\":\r\n", "HTTP/1.1 503 Busy"), Then::close),
      broken("until close, reset", answer("", "{\"a\":"), Then::reset),
  };
}

/// Each form of body, and a head in all its parts. Until its last byte an answer is none.
std::vector<Case> cut_anywhere() {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  std::vector<Case> cases;
  for (const std::string& whole :
       {answer("Content-Length: 2\r\n"), interim + answer("Content-Length: 0\r\n", ""),
        answer("Transfer-Encoding: chunked\r\n", "1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Sum: 1\r\n\r\n"),
        answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 429 Too Many Requests")}) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
      cases.push_back(broken("cut at " + std::to_string(cut) + " of " + whole, whole.substr(0, cut), Then::close));
  }
  return cases;
}

std::vector<Case> odd_but_good() {
  const std::string good = answer("Content-Length: 2\r\n");
  return {
      passes("plain", good),
      passes("interim answer first", "HTTP/1.1 100 Continue\r\n\r\n" + good),
      passes("early hints first",
             "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + good),
      passes("no reason phrase", answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 200")),
      passes("chunked", answer("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")),
      passes("chunk extension", answer("Transfer-Encoding: chunked\r\n", "2;a=b\r\n{}\r\n0\r\n\r\n")),
      passes("trailer", answer("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n")),
      passes("until close", answer(""), "{}", false, Then::close),
      passes("connection close", answer("Connection: close\r\nContent-Length: 2\r\n"), "{}", false),
      passes("HTTP/1.0", answer("Content-Length: 2\r\n", "{}", "HTTP/1.0 200 OK"), "{}", false),
      passes("HTTP/1.0 that keeps the connection",
             answer("Connection: keep-alive\r\nContent-Length: 2\r\n", "{}", "HTTP/1.0 200 OK")),
      // What comes behind an answer belongs to no request: a connection that holds it is poisoned.
      passes("bytes behind the body", good + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"bad\":1}", "{}", false),
      passes("bytes behind the last chunk", answer("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\nmore"), "{}",
             false),
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", Then::keep, 204, "", {}, true},
  };
}

std::vector<Case> errors() {
  const std::string json = "application/json";
  const std::string limit = R"({"error":{"message":"m","type":"requests","param":null,"code":"rate_limit_exceeded"}})";
  const std::string redirect = "\r\nLocation: http://127.0.0.1:9/v1\r\nContent-Length: 0\r\n\r\n";
  return {
      passes_with(400, json, R"({"error":{"message":"bad","type":"invalid_request_error","param":"n","code":null}})"),
      passes_with(404, json, R"({"error":{"message":"no model"}})"),
      passes_with(422, json, R"({"detail":[]})"),
      passes_with(429, json, limit, "retry-after: 0.5"),
      passes_with(429, json, limit, "retry-after-ms: 1500"),
      passes_with(429, json, limit, "x-ratelimit-remaining-tokens: 0"),
      passes_with(429, json, limit, "x-ratelimit-reset-requests: 6m0s"),
      passes_with(429, json, limit, "x-should-retry: false"),
      passes_with(500, json, R"({"error":{"message":"oops"}})"),
      passes_with(500, "text/plain", "Internal Server Error"),
      passes_with(502, "text/html; charset=UTF-8", "<html><h1>502 Bad Gateway</h1></html>"),
      passes_with(503, json, R"({"error":{"message":"busy"}})", "retry-after: 7"),
      passes_with(529, json, R"({"error":{"message":"overloaded"}})"),
      {"error under 200",
       answer("Content-Length: " + std::to_string(limit.size()) + "\r\n", limit),
       Then::keep,
       429,
       limit,
       {},
       true},
      {"error under 200, padded",
       answer("Transfer-Encoding: chunked\r\n", chunk("\n\n \n") + chunk(R"({"error":{"code":502}})") + last_chunk),
       Then::keep,
       502,
       "\n\n \n{\"error\":{\"code\":502}}",
       {},
       true},
      {"error of more than 1 MiB",
       answer("Content-Length: 1100000\r\nRetry-After: 7\r\n", std::string(1'100'000, 'x'), "HTTP/1.1 503 Busy"),
       Then::keep,
       503,
       {},
       "upstream_error",
       false,
       "retry-after: 7"},
      {"endless error",
       answer("Transfer-Encoding: chunked\r\n", chunk(std::string(2'000'000, 'x')), "HTTP/1.1 500 Oops"),
       Then::keep,
       500,
       {},
       "upstream_error"},
      {"encoded error",
       answer("Content-Encoding: gzip\r\nContent-Length: 4\r\n", "\x1F\x8B..", "HTTP/1.1 429 Slow"),
       Then::keep,
       429,
       {},
       "upstream_error",
       true},
      {"401",
       answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 401 Unauthorized"),
       Then::keep,
       502,
       {},
       "upstream_auth_failed"},
      {"403",
       answer("Content-Length: 2\r\n", "{}", "HTTP/1.1 403 Forbidden"),
       Then::keep,
       502,
       {},
       "upstream_auth_failed"},
      broken("301", "HTTP/1.1 301 Moved Permanently" + redirect),
      broken("302", "HTTP/1.1 302 Found" + redirect),
      broken("303", "HTTP/1.1 303 See Other" + redirect),
      broken("307", "HTTP/1.1 307 Temporary Redirect" + redirect),
      broken("308", "HTTP/1.1 308 Permanent Redirect" + redirect),
  };
}

class Answers : public testing::Test {
 protected:
  void expect(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      expect(one);
      RecordProperty("cases", ++tried_);
    }
  }

 private:
  void expect(const Case& one) {
    KeepAliveUpstream::Call call = request();
    RawSocket& connection = upstream_.connection(call.connection);
    connection.send(one.bytes);
    if (one.then == Then::close) connection.close();
    if (one.then == Then::reset) connection.close_with_reset();
    expect(one, client_.read_answer());

    // The client's connection is as good as before, and only a sound one of the upstream is used again.
    const KeepAliveUpstream::Call next = request();
    EXPECT_EQ(next.connection == call.connection, one.used_again);
    upstream_.connection(next.connection)
        .send(answer("Connection: close\r\nContent-Length: 13\r\n", "{\"next\":true}"));
    EXPECT_EQ(client_.read_answer().body, "{\"next\":true}");
    if (!one.used_again && one.then == Then::keep) {
      EXPECT_FALSE(connection.is_open() && !connection.wait_closed()) << "left open";
    }
  }

  void expect(const Case& one, Answer got) {
    EXPECT_EQ(got.status, one.status) << got.body;
    EXPECT_TRUE(got.complete);
    if (!one.field.empty()) {
      EXPECT_EQ(got.fields[one.field.substr(0, one.field.find(':'))], one.field.substr(one.field.find(": ") + 2));
    }
    if (one.code.empty()) {
      EXPECT_EQ(got.body, one.body);
      return;
    }
    const auto error = nlohmann::json::parse(got.body, nullptr, false);
    ASSERT_TRUE(error.is_object()) << got.body;
    for (const char* key : {"message", "type", "param", "code"}) EXPECT_TRUE(error.at("error").contains(key)) << key;
    EXPECT_EQ(error.at("error").at("code"), one.code) << got.body;
  }

  KeepAliveUpstream::Call request() {
    client_.send(post("/v1/chat/completions", chat_body("m")));
    return upstream_.next();
  }

  int tried_ = 0;
  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_{config_for(upstream_.port())};
  RawClient client_{gateway_.address()};
};

TEST_F(Answers, with_broken_framing_are_refused) { expect(broken_framing()); }
TEST_F(Answers, with_broken_heads_are_refused) { expect(broken_heads()); }
TEST_F(Answers, that_break_off_are_refused) { expect(broken_ends()); }
TEST_F(Answers, that_break_off_at_any_byte_are_refused) { expect(cut_anywhere()); }
TEST_F(Answers, that_are_odd_but_good_pass) { expect(odd_but_good()); }
TEST_F(Answers, that_are_errors_keep_their_words) { expect(errors()); }

}  // namespace
}  // namespace tollgate::test
