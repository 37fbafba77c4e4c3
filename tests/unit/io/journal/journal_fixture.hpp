#pragma once
// What the journal's tests have in common: rows with texts of their own, a store in memory, a folder. A row's ids and
// cost follow from one number, so that a test can say what has to be there without keeping a list.
#include "tollgate/io/journal.hpp"

#include "io/storage/journal/disk.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::io {

/// A UUID of version 7 by number: the same one always.
inline std::string id_of(char kind, std::uint64_t number) {
  std::string text(37, '\0');
  std::snprintf(text.data(), text.size(), "0192%c000-0000-7000-8000-%012llx", kind,
                static_cast<unsigned long long>(number));
  text.pop_back();
  return text;
}
inline std::string request_id(std::uint64_t number) { return id_of('a', number); }
inline std::string attempt_id(std::uint64_t number) { return id_of('b', number); }

/// One attempt and its request; every field has a value that is not its default.
struct Sample {
  explicit Sample(std::uint64_t number, std::uint16_t attempt_number = 1)
      : request(request_id(number)),
        attempt(attempt_id(number * 8 + attempt_number)),
        cost(static_cast<std::int64_t>(number) + 7) {
    entry.of = {.request_id = request,
                .tenant = "acme",
                .key = "ci",
                .route = "auto",
                .task = "devops",
                .model = "gpt-5.5",
                .task_id = "task-1",
                .tags = "cost_center=4711,team=%C3%A4",
                .end_user = 77};
    entry.attempt_id = attempt;
    entry.number = attempt_number;
    entry.target = "openai/gpt-5.5-2026-04-01";
    entry.credential = "main";
    entry.began_at = SystemTime(std::chrono::milliseconds(1'780'000'000'000 + static_cast<std::int64_t>(number)));
    entry.duration = Micros(1234);
    entry.status = 200;
    entry.stream = true;
    entry.usage = {.input = 1000,
                   .cached_input = 100,
                   .cache_write = 10,
                   .cache_write_long = 5,
                   .audio_input = 4,
                   .image_input = 3,
                   .output = 500,
                   .reasoning = 50,
                   .audio_output = 2,
                   .image_output = 1,
                   .searches = 6,
                   .tier = protocol::ServiceTier::flex};
    entry.cost = Money{cost};
    entry.price = "openai/gpt-5.5@2026-04-01";
    entry.budgets = shares;
    row.of = entry.of;
    row.endpoint = "/v1/chat/completions";
    row.target = entry.target;
    row.began_at = entry.began_at;
    row.duration = Micros(2345);
    row.first_token = Micros(321);
    row.status = 200;
    row.stream = true;
    row.usage = entry.usage;
    row.cost = entry.cost;
    row.wasted = Money{3};
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  std::string request, attempt;
  std::int64_t cost;
  std::vector<pipeline::BudgetShare> shares{{11, 1'780'000'000}, {12, 1'779'000'000}};
  pipeline::AttemptEntry entry;
  pipeline::RequestEntry row;
};

/// Takes rows as the ledger's store does: the first row of an id stays.
class MemorySink final : public LedgerSink {
 public:
  Result<void> write(const LedgerBatch& batch) override {
    const std::lock_guard lock(mutex_);
    ++writes_;
    largest_ = std::max(largest_, batch.attempts.size() + batch.requests.size());
    if (refuse) return Failure{.message = "the store is locked"};
    for (const AttemptRow& row : batch.attempts) {
      if (!attempts_.emplace(row.attempt_id, row).second) ++repeated_;
    }
    for (const RequestRow& row : batch.requests) {
      if (!requests_.emplace(row.of.request_id, row).second) ++repeated_;
    }
    return {};
  }
  std::optional<AttemptRow> attempt(const std::string& id) const { return find(attempts_, id); }
  std::optional<RequestRow> request(const std::string& id) const { return find(requests_, id); }
  std::map<std::string, AttemptRow> attempts() const { return copy(attempts_); }
  std::map<std::string, RequestRow> requests() const { return copy(requests_); }
  std::size_t writes() const { return read(writes_); }
  std::size_t largest() const { return read(largest_); }
  std::size_t repeated() const { return read(repeated_); }

  std::atomic<bool> refuse{false};

 private:
  template <class Map>
  Map copy(const Map& map) const {
    const std::lock_guard lock(mutex_);
    return map;
  }
  std::size_t read(const std::size_t& figure) const {
    const std::lock_guard lock(mutex_);
    return figure;
  }
  template <class Row>
  std::optional<Row> find(const std::map<std::string, Row>& rows, const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = rows.find(id);
    if (found == rows.end()) return {};
    return found->second;
  }

  mutable std::mutex mutex_;
  std::map<std::string, AttemptRow> attempts_;
  std::map<std::string, RequestRow> requests_;
  std::size_t writes_ = 0, largest_ = 0, repeated_ = 0;
};

/// Does not wait for the real disk.
class QuickDisk : public journal::Disk {
 public:
  Result<void> sync(int) override { return {}; }
  Result<void> sync_folder(const std::string&) override { return {}; }
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tollgate-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string journal() const { return (path_ / "journal").string(); }
  /// Names in the journal's folder that end so.
  std::vector<std::filesystem::path> files(const std::string& suffix) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(journal())) {
      if (entry.path().extension() == suffix) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::filesystem::path path_;
};

using test::eventually;

/// Counts what it is told.
struct Events {
  JournalListener listener() {
    return {.on_event =
                [this](JournalEvent event, const std::string& message) {
                  const std::lock_guard lock(mutex);
                  ++count[event];
                  last = message;
                },
            .on_durable = {}};
  }
  int of(JournalEvent event) {
    const std::lock_guard lock(mutex);
    return count[event];
  }
  std::mutex mutex;
  std::map<JournalEvent, int> count;
  std::string last;
};

}  // namespace tollgate::io
