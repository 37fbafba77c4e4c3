#include "tollgate/pipeline/serve.hpp"

#include "account.hpp"
#include "attempt.hpp"
#include "dispatcher.hpp"
#include "race.hpp"
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
  if (auto routed = route(exchange); !routed) return failure_of(routed);
  return failure_of(authorize(exchange));
}

/// After the rights, which are judged for every request, before the limits: an answer that is given again costs
/// nothing, and who waits for it keeps nobody out.
Task<MaybeFailure> take_idempotent_turn(Exchange& exchange) {
  auto taken = co_await take_turn(exchange);
  co_return failure_of(taken);
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

constexpr int most_overtaken = 32;

/// Whoever waits between attempts is not asked for an answer any more.
MaybeFailure stopped_by(Woke woke) {
  if (woke == Woke::client_left)
    return std::make_unique<Failure>(Failure{FailureKind::client_left, Source::client, "the client left"});
  return woke == Woke::must_stop ? std::make_unique<Failure>(shutting_down()) : nullptr;
}

/// Waits until the time of the next attempt; gives what has ended the request meanwhile.
Task<MaybeFailure> wait_until(Exchange& exchange, SteadyTime time) {
  exchange.record.phase = Phase::queue;
  const SteadyTime began = exchange.alarm.woken_at();
  MaybeFailure stopped;
  while (!stopped && exchange.alarm.woken_at() < time) {
    const Woke woke = co_await exchange.pause(time);
    stopped = stopped_by(woke);
  }
  exchange.record.waited_for_upstream += std::chrono::duration_cast<Micros>(exchange.alarm.woken_at() - began);
  co_return stopped;
}

/// Waits for a place at the target that was chosen; without one it is passed over.
Task<MaybeFailure> queue_up(Exchange& exchange, Dispatcher& dispatcher) {
  exchange.record.phase = Phase::queue;
  const SteadyTime began = exchange.alarm.woken_at();
  SteadyTime until = began;
  const auto turn = dispatcher.wait_for_place(until);
  MaybeFailure stopped;
  bool taken = false;
  while (turn && !stopped && !taken) {
    const Woke woke = co_await exchange.pause(until);
    taken = turn->take();
    if (taken) dispatcher.place_taken();
    stopped = stopped_by(woke);
    if (woke == Woke::timer) break;
  }
  if (!taken) dispatcher.pass_over();
  exchange.record.waited_for_upstream += std::chrono::duration_cast<Micros>(exchange.alarm.woken_at() - began);
  co_return stopped;
}

/// Nobody else is asked: what the last one said is the answer.
MaybeFailure give_up(Exchange& exchange, const Dispatcher& dispatcher, MaybeFailure failure, policy::Remedy last) {
  // What was kept is better than any error.
  if (exchange.structure && exchange.structure->kept) return nullptr;
  // Where one attempt is all there is to be, nothing of the client's own is multiplied.
  const bool plan_is_over = dispatcher.repeats() && dispatcher.attempts() > 0 && last != policy::Remedy::nothing;
  if (exchange.held) {
    send_held(exchange, !plan_is_over);
    return nullptr;
  }
  if (!failure) failure = std::make_unique<Failure>(dispatcher.none_usable());
  failure->final = failure->final || plan_is_over;
  return failure;
}

}  // namespace

Task<MaybeFailure> dispatch(Exchange& exchange) {
  Dispatcher dispatcher(exchange);
  MaybeFailure failure;
  policy::Remedy remedy = policy::Remedy::repeat;
  // Who is overtaken by others each time is not usable to it.
  int overtaken = 0;
  while (const auto at = dispatcher.next()) {
    if (*at > exchange.alarm.woken_at()) {
      MaybeFailure stopped = co_await wait_until(exchange, *at);
      if (stopped) co_return stopped;
    }
    if (!dispatcher.take_place()) {
      MaybeFailure stopped = co_await queue_up(exchange, dispatcher);
      if (stopped) co_return stopped;
      if (!dispatcher.has_place()) continue;
    }
    if (auto forbidden = dispatcher.take_money()) {
      // A fallback may be too dear where the primary was not; what nobody was asked for is told as it is.
      if (dispatcher.attempts() == 0) co_return forbidden;
      continue;
    }
    if (!dispatcher.begin()) {
      if (++overtaken > most_overtaken) break;
      continue;
    }
    Attempt first(exchange);
    first.start();
    co_await first.run(dispatcher.hedge_at());
    std::unique_ptr<Attempt> second;
    if (!first.is_over()) second = co_await race(exchange, dispatcher, first);
    const Attempt& last = second ? *second : first;
    failure = last.failure() ? std::make_unique<Failure>(*last.failure()) : nullptr;
    switch (last.result()) {
      case AttemptResult::answered: dispatcher.answered(); co_return nullptr;
      case AttemptResult::abandoned: dispatcher.abandoned(last.had_content()); co_return failure;
      case AttemptResult::broken: dispatcher.failed(last.end()); co_return failure;
      case AttemptResult::no_answer: break;
    }
    const AttemptEnd end = last.end();
    dispatcher.failed(end);
    remedy = end.diagnosis.remedy;
  }
  co_return give_up(exchange, dispatcher, std::move(failure), remedy);
}

Task<void> serve(Exchange& exchange) {
  exchange.record.phase = Phase::body;
  MaybeFailure failure;
  if (!exchange.client.take_ready_body(exchange.body)) {
    // With a key only the body tells whether it is an answer that is given again, which takes nothing of a limit.
    if (!exchange.inbound.idempotent) failure = failure_of(may_begin(exchange));
    if (!failure) failure = co_await read_body(exchange);
  }
  if (!failure) failure = prepare(exchange);
  IdempotentClient* const idempotent = exchange.inbound.idempotent.get();
  if (!failure && idempotent) failure = co_await take_idempotent_turn(exchange);
  const bool replayed = idempotent && idempotent->replayed();
  if (!failure && !replayed) failure = failure_of(admit(exchange));
  if (!failure && !replayed) {
    find_budgets(exchange);
    expect_structure(exchange);
    if (counts_here(exchange)) {
      answer_count(exchange);
    } else {
      failure = co_await dispatch(exchange);
      if (failure && downgrade(exchange)) failure = co_await dispatch(exchange);
      if (!failure && ask_again(exchange)) failure = co_await dispatch(exchange);
      const bool has_left = failure && failure->kind == FailureKind::client_left;
      if (!has_left && send_kept(exchange)) failure.reset();
    }
  }
  if (idempotent) share_answer(exchange, failure != nullptr);
  if (failure) rescue(exchange, *failure);
  if (!exchange.client.drained()) co_await drain(exchange);
  settle(exchange);
}

}  // namespace tollgate::pipeline
