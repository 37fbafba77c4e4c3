#pragma once
// What the tests of the store share: a folder of their own, waiting for a callback, and a way around the store into its
// file, as somebody with SQLite's shell has it.
#include "tollgate/io/store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace tollgate::io::storage_tests {

namespace fs = std::filesystem;

/// A moment of the tests' time; nothing here depends on the clock.
inline SystemTime at(std::chrono::nanoseconds since) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::hours(480'000) + since));
}

/// Starts something that calls back, and waits. A second call of the callback would throw out of it and end the test.
template <class T>
Result<T> wait_for(const std::function<void(Store::Done<T>)>& start) {
  const auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  start([promise](Result<T> result) { promise->set_value(std::move(result)); });
  return future.get();
}

inline Digest digest_of(const std::string& text) { return sha256(text); }

inline KeyRow key_row(const std::string& id, const std::string& name = "ci") {
  KeyRow row;
  row.id = id;
  row.tenant = "acme";
  row.name = name;
  row.digest = digest_of("secret of " + id);
  row.hint = "tg_abcd...wxyz";
  row.created_at = at(std::chrono::seconds(1));
  row.created_by = "anna";
  row.settings = R"({"limits":{}})";
  return row;
}

inline policy::AuditEntry audit_entry(const std::string& action = "key.create") {
  return {.at = at(std::chrono::nanoseconds(123'456'789)),
          .actor = "anna",
          .role = "admin",
          .action = action,
          .object = "key/1",
          .before = "",
          .after = R"({"name":"ci"})",
          .config_digest = "cafe"};
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "store_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    path = (folder / "tollgate.db").string();
    open();
  }
  void TearDown() override {
    store.reset();
    fs::remove_all(folder);
  }

  void open() {
    auto opened = Store::open(path, options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }
  void close() { store.reset(); }
  void reopen() {
    close();
    open();
  }
  /// What open() says where it must not open.
  std::string refusal() const {
    const auto opened = Store::open(path);
    EXPECT_FALSE(opened);
    return opened ? std::string() : opened.error().message;
  }

  Result<void> add(const KeyRow& row, const policy::AuditEntry& entry = audit_entry()) {
    return wait_for<void>([&](Store::Done<void> done) { store->add_key(row, entry, std::move(done)); });
  }
  Result<bool> revoke(const std::string& id, SystemTime now = at(std::chrono::seconds(9))) {
    return wait_for<bool>(
        [&](Store::Done<bool> done) { store->revoke_key(id, now, audit_entry("key.revoke"), std::move(done)); });
  }
  Result<std::vector<KeyRow>> list(bool include_revoked = true) {
    return wait_for<std::vector<KeyRow>>(
        [&](Store::Done<std::vector<KeyRow>> done) { store->list_keys(include_revoked, std::move(done)); });
  }
  Result<void> append(const policy::AuditEntry& entry) {
    return wait_for<void>([&](Store::Done<void> done) { store->append_audit(entry, std::move(done)); });
  }
  Result<std::vector<policy::AuditRow>> audit(std::uint64_t after = 0, std::size_t limit = 10'000) {
    return wait_for<std::vector<policy::AuditRow>>(
        [&](Store::Done<std::vector<policy::AuditRow>> done) { store->read_audit(after, limit, std::move(done)); });
  }
  Result<AuditVerdict> verify() {
    return wait_for<AuditVerdict>([&](Store::Done<AuditVerdict> done) { store->verify_audit(std::move(done)); });
  }
  Result<Claim> claim(const std::string& scope, const std::string& key, const std::string& body = "body",
                      SystemTime now = at(std::chrono::seconds(1))) {
    return wait_for<Claim>(
        [&](Store::Done<Claim> done) { store->claim(scope, digest_of(key), digest_of(body), now, std::move(done)); });
  }
  Result<bool> finish(const std::string& scope, const std::string& key, const Answer& answer) {
    return wait_for<bool>(
        [&](Store::Done<bool> done) { store->finish(scope, digest_of(key), answer, std::move(done)); });
  }
  Result<bool> release(const std::string& scope, const std::string& key) {
    return wait_for<bool>([&](Store::Done<bool> done) { store->release(scope, digest_of(key), std::move(done)); });
  }
  Result<std::uint64_t> forget(SystemTime before) {
    return wait_for<std::uint64_t>(
        [&](Store::Done<std::uint64_t> done) { store->forget_before(before, std::move(done)); });
  }

  /// Runs statements on the file, past the store; what SQLite says, empty where all went well.
  std::string raw(const std::string& sql) const {
    sqlite3* handle = nullptr;
    char* error = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &error);
    std::string said = error ? error : "";
    sqlite3_free(error);
    sqlite3_close(handle);
    return said;
  }
  std::string content() const { return content_of(path); }
  static std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// In place: the same file, other bytes.
  void overwrite(const std::string& bytes) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  fs::path folder;
  std::string path;
  StoreOptions options;
  std::unique_ptr<Store> store;
};

}  // namespace tollgate::io::storage_tests
