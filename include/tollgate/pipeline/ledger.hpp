#pragma once
// The book of what everything has cost, as the request path writes it: what an attempt may cost before its first byte
// goes to the provider, what it did cost before the last byte goes to the client. reliability.md, section 6.8.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/pipeline/record.hpp"
#include "tollgate/policy/budget_share.hpp"
#include "tollgate/protocol/usage.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tollgate::pipeline {

using policy::BudgetShare;

/// Whom and what a row is about. Views: names of the pinned configuration and of the request.
struct Attribution {
  std::string_view request_id;   ///< 36 characters
  std::string_view tenant, key;  ///< empty: open
  std::string_view route, task, model;
  std::string_view task_id;    ///< x-tollgate-task-id, bounded and checked; empty: none
  std::string_view tags;       ///< "k=v,k=v", percent-encoded, keys sorted; empty: none
  std::uint64_t end_user = 0;  ///< a hash; 0: none
};

/// One attempt. When it is reserved, `usage` and `cost` are the most that it may come to, and what it is settled by
/// where nothing better is known after a crash.
struct AttemptEntry {
  Attribution of;
  std::string_view attempt_id;  ///< 36 characters, a UUID of version 7
  std::uint16_t number = 1;     ///< within its request
  std::string_view target, credential;
  SystemTime began_at{};
  Micros duration{0};
  Outcome outcome = Outcome::ok;
  Waste waste = Waste::none;
  std::uint16_t status = 0;  ///< of the provider's answer; 0: there was none
  bool stream = false;
  protocol::Usage usage;
  bool estimated = false;     ///< the provider did not say what it has counted
  std::optional<Money> cost;  ///< nothing: unpriced, which is not zero
  std::string_view price;     ///< which row of the price book; empty: none
  std::span<const BudgetShare> budgets;
};

/// One request that had at least one attempt.
struct RequestEntry {
  Attribution of;
  std::string_view endpoint, target;  ///< the target of the last attempt
  SystemTime began_at{};
  Micros duration{0};
  std::optional<Micros> first_token;
  Outcome outcome = Outcome::ok;
  std::uint16_t status = 0;
  std::uint16_t attempts = 1;
  bool stream = false;
  bool estimated = false;     ///< some attempt was
  protocol::Usage usage;      ///< of the answer
  std::optional<Money> cost;  ///< of all attempts; nothing: some attempt is unpriced
  Money wasted;               ///< of that, what brought no answer
};

/// One worker's end of the book. Nothing here waits. An attempt is reserved, checkpointed any number of times, and
/// settled once; what was reserved always finds room to be settled.
class Ledger {
 public:
  virtual ~Ledger() = default;
  /// False: nothing was written, there is no room for it and for what has to follow.
  virtual bool reserve(const AttemptEntry& entry) = 0;
  /// What a reserved attempt has come to so far. Dropped where there is no room.
  virtual void checkpoint(std::string_view attempt_id, const protocol::Usage& usage, Money cost) = 0;
  /// Whom and what it is about, and the budgets, are as it was reserved. Both are there after a crash, or neither.
  /// `request`: the request's own row where this was its last attempt; null: it follows, or close() brings it.
  virtual void settle(const AttemptEntry& entry, const RequestEntry* request) = 0;
  /// The row of a request whose last attempt was settled without it.
  virtual void close(const RequestEntry& request) = 0;
};

}  // namespace tollgate::pipeline
