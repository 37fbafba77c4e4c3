#pragma once
// What is known of one request in flight, in one place: what its head said, who calls, what it was resolved to, what it
// holds of limits. The steps of serve() hand it on to each other.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/pipeline/idempotency.hpp"
#include "tollgate/pipeline/ledger.hpp"
#include "tollgate/pipeline/ports.hpp"
#include "tollgate/pipeline/record.hpp"
#include "tollgate/policy/admission.hpp"
#include "tollgate/policy/attempt_plan.hpp"
#include "tollgate/policy/budget_hold.hpp"
#include "tollgate/policy/key_table.hpp"
#include "tollgate/policy/price_book.hpp"
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/openai/request.hpp"
#include "tollgate/protocol/surface.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

/// What few requests say of their money.
struct MoneyWishes {
  std::string task_id;            ///< x-tollgate-task-id; empty: none
  std::string tags;               ///< x-tollgate-tags, as policy::read_tags gives them, the tenant's own among them
  std::optional<Money> max_cost;  ///< x-tollgate-max-cost
  bool include_cost = false;      ///< x-tollgate-include: cost
};

/// What the head of a client's request says, as far as the pipeline needs it.
struct Inbound {
  protocol::Surface surface = protocol::Surface::openai;
  protocol::openai::StreamKind stream_kind = protocol::openai::StreamKind::opaque;
  bool only_counts = false;         ///< the answer is a number of tokens: nothing is generated, and nothing billed
  bool knows_usage_option = false;  ///< the endpoint has stream_options.include_usage
  std::string_view path;            ///< below /v1: "/chat/completions"; the server keeps what it views
  std::string query;
  ByteBuffer fields;                             ///< the header lines that cross, each with CRLF
  std::optional<Millis> timeout;                 ///< x-tollgate-timeout-ms: may only shorten
  std::string end_user;                          ///< x-tollgate-user; empty: none
  std::string task;                              ///< x-tollgate-task; empty: none
  std::optional<policy::Priority> priority;      ///< x-tollgate-priority, held to what the key may ask for
  bool json = true;                              ///< Content-Type says JSON, or there is none
  std::unique_ptr<MoneyWishes> money;            ///< null: none
  std::unique_ptr<IdempotentClient> idempotent;  ///< the exchange's client, where an Idempotency-Key came; else null
};

/// Who is calling. Without tenants nobody in particular.
struct Caller {
  std::shared_ptr<const policy::KnownKey> key;  ///< null: open
  const config::Tenant* tenant = nullptr;       ///< of the pinned configuration; null: open
  std::string provider_credential;              ///< the caller's own, where its tenant passes credentials on
  /// What its tenant and its key allow, both.
  bool may_call(const config::Snapshot& snapshot, const config::Resolution& resolution) const;
};

/// Whom an attempt asks, and with what.
struct Choice {
  const config::Model* model = nullptr;
  const config::Target* target = nullptr;
  std::string_view part;                           ///< what the model's "*" stands for
  const config::Credential* credential = nullptr;  ///< null: the provider has none
  policy::Reason reason = policy::Reason::primary;
  policy::Load* load = nullptr;  ///< of the target: told when the first content comes
};

/// An answer with an error status, whole and without secrets, until it is known whether it is what the client gets.
struct HeldAnswer {
  std::uint16_t status = 0;
  std::string fields;  ///< header lines, each with CRLF
  std::string body;
  std::string said;  ///< what the provider said, where the body is translated; else empty
};

/// What the answer is held to, and the one that was not so.
struct Structure {
  std::string schema;
  bool asked_again = false;
  std::unique_ptr<HeldAnswer> kept;  ///< null: none, or the client has it
  std::string said, fault;           ///< its words, and where they differ from the schema
  Choice choice;                     ///< who has given it
  std::string_view model, target;    ///< as in the record
  std::optional<protocol::Usage> usage;
};

/// What was put aside for an attempt that is to start.
struct Purse {
  std::unique_ptr<policy::BudgetHold> hold;  ///< null: it counts against no budget
  const policy::PriceRow* price = nullptr;   ///< null: the target has none
  std::uint64_t input = 0, output = 0;       ///< tokens that the attempt may come to
  bool has_others = false;                   ///< another target may be asked after it
  Money most;                                ///< and what they cost
};

/// Another attempt beside the one at hand.
class Rival {
 public:
  virtual ~Rival() = default;
  /// The one at hand is about to answer: the other one ends here and now, so that what it has cost is known.
  virtual void give_way() = 0;
};

/// Why a waiting request goes on.
enum class Woke : std::uint8_t { progress, timer, client_left, must_stop };

/// One request in flight: what it needs from the world, what it asked for, what has happened. Made by the server for
/// each request, owned by its session; everything in it belongs to one worker. The configuration it began with stays
/// pinned in `world`.
struct Exchange {
  Exchange(WaitPoint& point_, Alarm& alarm_, Client& client_, Random& random_, Inbound& inbound_, Caller& caller_,
           std::shared_ptr<const World> world_)
      : point(point_),
        alarm(alarm_),
        client(client_),
        random(random_),
        inbound(inbound_),
        caller(caller_),
        world(std::move(world_)) {}

  WaitPoint& point;
  Alarm& alarm;
  Client& client;
  Random& random;
  Inbound& inbound;
  Caller& caller;
  std::shared_ptr<const World> world;

  SteadyTime began;             ///< first byte of the head
  SteadyTime deadline = never;  ///< over all attempts
  SystemTime began_at;
  RequestRecord record;

  ByteBuffer body;
  protocol::openai::RequestScan scan;
  config::Resolution resolution;
  const config::Task* task = nullptr;    ///< the route's own keys apply where there is none
  std::string_view warning;              ///< for x-tollgate-warning; empty: none
  Choice choice;                         ///< of the attempt at hand; before the first one the primary
  std::unique_ptr<HeldAnswer> held;      ///< what the last attempt brought, where that was an error
  std::unique_ptr<Structure> structure;  ///< null: the answer may be of any form
  /// For the attempt that is to start, which takes them along.
  std::vector<protocol::openai::Splice> splices;
  Purse purse;
  std::unique_ptr<policy::Hold> hold;             ///< what the request has taken of its limits; null: it has none
  policy::Standing standing;                      ///< of its limits, for the x-ratelimit fields
  policy::BudgetChain budgets;                    ///< that it counts against
  Rival* rival = nullptr;                         ///< null: the attempt at hand is alone
  std::string downgrade_to;                       ///< a model, of the budget that has last refused it; empty: none
  bool downgraded = false;                        ///< a budget has chosen the model
  Attribution account;                            ///< what its rows are put down to, once it has one
  bool account_opened = false;                    ///< some attempt is in the ledger
  bool account_closed = false;                    ///< its row is in the ledger
  std::optional<std::uint64_t> given_max_output;  ///< put into the body, for x-tollgate-max-output
  bool events_begun = false;                      ///< the client has been told 200 and text/event-stream
  bool strip_usage = false;                       ///< the usage chunk was asked for by us: it does not go to the client
  std::string dropped;                            ///< the client's fields that the target at hand has nothing like

  /// What goes to the target's provider instead of the credential configured there: the tenant's own, or the caller's.
  /// Empty `value`: nothing else goes.
  struct OwnCredential {
    std::string_view name, value;
  };
  SystemTime now() const {
    return began_at + std::chrono::duration_cast<SystemTime::duration>(alarm.woken_at() - began);
  }

  OwnCredential own_credential() const {
    const bool has_any = caller.tenant && (caller.tenant->passes_credentials || !caller.tenant->credentials.empty());
    return has_any ? find_own_credential() : OwnCredential{};
  }

  /// Waits until something has happened or the time `until` has come: `co_await exchange.pause(until)` gives a Woke. A
  /// client that has left counts before everything else, progress after everything else; progress may turn out to be
  /// none.
  auto pause(SteadyTime until);
  Woke woken_by(WaitPoint::Arrived arrived, SteadyTime until);

 private:
  OwnCredential find_own_credential() const;
};

/// What a request is told that is still there when the drain limit is over.
Failure shutting_down();

inline auto Exchange::pause(SteadyTime until) {
  struct Awaiter {
    Exchange& exchange;
    SteadyTime until;
    decltype(exchange.point.wait()) inner;
    bool await_ready() const noexcept { return inner.await_ready(); }
    void await_suspend(std::coroutine_handle<> self) {
      exchange.alarm.set(until);
      inner.await_suspend(self);
    }
    Woke await_resume() { return exchange.woken_by(inner.await_resume(), until); }
  };
  return Awaiter{*this, until, point.wait()};
}

}  // namespace tollgate::pipeline
