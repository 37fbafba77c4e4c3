#include "tollgate/config/store.hpp"

#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace tollgate::config {
namespace {

std::shared_ptr<const Snapshot> loaded(const std::string& more = "") {
  test::Memory memory;
  memory.files = {{"/etc/tollgate/c.pem", "x"}};
  const Loaded result = memory.load(test::valid_with(more));
  EXPECT_TRUE(result.snapshot) << test::all_text(result);
  return result.snapshot;
}

TEST(Store, is_empty_before_the_first_snapshot) { EXPECT_EQ(Store().current(), nullptr); }

TEST(Store, stamps_each_generation_and_leaves_what_was_given_alone) {
  Store store;
  const auto snapshot = loaded();
  const auto first = store.publish(snapshot);
  const auto second = store.publish(snapshot);
  EXPECT_EQ(first->generation, 1u);
  EXPECT_EQ(second->generation, 2u);
  EXPECT_EQ(snapshot->generation, 0u);
  EXPECT_EQ(store.current(), second);
}

TEST(Store, holders_keep_the_snapshot_they_have) {
  Store store;
  store.publish(loaded());
  const auto pinned = store.current();
  store.publish(loaded("defaults: {deadline: 1m}\n"));
  EXPECT_EQ(pinned->defaults.deadline, std::chrono::minutes(15));
  EXPECT_EQ(store.current()->defaults.deadline, std::chrono::minutes(1));
}

TEST(Store, a_published_copy_resolves_within_itself) {
  Store store;
  const auto published = store.publish(loaded());
  EXPECT_EQ(published->resolve("small").model, &published->models[0]);
}

TEST(Store, readers_and_a_writer_never_see_a_generation_go_back) {
  Store store;
  const auto snapshot = loaded();
  store.publish(snapshot);
  const auto read = [&store] {
    std::uint64_t last = 0;
    while (last < 200) {
      const auto generation = store.current()->generation;
      EXPECT_GE(generation, last);
      last = generation;
    }
  };
  std::thread one(read), two(read);
  for (int i = 1; i < 200; ++i) store.publish(snapshot);
  one.join();
  two.join();
}

TEST(RestartOnlyChanges, are_named_in_the_order_of_the_file) {
  const auto before = loaded();
  const auto after = loaded(
      "server: {listen: [\"127.0.0.1:0\"], threads: 2, tls: {certificate: c.pem, private_key: c.pem}}\n"
      "admin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \":9464\"}\nlog: {access: \"off\", level: debug}\n");
  EXPECT_EQ(
      restart_only_changes(*before, *after),
      (std::vector<std::string>{"server.listen", "server.threads", "admin.listen", "metrics.listen", "log.access"}));
  EXPECT_TRUE(restart_only_changes(*before, *before).empty());
}

TEST(RestartOnlyChanges, say_nothing_of_what_a_reload_applies) {
  EXPECT_TRUE(restart_only_changes(*loaded(), *loaded("server: {max_body: 1MiB}\ndefaults: {deadline: 1m}\n")).empty());
}

TEST(RestartOnlyChanges, name_how_the_ledger_is_kept_but_not_what_it_does_when_it_cannot_be) {
  const auto before = loaded();
  const auto after = loaded("ledger: {journal: other, max_size: 2GiB, on_unwritable: reject}\n");
  EXPECT_EQ(restart_only_changes(*before, *after), (std::vector<std::string>{"ledger.journal", "ledger.max_size"}));
  EXPECT_TRUE(restart_only_changes(*before, *loaded("ledger: {on_unwritable: reject}\n")).empty());
}

TEST(Ledger, lies_beside_the_storage_unless_it_is_told_where) {
  EXPECT_EQ(loaded()->ledger, LedgerSettings{});
  EXPECT_EQ(loaded("storage: {path: data/t.db}\n")->ledger.journal, "/etc/tollgate/data/journal");
  const LedgerSettings all{
      .journal = "/srv/book", .max_size = std::size_t{64} << 20, .on_unwritable = OnUnwritable::reject};
  EXPECT_EQ(loaded("ledger: {journal: /srv/book, sync: process, max_size: 64MiB, on_unwritable: reject}\n")->ledger,
            all);
}

}  // namespace
}  // namespace tollgate::config
