// Writes a ledger of synthetic requests through the store itself, in the order in which time brings them, and says how
// long that took: bench/usage.py measures reports on it.
#include "tollgate/base/ids.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/io/ledger_store.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace tollgate {

namespace {

constexpr std::uint64_t tenants = 50, keys_each = 4, models = 20, tasks = 8, users = 10'000, teams = 5;
constexpr std::size_t requests_at_once = 500;  // a batch of the drainer's, about
constexpr std::int64_t days = 30;

class Generator {
 public:
  explicit Generator(std::uint64_t count)
      : step_(std::chrono::nanoseconds(std::chrono::days(days)) / static_cast<std::int64_t>(count)) {}

  void add(io::LedgerBatch& batch) {
    io::RequestRow request;
    io::RowAttribution& of = request.of;
    of.request_id = Uuid::v7(now_, random_).text();
    const std::uint64_t tenant = below(tenants);
    of.tenant = "tenant-" + std::to_string(tenant);
    of.key = of.tenant + "-key-" + std::to_string(below(keys_each));
    of.route = "auto";
    of.task = "task-" + std::to_string(below(tasks));
    of.model = "model-" + std::to_string(below(models));
    // A user is one tenant's, as people are.
    of.end_user = (tenant * users / tenants + below(users / tenants)) * 0x9E3779B97F4A7C15U + 1;
    of.tags = "team=" + std::to_string(below(teams));
    request.endpoint = "/v1/chat/completions";
    request.target = "provider/" + of.model;
    request.began_at = now_;
    request.duration = Micros(below(20'000'000));
    request.status = 200;
    request.attempts = below(20) == 0 ? 2 : 1;
    for (std::uint16_t number = 1; number <= request.attempts; ++number) {
      batch.attempts.push_back(attempt(request, number));
      request.usage = batch.attempts.back().usage;
      request.cost = Money{request.cost.value_or(Money{}).nanos + batch.attempts.back().cost->nanos};
    }
    batch.requests.push_back(std::move(request));
    now_ += std::chrono::duration_cast<SystemTime::duration>(step_);
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  io::AttemptRow attempt(const io::RequestRow& request, std::uint16_t number) {
    io::AttemptRow row;
    row.of = request.of;
    row.attempt_id = Uuid::v7(now_, random_).text();
    row.number = number;
    row.target = request.target;
    row.credential = "main";
    row.began_at = now_;
    row.duration = request.duration;
    row.status = number == request.attempts ? 200 : 503;
    row.waste = number == request.attempts ? pipeline::Waste::none : pipeline::Waste::retry;
    row.usage.input = 200 + below(20'000);
    row.usage.cached_input = row.usage.input / 2;
    row.usage.output = below(2'000);
    row.cost = Money{static_cast<std::int64_t>(row.usage.input * 1250 + row.usage.output * 10'000)};
    row.price = "provider/" + request.of.model + "@2026-01-01";
    row.budgets = {{1, 1'761'955'200}, {2, 0}};
    return row;
  }

  Random random_{20261101};
  SystemTime now_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 1);
  std::chrono::nanoseconds step_;
};

int run(const std::string& folder, std::uint64_t count) {
  auto store = io::LedgerStore::open(folder);
  if (!store) return std::fprintf(stderr, "%s\n", store.error().message.c_str()), 1;
  Generator generator(count);
  std::uint64_t rows = 0;
  std::chrono::steady_clock::duration writing{};
  for (std::uint64_t made = 0; made < count;) {
    io::LedgerBatch batch;
    for (std::size_t i = 0; i < requests_at_once && made < count; ++i, ++made) generator.add(batch);
    rows += batch.attempts.size() + batch.requests.size();
    const auto begin = std::chrono::steady_clock::now();
    if (const auto written = (*store)->write(batch); !written)
      return std::fprintf(stderr, "%s\n", written.error().message.c_str()), 1;
    writing += std::chrono::steady_clock::now() - begin;
  }
  const double spent = std::chrono::duration<double>(writing).count();
  std::printf("%llu requests, %llu rows in %.1f s: %.0f rows/s\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(rows), spent, static_cast<double>(rows) / spent);
  return 0;
}

}  // namespace

}  // namespace tollgate

int main(int count, char** values) {
  if (count != 3) return std::fprintf(stderr, "usage: ledger_rows FOLDER REQUESTS\n"), 2;
  return tollgate::run(values[1], std::strtoull(values[2], nullptr, 10));
}
