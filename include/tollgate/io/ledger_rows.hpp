#pragma once
// What the journal hands to the ledger's store: rows that own their texts, batches of them, and the port that takes
// them.
#include "tollgate/base/result.hpp"
#include "tollgate/pipeline/ledger.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tollgate::io {

/// pipeline::Attribution, owning.
struct RowAttribution {
  std::string request_id;  ///< 36 characters
  std::string tenant, key;
  std::string route, task, model;
  std::string task_id;
  std::string tags;
  std::uint64_t end_user = 0;
  bool operator==(const RowAttribution&) const = default;
};

/// One settled attempt: pipeline::AttemptEntry, owning.
struct AttemptRow {
  RowAttribution of;
  std::string attempt_id;  ///< 36 characters; the row's identity
  std::uint16_t number = 1;
  std::string target, credential;
  SystemTime began_at{};
  Micros duration{0};
  pipeline::Outcome outcome = pipeline::Outcome::ok;
  pipeline::Waste waste = pipeline::Waste::none;
  std::uint16_t status = 0;
  bool stream = false;
  protocol::Usage usage;
  bool estimated = false;
  std::optional<Money> cost;  ///< nothing: unpriced
  std::string price;
  std::vector<pipeline::BudgetShare> budgets;
  bool recovered = false;  ///< its process ended before it was settled
  bool operator==(const AttemptRow&) const = default;
};

/// One request: pipeline::RequestEntry, owning.
struct RequestRow {
  RowAttribution of;  ///< of.request_id is the row's identity
  std::string endpoint, target;
  SystemTime began_at{};
  Micros duration{0};
  std::optional<Micros> first_token;
  pipeline::Outcome outcome = pipeline::Outcome::ok;
  std::uint16_t status = 0;
  std::uint16_t attempts = 1;
  bool stream = false;
  bool estimated = false;
  protocol::Usage usage;
  std::optional<Money> cost;
  Money wasted;
  bool recovered = false;  ///< its process ended before it was closed: put together from its attempts
  bool operator==(const RequestRow&) const = default;
};

struct LedgerBatch {
  std::vector<AttemptRow> attempts;
  std::vector<RequestRow> requests;
};

/// Takes rows for good. All of a batch or nothing of it; a row whose id is there already changes nothing, whatever else
/// it says, and is no error: the same rows come again after a crash. May block. One thread at a time: the journal's
/// own, and the one that opens the journal before that.
class LedgerSink {
 public:
  virtual ~LedgerSink() = default;
  /// Success: every row will be there after a crash. Failure: whether any is there is unknown, and all come again.
  virtual Result<void> write(const LedgerBatch& batch) = 0;
};

}  // namespace tollgate::io
