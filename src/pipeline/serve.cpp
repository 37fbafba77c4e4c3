#include "tollgate/pipeline/serve.hpp"

#include "attempt.hpp"
#include "stages.hpp"

#include <memory>

namespace tollgate::pipeline {

namespace {

// A stream waits in serve() for minutes, so what is kept over its waits is little: a failure on the heap, and no
// results.
using MaybeFailure = std::unique_ptr<Failure>;

MaybeFailure failure_of(const Result<void>& result) {
  return result ? nullptr : std::make_unique<Failure>(result.error());
}

Task<MaybeFailure> read_body(Exchange& exchange) {
  auto read = co_await exchange.client.read_body(exchange.body);
  co_return failure_of(read);
}

MaybeFailure prepare(Exchange& exchange) {
  // From here on a client that leaves ends the request, whatever it waits for.
  exchange.client.watch();
  exchange.record.phase = Phase::route;
  if (auto parsed = parse(exchange); !parsed) return failure_of(parsed);
  return failure_of(route(exchange));
}

/// The last bytes of an answer may still wait for a slow client. One that takes nothing for too long is given up.
Task<void> drain(Exchange& exchange) {
  const Millis patience = exchange.world->snapshot->server.write_timeout;
  while (!exchange.client.drained() && !exchange.client.left()) {
    const Woke woke = co_await exchange.pause(exchange.client.last_taken() + patience);
    if (woke != Woke::progress && !exchange.client.drained()) {
      exchange.record.outcome = Outcome::cancelled;
      exchange.record.ended_by = EndedBy::client;
      exchange.client.abort();
    }
  }
}

}  // namespace

Task<void> serve(Exchange& exchange) {
  exchange.record.phase = Phase::body;
  MaybeFailure failure;
  if (!exchange.client.take_ready_body(exchange.body)) failure = co_await read_body(exchange);
  if (!failure) failure = prepare(exchange);
  if (!failure) {
    // One attempt is the whole plan until fallbacks are configurable.
    Attempt attempt(exchange);
    co_await attempt.run();
    failure = attempt.take_failure();
  }
  if (failure) rescue(exchange, *failure);
  if (!exchange.client.drained()) co_await drain(exchange);
}

}  // namespace tollgate::pipeline
