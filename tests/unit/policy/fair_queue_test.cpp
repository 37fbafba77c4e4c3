// Whose turn it is, by example, and in random sequences against a second telling: plain lists searched from end to
// end, and overload judged from everybody's times of coming and going.
#include "tollgate/policy/fair_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);
const SteadyTime far = start + std::chrono::hours(1);

using Waiter = FairQueue::Waiter;

/// Waiters by name, so that an order is a text: the tenant's letter and a number.
class Names {
 public:
  explicit Names(FairQueue& queue) : queue_(queue) {}
  bool push(const std::string& name, Priority priority = Priority::normal, SteadyTime now = start,
            SteadyTime until = far) {
    auto& waiter = waiters_[name];
    waiter = std::make_unique<Waiter>(static_cast<std::uint64_t>(name[0]), priority);
    return queue_.push(*waiter, until, now);
  }
  Waiter& operator[](const std::string& name) { return *waiters_.at(name); }
  void destroy(const std::string& name) { waiters_.erase(name); }
  std::string name_of(const Waiter* found) const {
    for (const auto& [name, waiter] : waiters_)
      if (waiter.get() == found) return name;
    return "none";
  }
  std::string take(int times = 1, SteadyTime now = start) {
    std::string all;
    for (int i = 0; i < times; ++i) all += (i == 0 ? "" : " ") + name_of(queue_.take(now));
    return all;
  }
  std::string take_late(SteadyTime now) { return name_of(queue_.take_late(now)); }

 private:
  FairQueue& queue_;
  std::map<std::string, std::unique_ptr<Waiter>> waiters_;
};

TEST(FairQueue, serves_one_tenant_in_the_order_of_arrival) {
  FairQueue queue({});
  Names names(queue);
  for (const char* name : {"a1", "a2", "a3"}) EXPECT_TRUE(names.push(name));
  EXPECT_EQ(names.take(4), "a1 a2 a3 none");
}

TEST(FairQueue, lets_tenants_take_turns_however_many_one_sends) {
  FairQueue queue({});
  Names names(queue);
  for (const char* name : {"a1", "a2", "a3", "a4", "b1", "c1", "b2"}) names.push(name);
  EXPECT_EQ(names.take(7), "a1 b1 c1 a2 b2 a3 a4");
}

TEST(FairQueue, sends_a_tenant_that_returns_to_the_end_of_the_turns) {
  FairQueue queue({});
  Names names(queue);
  for (const char* name : {"a1", "b1", "b2", "c1"}) names.push(name);
  EXPECT_EQ(names.take(), "a1");
  names.push("a2");
  EXPECT_EQ(names.take(4), "b1 c1 a2 b2");
}

TEST(FairQueue, takes_no_more_than_may_wait) {
  FairQueue queue({.limit = 2});
  Names names(queue);
  EXPECT_TRUE(names.push("a1"));
  EXPECT_TRUE(names.push("a2"));
  EXPECT_FALSE(names.push("b1"));
  EXPECT_FALSE(names["b1"].is_waiting());
  names.take();
  EXPECT_TRUE(names.push("b2"));
  EXPECT_EQ(queue.waiting(), 2u);
}

TEST(FairQueue, lets_nobody_wait_where_the_limit_is_none) {
  FairQueue queue({.limit = 0});
  Names names(queue);
  EXPECT_FALSE(names.push("a1"));
  EXPECT_EQ(names.take(), "none");
}

TEST(FairQueue, shares_what_comes_free_as_eight_to_four_to_one) {
  FairQueue queue({.limit = 1000});
  Names names(queue);
  for (int i = 0; i < 100; ++i) {
    names.push("h" + std::to_string(i), Priority::high);
    names.push("n" + std::to_string(i), Priority::normal);
    names.push("l" + std::to_string(i), Priority::low);
  }
  for (int round = 0; round < 10; ++round) {
    std::map<Priority, int> served;
    for (int i = 0; i < 13; ++i) ++served[queue.take(start)->priority()];
    EXPECT_EQ(served[Priority::high], 8);
    EXPECT_EQ(served[Priority::normal], 4);
    EXPECT_EQ(served[Priority::low], 1);
  }
}

TEST(FairQueue, serves_the_higher_priority_first_and_leaves_no_turn_unused) {
  FairQueue queue({});
  Names names(queue);
  names.push("a1", Priority::low);
  names.push("b1", Priority::normal);
  names.push("c1", Priority::high);
  EXPECT_EQ(names.take(4), "c1 b1 a1 none");
}

TEST(FairQueue, does_not_starve_the_low_where_the_high_never_wait_two_at_a_time) {
  FairQueue queue({});
  Names names(queue);
  names.push("l1", Priority::low);
  int before = 0;
  for (; before < 100; ++before) {
    names.push("h1", Priority::high);
    if (names.take() == "l1") break;
  }
  EXPECT_LE(before, 13);
}

TEST(FairQueue, forgets_who_leaves_or_is_destroyed) {
  FairQueue queue({});
  Names names(queue);
  for (const char* name : {"a1", "a2", "a3", "b1"}) names.push(name);
  queue.remove(names["a2"]);
  queue.remove(names["a2"]);
  names.destroy("b1");
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(names.take(3), "a1 a3 none");
  EXPECT_EQ(queue.next_late(), never);
}

TEST(FairQueue, leaves_alone_who_waits_elsewhere) {
  FairQueue queue({}), other({});
  Names names(queue);
  names.push("a1");
  other.remove(names["a1"]);
  EXPECT_EQ(names.take(), "a1");
}

TEST(FairQueue, lets_go_of_all_when_it_ends) {
  Waiter waiting(1, Priority::normal), late(2, Priority::low);
  {
    FairQueue queue({});
    ASSERT_TRUE(queue.push(late, start + Millis(1), start));
    ASSERT_TRUE(queue.push(waiting, far, start + Millis(2)));
  }
  EXPECT_FALSE(waiting.is_waiting());
  EXPECT_FALSE(late.is_waiting());
}

TEST(FairQueue, gives_nobody_a_turn_whose_time_is_over) {
  FairQueue queue({});
  Names names(queue);
  names.push("a1", Priority::normal, start, start + Millis(20));
  names.push("a2", Priority::normal, start, start + Millis(10));
  names.push("a3", Priority::normal, start, start + Millis(30));
  EXPECT_EQ(queue.next_late(), start + Millis(10));
  EXPECT_EQ(names.take_late(start + Millis(9)), "none");
  EXPECT_EQ(names.take(2, start + Millis(20)), "a3 none");
  EXPECT_EQ(queue.next_late(), start + Millis(10)) << "there is someone to tell";
  EXPECT_EQ(names.take_late(start + Millis(20)), "a2");
  EXPECT_EQ(names.take_late(start + Millis(20)), "a1");
  EXPECT_EQ(names.take_late(start + Millis(20)), "none");
}

TEST(FairQueue, does_not_let_the_late_keep_others_out) {
  FairQueue queue({.limit = 1});
  Names names(queue);
  names.push("a1", Priority::normal, start, start + Millis(10));
  EXPECT_TRUE(names.push("b1", Priority::normal, start + Millis(10)));
  names.destroy("a1");
  EXPECT_EQ(names.take_late(start + Millis(10)), "none");
}

TEST(FairQueue, serves_the_newest_first_once_waits_were_too_long_for_too_long) {
  FairQueue queue({.target = Millis(50), .patience = Millis(100)});
  Names names(queue);
  for (int i = 1; i <= 6; ++i) names.push("a" + std::to_string(i), Priority::normal, start + Millis(i));
  EXPECT_EQ(names.take(1, start + Millis(151)), "a1") << "too long for 100 ms, and not for longer";
  EXPECT_EQ(names.take(2, start + Millis(152)), "a6 a5") << "the second one waits too long as well: it goes on";
  EXPECT_EQ(names.take(3, start + Millis(152)), "a4 a3 a2");
  names.push("a7", Priority::normal, start + Millis(160));
  names.push("a8", Priority::normal, start + Millis(161));
  EXPECT_EQ(names.take(1, start + Millis(162)), "a7") << "the queue was empty between";
}

TEST(FairQueue, keeps_the_turns_of_tenants_when_the_newest_go_first) {
  FairQueue queue({.target = Millis(50), .patience = Millis(100)});
  Names names(queue);
  for (const char* name : {"a1", "a2", "b1", "a3", "b2"}) names.push(name);
  ASSERT_TRUE(queue.newest_first(start + Millis(151)));
  EXPECT_EQ(names.take(5, start + Millis(151)), "a3 b2 a2 b1 a1");
}

TEST(FairQueue, does_not_turn_round_for_a_single_long_wait) {
  FairQueue queue({.target = Millis(50), .patience = Millis(100)});
  Names names(queue);
  names.push("a1", Priority::normal, start);
  EXPECT_EQ(names.take(1, start + Millis(149)), "a1");
  names.push("a2", Priority::normal, start + Millis(149));
  EXPECT_FALSE(queue.newest_first(start + Millis(160)));
}

TEST(FairQueue, stays_sane_where_time_runs_backwards) {
  FairQueue queue({});
  Names names(queue);
  names.push("a1", Priority::normal, start + Millis(10));
  names.push("a2", Priority::normal, start);
  EXPECT_FALSE(queue.newest_first(start - seconds(10)));
  EXPECT_EQ(names.take(2, start - seconds(20)), "a1 a2");
}

/// One that waits or waited, with its times in milliseconds.
struct Entry {
  std::size_t id;
  std::uint64_t tenant;
  std::size_t priority;  ///< its place: 0 is the highest
  int since, until;
  std::optional<int> gone{};
};

class Model {
 public:
  Model(std::size_t limit, int target, int patience) : limit_(limit), target_(target), patience_(patience) {}

  bool push(Entry entry, int now) {
    drop_late(now);
    if (waiting().size() >= limit_) return false;
    auto& turns = turns_[entry.priority];
    if (std::find(turns.begin(), turns.end(), entry.tenant) == turns.end()) turns.push_back(entry.tenant);
    all_.push_back(entry);
    return true;
  }

  std::optional<std::size_t> take(int now) {
    drop_late(now);
    if (waiting().empty()) return std::nullopt;
    const std::size_t priority = next_priority();
    const std::uint64_t tenant = turns_[priority].front();
    std::rotate(turns_[priority].begin(), turns_[priority].begin() + 1, turns_[priority].end());
    std::vector<Entry*> lane;
    for (Entry* entry : waiting())
      if (entry->priority == priority && entry->tenant == tenant) lane.push_back(entry);
    Entry& next = newest_first() ? *lane.back() : *lane.front();
    go(next);
    return next.id;
  }

  std::optional<std::size_t> take_late(int now) {
    drop_late(now);
    if (late_.empty()) return std::nullopt;
    const std::size_t id = late_.front();
    late_.erase(late_.begin());
    return id;
  }

  void remove(std::size_t id) {
    std::erase(late_, id);
    for (Entry* entry : waiting())
      if (entry->id == id) go(*entry);
  }

  std::vector<Entry*> waiting() {
    std::vector<Entry*> found;
    for (Entry& entry : all_)
      if (!entry.gone) found.push_back(&entry);
    return found;
  }
  /// In each of the last milliseconds somebody had waited too long.
  bool newest_first() const {
    for (int moment = seen_ - patience_; moment <= seen_; ++moment) {
      const bool exceeded = std::any_of(all_.begin(), all_.end(), [&](const Entry& entry) {
        return moment - entry.since > target_ && (!entry.gone || *entry.gone > moment);
      });
      if (!exceeded) return false;
    }
    return true;
  }
  bool one_of_its_tenant_is_older(std::size_t id) const {
    const Entry& one = all_[place_of(id)];
    return std::any_of(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(place_of(id)), [&](const Entry& other) {
      return !other.gone && other.tenant == one.tenant && other.priority == one.priority;
    });
  }

 private:
  std::size_t place_of(std::size_t id) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [id](const Entry& entry) { return entry.id == id; });
    return static_cast<std::size_t>(found - all_.begin());
  }

  void go(Entry& entry) {
    entry.gone = seen_;
    for (const Entry& other : all_)
      if (!other.gone && other.tenant == entry.tenant && other.priority == entry.priority) return;
    std::erase(turns_[entry.priority], entry.tenant);
    if (turns_[entry.priority].empty()) credits_[entry.priority] = 0;
  }

  void drop_late(int now) {
    seen_ = now;
    std::vector<Entry*> over;
    for (Entry* entry : waiting())
      if (entry->until <= now) over.push_back(entry);
    std::stable_sort(over.begin(), over.end(), [](const Entry* a, const Entry* b) { return a->until < b->until; });
    for (Entry* entry : over) {
      late_.push_back(entry->id);
      go(*entry);
    }
  }

  std::size_t next_priority() {
    constexpr int weights[] = {8, 4, 1};
    int sum = 0;
    std::size_t best = priority_count;
    for (std::size_t i = priority_count; i-- > 0;) {
      if (turns_[i].empty()) continue;
      sum += weights[i];
      credits_[i] += weights[i];
      if (best == priority_count || credits_[i] >= credits_[best]) best = i;
    }
    credits_[best] -= sum;
    return best;
  }

  std::size_t limit_;
  int target_, patience_;
  int seen_ = 0;
  std::vector<Entry> all_;  ///< in the order in which they came
  std::vector<std::size_t> late_;
  std::vector<std::uint64_t> turns_[priority_count];
  int credits_[priority_count] = {};
};

struct Reached {
  std::uint64_t turns = 0, newest = 0, late = 0, refused = 0;
};

class Sequence {
 public:
  Sequence(std::mt19937_64& random, Reached& reached)
      : random_(random),
        reached_(reached),
        limit_(1 + below(12)),
        model_(limit_, 5, 8),
        queue_({.limit = limit_, .target = Millis(5), .patience = Millis(8)}) {}

  void run() {
    for (std::uint64_t step = 20 + below(40); step > 0 && agreed_; --step) this->step();
    while (agreed_ && (!model_.waiting().empty() || queue_.waiting() > 0)) take();
    while (agreed_ && take_late()) continue;
    for (const auto& waiter : waiters_) agree(!waiter || !waiter->is_waiting());
  }
  bool agreed() const { return agreed_; }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  void agree(bool with) { agreed_ = agreed_ && with; }
  SteadyTime time(int millis) const { return start + Millis(millis); }

  void step() {
    const std::uint64_t choice = below(20);
    if (choice < 8) {
      push();
    } else if (choice < 12) {
      take();
    } else if (choice < 13) {
      take_late();
    } else if (choice < 15) {
      leave();
    } else {
      now_ += static_cast<int>(below(5));
    }
    agree(queue_.waiting() == model_.waiting().size() && queue_.waiting() <= limit_);
  }

  void push() {
    const Entry entry{.id = waiters_.size(),
                      .tenant = below(4),
                      .priority = below(3),
                      .since = now_,
                      .until = now_ + static_cast<int>(below(3) == 0 ? below(10) : below(60))};
    waiters_.push_back(
        std::make_unique<Waiter>(entry.tenant, static_cast<Priority>(priority_count - 1 - entry.priority)));
    const bool pushed = queue_.push(*waiters_.back(), time(entry.until), time(now_));
    agree(pushed == model_.push(entry, now_));
    reached_.refused += pushed ? 0 : 1;
  }

  std::optional<std::size_t> id_of(const Waiter* found) const {
    if (found == nullptr) return std::nullopt;
    const auto is_it = [found](const auto& waiter) { return waiter.get() == found; };
    return static_cast<std::size_t>(std::find_if(waiters_.begin(), waiters_.end(), is_it) - waiters_.begin());
  }

  void take() {
    const bool newest = queue_.newest_first(time(now_));
    const auto given = id_of(queue_.take(time(now_)));
    agree(given == model_.take(now_));
    if (!given || !agreed_) return;
    agree(!waiters_[*given]->is_waiting());
    ++reached_.turns;
    if (!model_.one_of_its_tenant_is_older(*given)) return;
    agree(newest);
    ++reached_.newest;
  }

  bool take_late() {
    const auto given = id_of(queue_.take_late(time(now_)));
    agree(given == model_.take_late(now_));
    reached_.late += given ? 1 : 0;
    return given.has_value();
  }

  void leave() {
    if (waiters_.empty()) return;
    const std::size_t id = below(waiters_.size());
    if (!waiters_[id]) return;
    if (below(2) == 0) {
      queue_.remove(*waiters_[id]);
    } else {
      waiters_[id].reset();
    }
    model_.remove(id);
  }

  std::mt19937_64& random_;
  Reached& reached_;
  std::size_t limit_;
  Model model_;
  FairQueue queue_;
  std::vector<std::unique_ptr<Waiter>> waiters_;
  int now_ = 1000;
  bool agreed_ = true;
};

class FairQueueModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FairQueueModel, agrees_over_40000_random_sequences_and_loses_nobody) {
  std::mt19937_64 random(GetParam());
  Reached reached;
  for (int i = 0; i < 40'000; ++i) {
    Sequence sequence(random, reached);
    sequence.run();
    ASSERT_TRUE(sequence.agreed()) << "sequence " << i;
  }
  EXPECT_GT(reached.turns, 10'000u) << "the steps have to reach what they are to test";
  EXPECT_GT(reached.newest, 1'000u);
  EXPECT_GT(reached.late, 10'000u);
  EXPECT_GT(reached.refused, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FairQueueModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
