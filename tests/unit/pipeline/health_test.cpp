// What the book of health tells of circuits and credentials: each change once to the log, all of them to the metrics,
// whoever asks first, and over a reload.
#include "tollgate/pipeline/health.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline {
namespace {

using policy::CircuitState;
using policy::Verdict;
using Names = HealthFigures::Names;

const SteadyTime start = SteadyTime{} + std::chrono::hours(5);

/// A provider `p` with the credential `main` and the model `m`.
config::Snapshot snapshot(unsigned failures = 2) {
  config::Snapshot made;
  config::Provider provider;
  provider.name = "p";
  provider.credentials.push_back({"main", config::Secret("test-key-1")});
  provider.circuit.failures = failures;
  made.providers.push_back(provider);
  config::Model model;
  model.name = "m";
  config::Target target;
  target.label = "p/m";
  model.targets.push_back(target);
  made.models.push_back(model);
  return made;
}

void fail(policy::Circuit& circuit, SteadyTime now, int times) {
  for (int i = 0; i < times; ++i) circuit.report(*circuit.admit(now), Verdict::failure, now, 0.5);
}

struct Book {
  HealthBook book;
  std::shared_ptr<const Health> health = book.health_of(snapshot(), start);
  policy::Circuit& circuit() { return *health->models[0][0].circuits[0]; }
  CredentialHealth& credential() { return *health->credentials[0][0]; }
};

TEST(HealthFigures, hold_every_circuit_and_credential_from_the_start) {
  Book known;
  const HealthFigures figures = known.book.figures(start);
  ASSERT_EQ(figures.circuits.size(), 2u);
  EXPECT_EQ(figures.circuits.at(Names{"p/m", "main"}).state, CircuitState::closed);
  EXPECT_EQ(figures.circuits.at(Names{"p/m", "(callers)"}).state, CircuitState::closed);
  EXPECT_FALSE(figures.circuits.at(Names{"p/m", "main"}).forced);
  EXPECT_EQ(figures.set_aside, (std::map<Names, bool>{{Names{"p", "main"}, false}}));
  EXPECT_EQ(figures.repeats_denied, (HealthFigures::Counts{{Names{"p/m"}, 0}}));
  EXPECT_TRUE(figures.transitions.empty());
}

TEST(HealthFigures, count_a_transition_however_often_log_and_metrics_ask) {
  Book known;
  fail(known.circuit(), start, 2);
  const Names opened{"p/m", "main", "open"};
  EXPECT_EQ(known.book.figures(start).transitions, (HealthFigures::Counts{{opened, 1}}));
  EXPECT_EQ(known.book.take_changes().size(), 1u) << "a scrape does not take what the log is to tell";
  EXPECT_TRUE(known.book.take_changes().empty());
  EXPECT_EQ(known.book.figures(start).transitions, (HealthFigures::Counts{{opened, 1}}));
  EXPECT_EQ(known.book.figures(start).circuits.at(Names{"p/m", "main"}).state, CircuitState::open);
}

TEST(HealthFigures, see_a_circuit_that_a_reload_goes_over_as_it_was) {
  Book known;
  fail(known.circuit(), start, 2);
  known.circuit().force(CircuitState::open, start);
  known.health = known.book.health_of(snapshot(7), start);
  const HealthFigures figures = known.book.figures(start + std::chrono::hours(9));
  EXPECT_EQ(figures.circuits.at(Names{"p/m", "main"}).state, CircuitState::open);
  EXPECT_TRUE(figures.circuits.at(Names{"p/m", "main"}).forced);
}

TEST(HealthFigures, count_no_transition_where_the_state_stays) {
  Book known;
  known.circuit().force(CircuitState::closed, start);
  EXPECT_TRUE(known.book.figures(start).transitions.empty());
  EXPECT_EQ(known.book.take_changes().size(), 1u) << "the log tells who holds it";
}

TEST(HealthFigures, keep_the_count_and_drop_the_gauge_of_what_is_configured_no_more) {
  Book known;
  fail(known.circuit(), start, 2);
  EXPECT_EQ(known.book.take_changes().size(), 1u);
  known.health = known.book.health_of({}, start);
  const HealthFigures figures = known.book.figures(start);
  EXPECT_TRUE(figures.circuits.empty());
  EXPECT_TRUE(figures.set_aside.empty());
  EXPECT_EQ(figures.transitions.size(), 1u);
}

TEST(CredentialNews, come_once_for_each_time_that_it_is_refused_and_taken_again) {
  Book known;
  known.credential().accepted();
  EXPECT_TRUE(known.book.take_credential_changes().empty()) << "it was never refused";
  const auto until = start + std::chrono::minutes(10);
  known.credential().set_aside(until, start, {401, "invalid_api_key"});
  known.credential().set_aside(until, start, {403, {}});
  EXPECT_TRUE(known.book.figures(start).set_aside.at(Names{"p", "main"}));
  EXPECT_FALSE(known.book.figures(until).set_aside.at(Names{"p", "main"}));
  known.credential().accepted();
  known.credential().accepted();
  const auto changes = known.book.take_credential_changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].provider, "p");
  EXPECT_EQ(changes[0].credential, "main");
  EXPECT_TRUE(changes[0].news.set_aside);
  EXPECT_EQ(changes[0].news.why.status, 401);
  EXPECT_EQ(changes[0].news.why.code, "invalid_api_key");
  EXPECT_FALSE(changes[1].news.set_aside);
  EXPECT_TRUE(known.book.take_credential_changes().empty());
  EXPECT_FALSE(known.book.figures(start).set_aside.at(Names{"p", "main"}));
}

TEST(CredentialNews, come_again_where_its_time_is_over_and_it_is_still_refused) {
  Book known;
  const auto until = start + std::chrono::minutes(10);
  known.credential().set_aside(until, start, {401, {}});
  known.credential().set_aside(until + std::chrono::minutes(10), until, {402, {}});
  EXPECT_EQ(known.book.take_credential_changes().size(), 2u);
}

TEST(CredentialNews, are_not_heaped_up_where_nobody_takes_them) {
  Book known;
  for (int i = 0; i < 1000; ++i) {
    known.credential().set_aside(start + std::chrono::minutes(10), start, {401, {}});
    known.credential().accepted();
  }
  const auto changes = known.book.take_credential_changes();
  EXPECT_EQ(changes.size(), CredentialHealth::most_news);
  EXPECT_FALSE(changes.back().news.set_aside);
}

}  // namespace
}  // namespace tollgate::pipeline
