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

template <std::size_t size>
char* put(char* to, const char (&literal)[size]) {
  std::memcpy(to, literal, size - 1);
  return to + size - 1;
}

// Six lines, each as long as the longest.
constexpr std::size_t longest_limits =
    6 * (sizeof "X-Ratelimit-Remaining-Requests: \r\n" + std::max(longest_decimal, policy::longest_reset));

/// Writes without a look at the room that is left: the longest text is known.
void add_limits(ByteBuffer& out, const policy::Standing& standing) {
  char* const begin = out.room(longest_limits).data();
  char* end = begin;
  if (const auto& requests = standing.requests) {
    end = write_decimal(put(end, "X-Ratelimit-Limit-Requests: "), requests->limit);
    end = write_decimal(put(end, "\r\nX-Ratelimit-Remaining-Requests: "), requests->remaining);
    end = policy::write_reset(put(end, "\r\nX-Ratelimit-Reset-Requests: "), requests->reset);
    end = put(end, "\r\n");
  }
  if (const auto& tokens = standing.tokens) {
    end = write_decimal(put(end, "X-Ratelimit-Limit-Tokens: "), tokens->limit);
    end = write_decimal(put(end, "\r\nX-Ratelimit-Remaining-Tokens: "), tokens->remaining);
    end = policy::write_reset(put(end, "\r\nX-Ratelimit-Reset-Tokens: "), tokens->reset);
    end = put(end, "\r\n");
  }
  out.commit(static_cast<std::size_t>(end - begin));
}

constexpr std::size_t longest_amounts =
    sizeof "X-Tollgate-Cost-Usd: \r\nX-Tollgate-Budget-Remaining-Usd: \r\n" + 2 * longest_money;

/// On an answer that goes out whole the cost is known by now; on others it is not.
void add_amounts(ByteBuffer& out, const Exchange& exchange) {
  if (!exchange.account_closed && !exchange.record.cost) return;
  if (exchange.events_begun || exchange.record.stream) return;
  char* const begin = out.room(longest_amounts).data();
  char* end = begin;
  if (exchange.record.cost && !exchange.record.unpriced)
    end = put(write_money(put(end, "X-Tollgate-Cost-Usd: "), *exchange.record.cost), "\r\n");
  const auto rest = exchange.budgets.empty() ? std::nullopt : policy::remaining(exchange.budgets, exchange.now());
  if (rest) end = put(write_money(put(end, "X-Tollgate-Budget-Remaining-Usd: "), *rest), "\r\n");
  out.commit(static_cast<std::size_t>(end - begin));
}

}  // namespace

std::string_view reason_of(const Exchange& exchange) {
  using policy::Reason;
  const Reason reason = exchange.choice.reason;
  if (exchange.downgraded) return "budget_downgrade";
  if (reason != Reason::primary) return policy::name_of(reason);
  return policy::name_of(exchange.task ? Reason::task : reason);
}

void add_answer_fields(const Exchange& exchange, ByteBuffer& fields) {
  const RequestRecord& record = exchange.record;
  const bool limited = exchange.standing.requests || exchange.standing.tokens;
  // What usually comes of the gateway's own.
  fields.reserve(384 + fields.size() + (limited ? longest_limits : 0));
  add(fields, "X-Request-Id: ", record.request_id);
  if (exchange.inbound.surface == protocol::Surface::anthropic) add(fields, "Request-Id: ", record.request_id);
  add(fields, "X-Client-Request-Id: ", record.client_request_id);
  if (exchange.world->snapshot->server.full_response_headers) {
    add(fields, "X-Tollgate-Upstream-Request-Id: ", record.upstream_request_id);
    add(fields, "X-Tollgate-Route: ", record.route);
    add(fields, "X-Tollgate-Task: ", record.task);
    add(fields, "X-Tollgate-Warning: ", exchange.warning);
    add(fields, "X-Tollgate-Dropped: ", exchange.dropped);
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
  if (exchange.given_max_output)
    fields.append_all("X-Tollgate-Max-Output: ", Decimal(*exchange.given_max_output).text(), "\r\n");
  add_amounts(fields, exchange);
  if (limited) add_limits(fields, exchange.standing);
}

ByteBuffer answer_fields(const Exchange& exchange, std::string_view more) {
  ByteBuffer fields;
  fields.append(more);
  add_answer_fields(exchange, fields);
  return fields;
}

}  // namespace tollgate::pipeline
