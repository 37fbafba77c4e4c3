// Look-ups are scripted: the test decides what each one answers and when it comes back, and waits for what it needs to
// see.
#include "tollgate/io/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace {

using namespace tollgate;
using io::Address;
using io::Addresses;
using io::Resolver;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Addresses addresses(std::initializer_list<const char*> literals) {
  Addresses list;
  for (const char* literal : literals) list.push_back(Address::parse(literal).value());
  return list;
}

std::vector<std::string> texts(const Addresses& list) {
  std::vector<std::string> out;
  for (const auto& address : list) out.push_back(address.text());
  return out;
}

/// The name server of a test.
class Script {
 public:
  void answers(const std::string& host, std::initializer_list<const char*> literals) {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(host, Result<Addresses>(addresses(literals)));
  }
  void fails(const std::string& host) {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(host, Result<Addresses>(Failure{.message = "no such name"}));
  }
  void block(const std::string& host) {
    const std::lock_guard lock(mutex_);
    blocked_.insert(host);
  }
  void release(const std::string& host) {
    const std::lock_guard lock(mutex_);
    blocked_.erase(host);
    changed_.notify_all();
  }
  /// Waits until that many look-ups have begun: all that came of those before is to be seen by then.
  void wait_for_lookups(const std::string& host, int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_[host] >= count; });
  }
  int lookups(const std::string& host) {
    const std::lock_guard lock(mutex_);
    return begun_[host];
  }
  /// When each look-up began.
  std::vector<SteadyTime> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

  Result<Addresses> look_up(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++begun_[host];
    times_.push_back(std::chrono::steady_clock::now());
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_.contains(host); });
    return answers_.at(host);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Result<Addresses>> answers_;
  std::map<std::string, int> begun_;
  std::vector<SteadyTime> times_;
  std::set<std::string> blocked_;
};

class ResolverTest : public testing::Test {
 protected:
  io::ResolverSettings settings(Millis refresh = 1h, Millis pause = 0ms) const {
    return {.lookup = [script = script_](const std::string& host) { return script->look_up(host); },
            .refresh = refresh,
            .pause = pause};
  }
  static void wait_until_known(Resolver& resolver, const std::string& host) {
    std::promise<void> known;
    resolver.when_known(host, [&] { known.set_value(); });
    known.get_future().wait();
  }
  /// Has the name looked up once more and waits until the outcome is there.
  void refresh(Resolver& resolver, const std::string& host) {
    const int before = script_->lookups(host);
    resolver.refresh_now(host);
    script_->wait_for_lookups(host, before + 1);
    resolver.refresh_now(host);
    script_->wait_for_lookups(host, before + 2);
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>();
};

TEST_F(ResolverTest, a_literal_is_known_at_once_and_never_looked_up) {
  Resolver resolver(settings());
  for (const char* literal : {"192.0.2.7", "2001:db8::7"}) {
    resolver.watch(literal);
    ASSERT_NE(resolver.current(literal), nullptr);
    EXPECT_THAT(texts(*resolver.current(literal)), ElementsAre(literal));
    EXPECT_EQ(script_->lookups(literal), 0);
  }
}

TEST_F(ResolverTest, a_name_is_unknown_until_its_answer_comes) {
  script_->answers("a.test", {"192.0.2.1", "192.0.2.2"});
  script_->block("a.test");
  Resolver resolver(settings());
  resolver.watch("a.test");
  EXPECT_EQ(resolver.current("a.test"), nullptr);
  std::promise<std::thread::id> called;
  resolver.when_known("a.test", [&] { called.set_value(std::this_thread::get_id()); });
  script_->release("a.test");
  EXPECT_NE(called.get_future().get(), std::this_thread::get_id());
  EXPECT_THAT(texts(*resolver.current("a.test")), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(resolver.last_error("a.test"), "");
}

TEST_F(ResolverTest, a_name_server_that_is_silent_for_one_name_delays_no_other) {
  script_->answers("hole.test", {"192.0.2.1"});
  script_->answers("b.test", {"192.0.2.2"});
  script_->block("hole.test");
  Resolver resolver(settings());
  resolver.watch("hole.test");
  script_->wait_for_lookups("hole.test", 1);
  resolver.watch("b.test");
  wait_until_known(resolver, "b.test");
  EXPECT_THAT(texts(*resolver.current("b.test")), ElementsAre("192.0.2.2"));
  EXPECT_EQ(resolver.current("hole.test"), nullptr);
  script_->release("hole.test");
}

TEST_F(ResolverTest, new_addresses_replace_old_ones_and_old_views_stay_whole) {
  script_->answers("a.test", {"192.0.2.1"});
  Resolver resolver(settings());
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  const auto before = resolver.current("a.test");
  script_->answers("a.test", {"192.0.2.9"});
  refresh(resolver, "a.test");
  EXPECT_THAT(texts(*resolver.current("a.test")), ElementsAre("192.0.2.9"));
  EXPECT_THAT(texts(*before), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, a_known_answer_outlives_failures) {
  script_->answers("a.test", {"192.0.2.1"});
  Resolver resolver(settings());
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  script_->fails("a.test");
  refresh(resolver, "a.test");
  EXPECT_THAT(texts(*resolver.current("a.test")), ElementsAre("192.0.2.1"));
  EXPECT_EQ(resolver.last_error("a.test"), "no such name");
}

TEST_F(ResolverTest, a_first_failure_is_told_and_forgotten_with_the_first_answer) {
  script_->fails("a.test");
  Resolver resolver(settings(1h, 1h));  // no second look-up comes by itself
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  EXPECT_EQ(resolver.current("a.test"), nullptr);
  EXPECT_EQ(resolver.last_error("a.test"), "no such name");
}

TEST_F(ResolverTest, recovers_by_itself_after_a_failure) {
  script_->fails("a.test");
  Resolver resolver(settings(1h, 1ms));
  resolver.watch("a.test");
  script_->wait_for_lookups("a.test", 2);
  script_->answers("a.test", {"192.0.2.1"});
  refresh(resolver, "a.test");
  EXPECT_NE(resolver.current("a.test"), nullptr);
  EXPECT_EQ(resolver.last_error("a.test"), "");
}

TEST_F(ResolverTest, an_answer_without_addresses_is_a_failure) {
  script_->answers("a.test", {});
  Resolver resolver(settings(1h, 1h));
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  EXPECT_EQ(resolver.current("a.test"), nullptr);
  EXPECT_THAT(resolver.last_error("a.test"), HasSubstr("a.test: no address"));
}

TEST_F(ResolverTest, refreshes_by_itself) {
  script_->answers("a.test", {"192.0.2.1"});
  Resolver resolver(settings(1ms));
  resolver.watch("a.test");
  script_->wait_for_lookups("a.test", 5);
}

TEST_F(ResolverTest, wishes_for_a_refresh_do_not_become_a_storm) {
  script_->answers("a.test", {"192.0.2.1"});
  Resolver resolver(settings(1h, 50ms));
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  for (int i = 0; i < 100; ++i) resolver.refresh_now("a.test");
  script_->wait_for_lookups("a.test", 2);
  const auto began = script_->times();
  EXPECT_GE(began.at(1) - began.at(0), 50ms);
}

TEST_F(ResolverTest, every_waiting_callback_is_called_once) {
  script_->answers("a.test", {"192.0.2.1"});
  script_->block("a.test");
  Resolver resolver(settings());
  resolver.watch("a.test");
  std::atomic<int> calls = 0;
  for (int i = 0; i < 10; ++i) resolver.when_known("a.test", [&] { ++calls; });
  script_->release("a.test");
  script_->answers("a.test", {"192.0.2.2"});
  refresh(resolver, "a.test");
  EXPECT_EQ(calls, 10);
  resolver.when_known("a.test", [&] { ++calls; });
  EXPECT_EQ(calls, 11) << "known already: called at once";
}

TEST_F(ResolverTest, watching_is_counted) {
  script_->answers("a.test", {"192.0.2.1"});
  Resolver resolver(settings());
  resolver.watch("a.test");
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  EXPECT_EQ(script_->lookups("a.test"), 1);
  resolver.unwatch("a.test");
  EXPECT_NE(resolver.current("a.test"), nullptr);
  resolver.unwatch("a.test");
  EXPECT_EQ(resolver.current("a.test"), nullptr);
  resolver.unwatch("a.test");
  resolver.watch("a.test");
  wait_until_known(resolver, "a.test");
  EXPECT_EQ(script_->lookups("a.test"), 2);
}

TEST_F(ResolverTest, a_name_that_is_not_watched_has_an_error_and_nobody_waits_for_it) {
  Resolver resolver(settings());
  bool called = false;
  resolver.when_known("a.test", [&] { called = true; });
  EXPECT_TRUE(called);
  EXPECT_THAT(resolver.last_error("a.test"), HasSubstr("not watched"));
}

TEST_F(ResolverTest, unwatching_calls_those_who_wait) {
  script_->answers("a.test", {"192.0.2.1"});
  script_->block("a.test");
  Resolver resolver(settings());
  resolver.watch("a.test");
  bool called = false;
  resolver.when_known("a.test", [&] { called = true; });
  resolver.unwatch("a.test");
  EXPECT_TRUE(called);
  script_->release("a.test");
}

TEST_F(ResolverTest, its_end_waits_for_no_lookup_and_no_callback_comes_later) {
  script_->answers("a.test", {"192.0.2.1"});
  script_->block("a.test");
  std::promise<void> thread_ended;
  std::atomic<bool> called = false;
  {
    const std::shared_ptr<void> until_thread_ends(nullptr, [&](void*) { thread_ended.set_value(); });
    Resolver resolver(
        {.lookup = [script = script_, until_thread_ends](const std::string& host) { return script->look_up(host); }});
    resolver.watch("a.test");
    script_->wait_for_lookups("a.test", 1);
    resolver.when_known("a.test", [&] { called = true; });
  }
  script_->release("a.test");
  thread_ended.get_future().wait();
  EXPECT_FALSE(called);
}

TEST(Address, reads_literals_and_nothing_else) {
  EXPECT_EQ(Address::parse("192.0.2.1")->family(), AF_INET);
  EXPECT_EQ(Address::parse("::1")->family(), AF_INET6);
  EXPECT_EQ(Address::parse("2001:DB8:0::0007")->text(), "2001:db8::7");
  for (const char* other : {"", "localhost", "127.1", "0x7f.0.0.1", "[::1]", "1.2.3.4 ", "1.2.3.256"}) {
    EXPECT_FALSE(Address::parse(other).has_value()) << other;
  }
}

TEST(Address, carries_a_port) {
  for (const char* literal : {"192.0.2.1", "2001:db8::1"}) {
    Address address = Address::parse(literal).value();
    address.set_port(8443);
    const bool v4 = address.family() == AF_INET;
    EXPECT_EQ(ntohs(v4 ? reinterpret_cast<const sockaddr_in*>(address.data())->sin_port
                       : reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_port),
              8443);
    EXPECT_EQ(address.size(), v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(address.text(), literal);
  }
}

TEST(Address, families_take_turns_and_keep_their_order) {
  const auto mixed = io::interleave_families(addresses({"::1", "::2", "::3", "192.0.2.1", "192.0.2.2"}));
  EXPECT_THAT(texts(mixed), ElementsAre("::1", "192.0.2.1", "::2", "192.0.2.2", "::3"));
  EXPECT_THAT(texts(io::interleave_families(addresses({"192.0.2.1", "192.0.2.2"}))),
              ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(io::interleave_families({}), IsEmpty());
}

TEST(SystemLookup, finds_this_machine) {
  const auto found = io::system_lookup("localhost");
  ASSERT_TRUE(found.has_value()) << found.error().message;
  for (const auto& text : texts(*found)) EXPECT_TRUE(text == "::1" || text.starts_with("127.")) << text;
  const auto unique = texts(*found);
  EXPECT_EQ(std::set<std::string>(unique.begin(), unique.end()).size(), unique.size());
}

TEST(SystemLookup, says_which_name_failed) {
  const std::string too_long(300, 'a');  // no server is asked for a name that cannot be one
  const auto found = io::system_lookup(too_long);
  ASSERT_TRUE(found.has_error());
  EXPECT_THAT(found.error().message, HasSubstr("cannot resolve " + too_long + ": "));
}

}  // namespace
