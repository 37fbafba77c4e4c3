// A request that comes again gets the answer of the first, or learns that nobody knows what became of it; a restart in
// between is the case that all this is for.
#include "store_fixture.hpp"

#include <gmock/gmock.h>

namespace tollgate::io::storage_tests {
namespace {

using State = Claim::State;
using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const Answer answer{.status = 200, .fields = "content-type: application/json\r\n", .body = std::string("{\0}\xFF", 4)};

class StoreAnswers : public StoreTest {
 protected:
  State state(const std::string& key, const std::string& body = "body", SystemTime now = at(seconds(1))) {
    return claim("acme", key, body, now).value().state;
  }
};

TEST_F(StoreAnswers, are_claimed_by_the_first_and_given_to_all_others) {
  EXPECT_EQ(state("k"), State::claimed);
  EXPECT_EQ(state("k"), State::running);
  EXPECT_EQ(finish("acme", "k", answer).value(), true);
  const Claim later = claim("acme", "k").value();
  EXPECT_EQ(later.state, State::done);
  EXPECT_EQ(later.answer, answer);
  reopen();
  const Claim much_later = claim("acme", "k").value();
  EXPECT_EQ(much_later.state, State::done);
  EXPECT_EQ(much_later.answer, answer);
}

TEST_F(StoreAnswers, may_be_large_or_empty) {
  const Answer large{.status = 599, .fields = std::string(100'000, 'f'), .body = std::string(3'000'000, '\0')};
  ASSERT_EQ(state("large"), State::claimed);
  ASSERT_EQ(state("empty"), State::claimed);
  ASSERT_TRUE(finish("acme", "large", large).value());
  ASSERT_TRUE(finish("acme", "empty", Answer{}).value());
  EXPECT_EQ(claim("acme", "large").value().answer, large);
  EXPECT_EQ(claim("acme", "empty").value().answer, Answer{});
}

TEST_F(StoreAnswers, of_another_scope_or_key_are_not_meant) {
  EXPECT_EQ(state("k"), State::claimed);
  EXPECT_EQ(claim("other", "k").value().state, State::claimed);
  EXPECT_EQ(state("l"), State::claimed);
}

TEST_F(StoreAnswers, of_another_body_are_a_conflict_running_done_and_interrupted) {
  ASSERT_EQ(state("k", "one"), State::claimed);
  EXPECT_EQ(state("k", "two"), State::conflict);
  ASSERT_TRUE(finish("acme", "k", answer).value());
  const Claim conflict = claim("acme", "k", "two").value();
  EXPECT_EQ(conflict.state, State::conflict);
  EXPECT_EQ(conflict.answer, std::nullopt);
  ASSERT_EQ(state("l", "one"), State::claimed);
  reopen();
  EXPECT_EQ(state("l", "two"), State::conflict);
  EXPECT_EQ(state("l", "one"), State::interrupted) << "and the conflict has changed nothing";
}

TEST_F(StoreAnswers, that_a_process_did_not_live_to_finish_are_interrupted) {
  ASSERT_EQ(state("k"), State::claimed);
  reopen();
  EXPECT_EQ(state("k"), State::interrupted);
  EXPECT_EQ(state("k"), State::interrupted) << "asking does not claim it";
  EXPECT_EQ(finish("acme", "k", answer).value(), false) << "nor is it this process's to finish";
  EXPECT_EQ(release("acme", "k").value(), true);
  EXPECT_EQ(state("k"), State::claimed);
}

TEST_F(StoreAnswers, that_are_released_may_be_claimed_anew) {
  ASSERT_EQ(state("k", "one"), State::claimed);
  EXPECT_EQ(release("acme", "k").value(), true);
  EXPECT_EQ(release("acme", "k").value(), false);
  EXPECT_EQ(state("k", "two"), State::claimed);
}

TEST_F(StoreAnswers, that_are_finished_are_neither_released_nor_finished_again) {
  ASSERT_EQ(state("k"), State::claimed);
  ASSERT_TRUE(finish("acme", "k", answer).value());
  EXPECT_EQ(release("acme", "k").value(), false);
  EXPECT_EQ(finish("acme", "k", Answer{.status = 500}).value(), false);
  EXPECT_EQ(finish("acme", "none", answer).value(), false);
  EXPECT_EQ(claim("acme", "k").value().answer, answer);
}

TEST_F(StoreAnswers, count_for_a_day) {
  const SystemTime made = at(seconds(1));
  ASSERT_EQ(state("k", "one", made), State::claimed);
  ASSERT_TRUE(finish("acme", "k", answer).value());
  EXPECT_EQ(state("k", "one", made + hours(24)), State::done);
  EXPECT_EQ(state("k", "two", made + hours(24)), State::conflict);
  EXPECT_EQ(state("k", "two", made + hours(24) + nanoseconds(1)), State::claimed);
  EXPECT_EQ(state("k", "two", made + hours(25)), State::running) << "nothing of the old answer is left";
  ASSERT_TRUE(finish("acme", "k", Answer{.status = 201}).value());
  EXPECT_EQ(claim("acme", "k", "two", made + hours(25)).value().answer, Answer{.status = 201});
}

TEST_F(StoreAnswers, that_were_interrupted_count_for_a_day_too) {
  const SystemTime made = at(seconds(1));
  ASSERT_EQ(state("k", "one", made), State::claimed);
  reopen();
  EXPECT_EQ(state("k", "one", made + hours(24)), State::interrupted);
  EXPECT_EQ(state("k", "one", made + hours(25)), State::claimed);
}

TEST_F(StoreAnswers, are_forgotten_by_their_age_however_many) {
  for (int i = 0; i < 2500; ++i) {
    store->claim("acme", digest_of(std::to_string(i)), digest_of("body"), at(seconds(i)), [](Result<Claim>) {});
  }
  EXPECT_EQ(forget(at(seconds(2200))).value(), 2200u);
  EXPECT_EQ(forget(at(seconds(2200))).value(), 0u);
  EXPECT_EQ(state("2200"), State::running);
  EXPECT_EQ(state("2199"), State::claimed);
}

TEST_F(StoreAnswers, that_are_forgotten_leave_the_file) {
  const std::string mark = "what somebody asked about";
  ASSERT_EQ(state("k"), State::claimed);
  ASSERT_TRUE(finish("acme", "k", Answer{.status = 200, .fields = "", .body = mark}).value());
  close();
  EXPECT_NE(content().find(mark), std::string::npos);
  open();
  ASSERT_EQ(forget(at(hours(1))).value(), 1u);
  close();
  EXPECT_EQ(content().find(mark), std::string::npos);
}

}  // namespace
}  // namespace tollgate::io::storage_tests
