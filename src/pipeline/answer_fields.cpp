// The gateway's own lines in the head of an answer. Written for every request, so the numbers go into place without a
// text in between.
#include "tollgate/base/decimal.hpp"
#include "tollgate/pipeline/serve.hpp"
#include "tollgate/policy/limit_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tollgate::pipeline {

namespace {

void add(ByteBuffer& fields, std::string_view name, std::string_view value) {
  if (!value.empty()) fields.append_all(name, value, "\r\n");
}

/// Writes without a look at the room that is left: the longest text is known.
class LimitFields {
 public:
  template <std::size_t size>
  void number(const char (&begin)[size], std::uint64_t value) {
    put(begin);
    end_ = write_decimal(end_, value);
    put("\r\n");
  }
  template <std::size_t size>
  void time(const char (&begin)[size], Millis value) {
    put(begin);
    end_ = policy::write_reset(end_, value);
    put("\r\n");
  }
  std::string_view text() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

 private:
  template <std::size_t size>
  void put(const char (&literal)[size]) {
    static_assert(size <= sizeof "X-Ratelimit-Remaining-Requests: ");
    std::memcpy(end_, literal, size - 1);
    end_ += size - 1;
  }

  static constexpr std::size_t longest_line =
      sizeof "X-Ratelimit-Remaining-Requests: \r\n" + std::max(longest_decimal, policy::longest_reset);
  std::array<char, 6 * longest_line> text_;
  char* end_ = text_.data();
};

void add_limits(ByteBuffer& out, const policy::Standing& standing) {
  LimitFields fields;
  if (const auto& requests = standing.requests) {
    fields.number("X-Ratelimit-Limit-Requests: ", requests->limit);
    fields.number("X-Ratelimit-Remaining-Requests: ", requests->remaining);
    fields.time("X-Ratelimit-Reset-Requests: ", requests->reset);
  }
  if (const auto& tokens = standing.tokens) {
    fields.number("X-Ratelimit-Limit-Tokens: ", tokens->limit);
    fields.number("X-Ratelimit-Remaining-Tokens: ", tokens->remaining);
    fields.time("X-Ratelimit-Reset-Tokens: ", tokens->reset);
  }
  out.append(fields.text());
}

}  // namespace

std::string_view reason_of(const Exchange& exchange) {
  using policy::Reason;
  const Reason reason = exchange.choice.reason;
  if (reason != Reason::primary) return policy::name_of(reason);
  return policy::name_of(exchange.task ? Reason::task : reason);
}

ByteBuffer answer_fields(const Exchange& exchange, std::string_view more) {
  const RequestRecord& record = exchange.record;
  ByteBuffer fields;
  fields.reserve(512 + more.size());
  add(fields, "X-Request-Id: ", record.request_id);
  add(fields, "X-Client-Request-Id: ", record.client_request_id);
  if (exchange.world->snapshot->server.full_response_headers) {
    add(fields, "X-Tollgate-Upstream-Request-Id: ", record.upstream_request_id);
    add(fields, "X-Tollgate-Route: ", record.route);
    add(fields, "X-Tollgate-Task: ", record.task);
    add(fields, "X-Tollgate-Warning: ", exchange.warning);
    if (!record.target.empty()) {
      const auto spent = std::chrono::duration_cast<Micros>(exchange.alarm.now() - exchange.began);
      const Micros overhead = std::max(Micros{0}, spent - record.waited_for_upstream);
      const std::string_view provider = std::string_view(record.target).substr(0, record.target.find('/'));
      fields.append_all("X-Tollgate-Provider: ", provider, "\r\nX-Tollgate-Model: ", record.model,
                        "\r\nX-Tollgate-Reason: ", reason_of(exchange),
                        "\r\nX-Tollgate-Attempts: ", Decimal(record.attempts.size()).text(),
                        "\r\nX-Tollgate-Overhead-Us: ", Decimal(static_cast<std::uint64_t>(overhead.count())).text(),
                        "\r\n");
    }
  }
  add_limits(fields, exchange.standing);
  fields.append(more);
  return fields;
}

}  // namespace tollgate::pipeline
