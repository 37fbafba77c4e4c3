#include "tollgate/pipeline/serve.hpp"

#include "attempt.hpp"
#include "stages.hpp"

namespace tollgate::pipeline {

namespace {

Task<Result<void>> answer(Exchange& exchange) {
  exchange.record.phase = Phase::body;
  if (!exchange.client.take_ready_body(exchange.body)) {
    if (auto read = co_await exchange.client.read_body(exchange.body); !read) co_return read.error();
  }
  // From here on a client that leaves ends the request, whatever it waits for.
  exchange.client.watch();
  exchange.record.phase = Phase::route;
  if (auto parsed = parse(exchange); !parsed) co_return parsed.error();
  if (auto routed = route(exchange); !routed) co_return routed.error();
  // One attempt is the whole plan until fallbacks are configurable.
  Attempt attempt(exchange);
  co_return co_await attempt.run();
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
  if (auto answered = co_await answer(exchange); !answered) rescue(exchange, answered.error());
  if (!exchange.client.drained()) co_await drain(exchange);
}

}  // namespace tollgate::pipeline
