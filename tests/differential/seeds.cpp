// The requests that mutations start from: what SDKs, browsers and hand-written clients send, in every framing.
#include "mutations.hpp"

namespace tollgate::differential {
namespace {

const std::string chat = R"({"model":"auto","messages":[{"role":"user","content":"hi"}]})";

std::string post(std::string_view fields, std::string_view body) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string chunked(std::string_view fields, std::string_view body) {
  return "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "Transfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

std::string get(std::string_view line, std::string_view fields) {
  return std::string(line) + "\r\nHost: 127.0.0.1\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

const std::vector<std::string>& seed_requests() {
  static const std::vector<std::string> requests = {
      post("Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 3.3.1\r\n"
           "X-Stainless-Lang: python\r\nAuthorization: Bearer test-key\r\nx-stainless-retry-count: 0\r\n",
           chat),
      post("", chat),
      post("Expect: 100-continue\r\nConnection: close\r\n", chat),
      post("X-One: 1\r\nX-Two:\r\nX-One:  2\t\r\nAccept: a\r\nAccept: b\r\n", "0\r\n\r\nGET / HTTP/1.1\r\n"),
      post("Connection: keep-alive\r\nCookie: a=b\r\nx-tollgate-task: code\r\n", ""),
      chunked("Content-Type: application/json\r\n", "3c\r\n" + chat + "\r\n0\r\n\r\n"),
      chunked("", "1\r\n{\r\n02\r\n\"a\r\n0000003\r\n\":1\r\n1\r\n}\r\n0\r\n\r\n"),
      chunked("TE: trailers\r\nConnection: TE\r\n", "a\r\n0\r\n\r\n12345\r\n000\r\n\r\n"),
      chunked("X-Empty:\r\n", "0\r\n\r\n"),
      get("GET /v1/models HTTP/1.1", "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: curl/7.88.1\r\n"),
      get("GET /v1/models/gpt-5.5?a=b&c=%20 HTTP/1.1", ""),
      get("HEAD /health/live HTTP/1.1", "Connection: , keep-alive,,\r\n"),
      get("DELETE /v1/files/file-1 HTTP/1.1", "Origin: http://localhost:3000\r\nReferer: http://localhost:3000/\r\n"),
      get("OPTIONS * HTTP/1.1", "Max-Forwards: 0\r\n"),
      get("GET //a|b{c}^d`e\"f<g>?http://x/ HTTP/1.1", "X: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\r\n"),
      "GET / HTTP/1.0\r\n\r\n",
      "POST /v1/completions HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
      "\r\nPUT /v1/x HTTP/1.1\r\nhost:[::1]:80\r\nCONTENT-LENGTH:\t3 \r\nUpgrade: h2c\r\n\r\n\r\n\r",
  };
  return requests;
}

}  // namespace tollgate::differential
