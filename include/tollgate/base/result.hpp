#pragma once
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace tollgate {

/// Who caused a failure. Only an upstream's failures may ever count against its health.
enum class Source : std::uint8_t { client, gateway, upstream };

/// What went wrong, in the words of the error table in docs/configuration.md. One kind is one HTTP status and one code.
enum class FailureKind : std::uint8_t {
  bad_request,         ///< 400
  unauthorized,        ///< 401
  not_allowed,         ///< 403
  not_found,           ///< 404, a path
  model_not_found,     ///< 404, a model name
  method_not_allowed,  ///< 405
  request_timeout,     ///< 408
  conflict,            ///< 409
  too_large,           ///< 413
  unsupported_media,   ///< 415
  rate_limited,        ///< 429
  client_left,         ///< 499, in the log only
  internal,            ///< 500, a bug of ours
  upstream_error,      ///< 502
  no_upstream,         ///< 503
  overloaded,          ///< 503
  upstream_timeout     ///< 504
};

/// A failure that can happen in ordinary life. `message` goes to the client: it says what to do and never holds a
/// secret.
struct Failure {
  FailureKind kind = FailureKind::internal;
  Source source = Source::gateway;
  std::string message;
  std::string code{};   ///< the envelope's code where it differs from the kind's own
  std::string param{};  ///< the envelope's param; empty is null
  std::optional<std::chrono::milliseconds> retry_after{};
  std::string type{};        ///< the envelope's type where it differs from the kind's own
  std::uint16_t status = 0;  ///< instead of the kind's own; 0: that one
  bool final = false;        ///< the same request can never succeed: clients are told not to retry
};

[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::runtime_error("a failed result was read as a value: " + failure.message);
}

/// A value or a Failure. Reading the wrong one is a bug and throws.
template <class T>
using Result = boost::system::result<T, Failure>;

}  // namespace tollgate
