#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"

#include <string>
#include <string_view>

namespace tollgate::app {

/// Asks a running gateway's admin API, for commands: one plain HTTP request on a connection of its own. Blocks. A
/// failure's message is for the person at the terminal and never holds the token.
class AdminClient {
 public:
  struct Limits {
    Millis connect = std::chrono::seconds(5);  ///< name and connection together
    Millis total = std::chrono::seconds(30);
  };
  struct Answer {
    int status = 0;
    std::string body;  ///< JSON
  };

  /// `url` is "http://HOST[:PORT]"; `token` goes out as Authorization: Bearer, where it is not empty.
  static Result<AdminClient> make(const std::string& url, std::string token, Limits limits);
  static Result<AdminClient> make(const std::string& url, std::string token) {
    return make(url, std::move(token), Limits());
  }
  /// By TOLLGATE_ADMIN_URL (else http://127.0.0.1:9901) and TOLLGATE_ADMIN_TOKEN.
  static Result<AdminClient> from_environment();

  /// Any answer below 400. A refusal is a failure with the gateway's own words.
  Result<Answer> ask(std::string_view method, std::string_view target, std::string_view body = {}) const;

 private:
  AdminClient() = default;
  std::string host_, port_, token_;
  Limits limits_;
};

/// With every byte that is not plain in a path as %XX; slashes stay.
std::string escaped(std::string_view text);

}  // namespace tollgate::app
