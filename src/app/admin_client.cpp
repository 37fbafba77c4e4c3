// A client for commands: nothing else of the process runs beside it, so each step is started, waited for and judged in
// turn. The asynchronous forms are used because only they can be given up when the time is over.
#include "admin_client.hpp"

#include "tollgate/io/files.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

namespace tollgate::app {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::string_view usual_url = "http://127.0.0.1:9901";
constexpr std::string_view usual_port = "9901";
constexpr std::size_t longest_answer = 64 * 1024 * 1024;

Failure failure(std::string message) { return {FailureKind::no_upstream, Source::gateway, std::move(message)}; }

/// Starts one step and waits for it, at most until `until`.
template <class Start>
error_code wait_for(asio::io_context& context, SteadyTime until, Start start) {
  const auto outcome = std::make_shared<std::optional<error_code>>();
  start([outcome](error_code error, auto&&...) { *outcome = error; });
  context.restart();
  context.run_until(until);
  return outcome->value_or(asio::error::timed_out);
}

/// One request and its answer.
class Call {
 public:
  Call(SteadyTime connect_until, SteadyTime until) : connect_until_(connect_until), until_(until) {}

  error_code connect(const std::string& host, const std::string& port) {
    tcp::resolver resolver(context_);
    tcp::resolver::results_type found;
    auto error = wait_for(context_, connect_until_, [&](auto done) {
      resolver.async_resolve(host, port, [&found, done](error_code failed, const tcp::resolver::results_type& results) {
        if (!failed) found = results;
        done(failed);
      });
    });
    if (error) return error;
    return wait_for(context_, connect_until_, [&](auto done) { asio::async_connect(socket_, found, done); });
  }

  error_code exchange(http::request<http::string_body>& request, AdminClient::Answer& answer) {
    auto error = wait_for(context_, until_, [&](auto done) { http::async_write(socket_, request, done); });
    if (error) return error;
    parser_.body_limit(longest_answer);
    error = wait_for(context_, until_, [&](auto done) { http::async_read(socket_, buffer_, parser_, done); });
    if (error) return error;
    answer = {static_cast<int>(parser_.get().result_int()), std::move(parser_.get().body())};
    return {};
  }

 private:
  // Last to go: a step that was given up still points at the members below when the context drops it.
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  asio::io_context context_{1};
  tcp::socket socket_{context_};
  SteadyTime connect_until_, until_;
};

/// The message of OpenAI's envelope, or nothing.
std::string message_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) return {};
  return json["error"].value("message", "");
}

Failure refusal(const AdminClient::Answer& answer) {
  std::string message = message_of(answer.body);
  if (answer.status == 401)
    message =
        "the gateway does not know this token; set TOLLGATE_ADMIN_TOKEN to the value of admin.token, or of one of "
        "admin.tokens";
  else if (message.empty())
    message = "whoever listens there is no gateway";
  return failure(message + " (HTTP " + std::to_string(answer.status) + ")");
}

Failure unreachable(const std::string& place, const error_code& error) {
  const std::string hint = "; TOLLGATE_ADMIN_URL says where the gateway's admin listener is";
  if (error == asio::error::connection_refused) return failure("nobody listens at " + place + hint);
  if (error == asio::error::timed_out) return failure(place + " does not answer" + hint);
  return failure("cannot reach " + place + ": " + error.message() + hint);
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<AdminClient> AdminClient::make(const std::string& url, std::string token, Limits limits) {
  constexpr std::string_view scheme = "http://";
  const Failure wrong =
      failure("'" + url + "' is no address such as http://127.0.0.1:9901; it is plain http, a host " + "and a port");
  std::string_view rest = url;
  if (!rest.starts_with(scheme) || !is_visible(rest)) return wrong;
  rest.remove_prefix(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == rest.npos || rest.find_first_of("/?#@") != rest.npos) return wrong;
  const std::size_t colon = std::min(rest.find(':', bracket), rest.size());
  const bool literal = rest.starts_with('[');
  AdminClient client;
  client.host_ = literal ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
  client.port_ = colon < rest.size() ? rest.substr(colon + 1) : usual_port;
  const bool is_port =
      !client.port_.empty() && client.port_.size() <= 5 &&
      std::all_of(client.port_.begin(), client.port_.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (client.host_.empty() || !is_port || (literal && colon != bracket + 1)) return wrong;
  if (!is_visible(token)) return failure("TOLLGATE_ADMIN_TOKEN holds a blank, a line break or a byte outside ASCII");
  client.token_ = std::move(token);
  client.limits_ = limits;
  return client;
}

Result<AdminClient> AdminClient::from_environment() {
  const std::string url = io::environment("TOLLGATE_ADMIN_URL").value_or("");
  return make(url.empty() ? std::string(usual_url) : url, io::environment("TOLLGATE_ADMIN_TOKEN").value_or(""));
}

Result<AdminClient::Answer> AdminClient::ask(std::string_view method, std::string_view target,
                                             std::string_view body) const {
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool is_ipv6 = host_.find(':') != std::string::npos;
  const std::string place = (is_ipv6 ? "[" + host_ + "]" : host_) + ":" + port_;
  Call call(now + limits_.connect, now + limits_.total);
  if (const auto error = call.connect(host_, port_)) return unreachable(place, error);

  http::request<http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(http::field::host, place);
  request.set(http::field::user_agent, "tollgate");
  request.set(http::field::connection, "close");
  if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();

  Answer answer;
  if (const auto error = call.exchange(request, answer)) return unreachable(place, error);
  if (answer.status >= 400) return refusal(answer);
  return answer;
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF", plain = "-._~/:@";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || plain.find(c) != plain.npos) {
      result += c;
    } else {
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

}  // namespace tollgate::app
