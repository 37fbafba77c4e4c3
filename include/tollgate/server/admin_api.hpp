#pragma once
#include "tollgate/base/digest.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/pipeline/health.hpp"
#include "tollgate/policy/budget_book.hpp"
#include "tollgate/policy/key_table.hpp"
#include "tollgate/server/admin.hpp"
#include "tollgate/server/services.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tollgate::io {
class Loop;
class Store;
class UsageDesk;
struct KeyRow;
}  // namespace tollgate::io

namespace tollgate::server {

/// What the admin API acts on. Owned by the process's wiring, which outlives it. The functions are called on the
/// control thread.
struct AdminParts {
  io::Loop& loop;                  ///< of the control thread: answers come back by its post()
  io::Store* store = nullptr;      ///< null: nothing is stored, so there are no keys but the file's and no audit
  io::UsageDesk* usage = nullptr;  ///< null: the same
  std::function<std::shared_ptr<const config::Snapshot>()> configuration;
  std::function<std::shared_ptr<const pipeline::Health>()> health;
  policy::BudgetBook* budgets = nullptr;  ///< never null where there is a configuration with budgets
  std::function<ReloadReport()> reload;
  std::function<std::string()> effective_config;          ///< secrets masked
  std::function<void(policy::Key key)> key_added;         ///< in force on every worker soon after
  std::function<void(const Digest& digest)> key_revoked;  ///< the same
};

std::unique_ptr<AdminApi> make_admin_api(AdminParts parts);

/// A key as the store keeps it. Settings that are none of ours, or of a newer program, are a Failure.
Result<policy::Key> key_from(const io::KeyRow& row);

}  // namespace tollgate::server
