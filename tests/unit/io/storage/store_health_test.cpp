// The file goes away and comes back while the store runs; jobs wait while it closes; more is asked than it may
// remember.
#include "store_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace tollgate::io::storage_tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Waits for what the store tells of itself.
class Tidings {
 public:
  void tell(bool is_reachable) {
    const std::lock_guard lock(mutex_);
    reachable_ = is_reachable;
    ++told_;
    changed_.notify_all();
  }
  void wait_until(bool is_reachable) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reachable_ == is_reachable; });
  }
  /// Until it has been told that often since the beginning: for what may be over before anybody looks.
  void wait_for(int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_ >= times; });
  }
  int told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reachable_ = true;
  int told_ = 0;
};

/// Holds the store's thread up in a callback until it is opened.
class Gate {
 public:
  /// The store's thread is inside once this returns.
  void hold(Store& store) {
    std::promise<void> inside;
    auto entered = inside.get_future();
    store.list_keys(true, [this, entering = std::make_shared<std::promise<void>>(std::move(inside))](auto) {
      entering->set_value();
      opened_.get_future().wait();
    });
    entered.wait();
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> opened_;
};

/// How often each of many callbacks was called, and how.
struct Calls {
  explicit Calls(std::size_t count) : good(count), bad(count) {}
  template <class T>
  Store::Done<T> at(std::size_t index) {
    return [this, index](const Result<T>& result) { ++(result ? good : bad)[index]; };
  }
  std::size_t good_count() const { return static_cast<std::size_t>(std::count(good.begin(), good.end(), 1)); }
  bool each_was_called_once() const {
    for (std::size_t i = 0; i < good.size(); ++i) {
      if (good[i] + bad[i] != 1) return false;
    }
    return true;
  }
  std::vector<int> good, bad;
};

class StoreHealth : public StoreTest {
 protected:
  void SetUp() override {
    options.check_every = Millis(2);
    options.on_reachable = [this](bool is_reachable) { tidings.tell(is_reachable); };
    StoreTest::SetUp();
    ASSERT_TRUE(add(key_row("1")));
  }
  /// As of now the file is lost: it says so, jobs fail at once and name the file.
  void expect_lost() {
    tidings.wait_until(false);
    EXPECT_FALSE(store->reachable());
    const auto keys = list();
    ASSERT_FALSE(keys);
    EXPECT_THAT(keys.error().message, HasSubstr(path));
    EXPECT_EQ(keys.error().kind, FailureKind::overloaded);
    EXPECT_FALSE(add(key_row("lost")));
    EXPECT_FALSE(verify());
    EXPECT_FALSE(forget(at({})));
  }
  void expect_back() {
    tidings.wait_until(true);
    EXPECT_TRUE(store->reachable());
    EXPECT_THAT(list().value(), ElementsAre(key_row("1")));
    EXPECT_TRUE(add(key_row("2")));
    EXPECT_EQ(verify().value().first_broken, std::nullopt);
    reopen();
    EXPECT_EQ(store->load_keys().value().size(), 2u);
  }

  Tidings tidings;
};

TEST_F(StoreHealth, is_good_from_the_start_and_says_when_it_was_last) {
  const SteadyTime before = store->last_good();
  EXPECT_GT(before, SteadyTime{});
  EXPECT_TRUE(store->reachable());
  ASSERT_TRUE(add(key_row("2")));
  EXPECT_GT(store->last_good(), before);
  EXPECT_EQ(tidings.told(), 0);
}

TEST_F(StoreHealth, is_lost_with_a_file_that_was_moved_and_back_with_it) {
  fs::rename(path, path + ".moved");
  expect_lost();
  fs::rename(path + ".moved", path);
  expect_back();
}

TEST_F(StoreHealth, is_lost_where_a_folder_lies_in_the_place_of_the_file) {
  fs::rename(path, path + ".moved");
  fs::create_directory(path);
  expect_lost();
  fs::remove(path);
  fs::rename(path + ".moved", path);
  expect_back();
}

TEST_F(StoreHealth, is_lost_with_a_file_that_was_replaced_by_a_broken_one) {
  fs::rename(path, path + ".moved");
  std::ofstream(path) << "something else";
  expect_lost();
  EXPECT_EQ(content(), "something else");
  fs::rename(path + ".moved", path);
  expect_back();
}

TEST_F(StoreHealth, is_lost_with_a_file_that_was_overwritten_in_place) {
  reopen();  // all is in the file, nothing in its log
  const std::string whole = content();
  overwrite("something else");
  expect_lost();
  EXPECT_EQ(content(), "something else");
  overwrite(whole);
  expect_back();
}

TEST_F(StoreHealth, does_not_begin_anew_where_its_file_has_gone) {
  fs::rename(path, path + ".moved");
  expect_lost();
  EXPECT_FALSE(fs::exists(path));
  std::ofstream{path};  // an empty one is not the store's either
  std::string said;
  while (said.find("has come to be empty") == said.npos) {
    const auto keys = list();
    ASSERT_FALSE(keys);
    said = keys.error().message;
  }
  EXPECT_EQ(content(), "");
  fs::rename(path + ".moved", path);
  expect_back();
}

TEST_F(StoreHealth, takes_up_a_copy_that_is_put_in_place_without_mixing_the_old_log_into_it) {
  reopen();
  const std::string copy = (folder / "copy").string();
  fs::copy_file(path, copy);
  for (int i = 2; i < 50; ++i) ASSERT_TRUE(add(key_row(std::to_string(i), std::to_string(i))));
  fs::rename(copy, path);
  tidings.wait_for(2);  // lost, and found
  expect_back();
}

TEST_F(StoreHealth, of_a_job_whose_file_is_gone_is_never_called_good) {
  fs::rename(path, path + ".moved");
  EXPECT_FALSE(add(key_row("2"))) << "whichever comes first, the job or the look";
}

TEST_F(StoreHealth, does_what_waits_before_it_closes) {
  Calls calls(200);
  Gate gate;
  gate.hold(*store);
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string id = "k" + std::to_string(i);
    store->add_key(key_row(id, id), audit_entry(), calls.at<void>(i));
  }
  store->finish("nobody", Digest{}, Answer{}, {});  // callbacks may be left out
  gate.open();
  close();
  EXPECT_TRUE(calls.each_was_called_once());
  EXPECT_EQ(calls.good_count(), 200u);
  open();
  EXPECT_EQ(store->load_keys().value().size(), 201u);
}

TEST_F(StoreHealth, calls_back_once_for_every_kind_of_job_also_when_it_closes_without_its_file) {
  Calls calls(10);
  Gate gate;
  gate.hold(*store);
  store->list_keys(true, calls.at<std::vector<KeyRow>>(0));
  store->add_key(key_row("2"), audit_entry(), calls.at<void>(1));
  store->revoke_key("1", at({}), audit_entry(), calls.at<bool>(2));
  store->append_audit(audit_entry(), calls.at<void>(3));
  store->read_audit(0, 10, calls.at<std::vector<policy::AuditRow>>(4));
  store->verify_audit(calls.at<AuditVerdict>(5));
  store->claim("acme", Digest{}, Digest{}, at({}), calls.at<Claim>(6));
  store->finish("acme", Digest{}, Answer{}, calls.at<bool>(7));
  store->release("acme", Digest{}, calls.at<bool>(8));
  store->forget_before(at({}), calls.at<std::uint64_t>(9));
  fs::rename(path, path + ".moved");
  gate.open();
  close();
  EXPECT_TRUE(calls.each_was_called_once());
  EXPECT_EQ(calls.good_count(), 0u);
}

TEST_F(StoreHealth, finishes_what_is_done_in_portions_before_it_closes) {
  for (int i = 0; i < 1500; ++i) {
    store->claim("acme", digest_of(std::to_string(i)), Digest{}, at({}), {});
    store->append_audit(audit_entry(), {});
  }
  Gate gate;
  gate.hold(*store);
  std::uint64_t forgotten = 0, verified = 0;
  store->forget_before(at(std::chrono::seconds(1)), [&](Result<std::uint64_t> count) { forgotten = count.value(); });
  store->verify_audit([&](Result<AuditVerdict> verdict) { verified = verdict.value().rows; });
  gate.open();
  close();
  EXPECT_EQ(forgotten, 1500u);
  EXPECT_EQ(verified, 1501u);
}

TEST_F(StoreHealth, refuses_what_it_could_not_remember_and_forgets_nothing_else) {
  options.queue_limit = 100'000;
  reopen();
  Gate gate;
  gate.hold(*store);
  Calls calls(3);
  Failure refused;
  store->append_audit(audit_entry(), calls.at<void>(0));
  store->finish("acme", Digest{}, Answer{.status = 200, .fields = "", .body = std::string(100'000, 'x')},
                [&](Result<bool> result) { refused = result.error(); });
  store->append_audit(audit_entry(), calls.at<void>(1));
  gate.open();
  ASSERT_TRUE(append(audit_entry()));
  EXPECT_EQ(refused.kind, FailureKind::overloaded);
  EXPECT_THAT(refused.message, HasSubstr("more to do than it can remember"));
  EXPECT_EQ(calls.good_count(), 2u);
  for (int i = 0; i < 3; ++i) {
    const Answer most{.status = 200, .fields = "", .body = std::string(90'000, 'x')};
    EXPECT_TRUE(finish("acme", "k", most)) << "what was done no longer counts";
    ASSERT_TRUE(append(audit_entry()));  // once this is answered, the job before is off the books
  }
}

}  // namespace
}  // namespace tollgate::io::storage_tests
