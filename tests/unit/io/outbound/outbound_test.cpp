// What goes out on the gateway's own account, against receivers that the test plays: what is repeated and what is not,
// what a slow one costs, and that an end is an end.
#include "tollgate/io/outbound.hpp"

#include "support/certificates.hpp"
#include "support/gateway_under_test.hpp"
#include "support/raw_upstream.hpp"
#include "support/tls_upstream.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <mutex>
#include <thread>
#include <vector>

namespace tollgate::io {
namespace {

using test::eventually;
using test::json_answer;
using test::RawSocket;
using test::RawUpstream;

class OutboundTest : public testing::Test {
 protected:
  void TearDown() override { outbound.stop(Millis(0)); }
  OutboundSettings settings(const std::string& target = "/hook") {
    OutboundSettings to;
    to.address = {false, "127.0.0.1", receiver.port(), target};
    to.backoff_base = Millis(1);
    to.backoff_most = Millis(20);
    to.on_failure = [this](const OutboundPost& post, const std::string& why) {
      const std::lock_guard lock(mutex);
      failures.push_back(post.id + ": " + why);
    };
    return to;
  }
  std::shared_ptr<OutboundChannel> open(OutboundSettings to) { return *outbound.open(std::move(to)); }
  /// Plays one request and answers it; the connection is closed afterwards, so that the next one is a new one.
  test::UpstreamRequest answer(const std::string& with) {
    RawSocket connection = receiver.accept();
    auto request = RawUpstream::read_request(connection);
    connection.send(with);
    return request;
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex);
    return failures;
  }

  RawUpstream receiver;
  std::mutex mutex;
  std::vector<std::string> failures;
  Outbound outbound{1};
};

const std::string taken = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
std::string refusal(int status, const std::string& field = "") {
  return "HTTP/1.1 " + std::to_string(status) + " No\r\n" + field + "Connection: close\r\nContent-Length: 0\r\n\r\n";
}

TEST_F(OutboundTest, a_post_goes_to_path_and_query_with_its_fields) {
  auto to = settings("/in/box?token=a%20b&x");
  to.fields = "Content-Type: application/json\r\n";
  to.more_fields = [](const OutboundPost& post, SystemTime) {
    return "X-Size: " + std::to_string(post.body.size()) + "\r\n";
  };
  const auto channel = open(to);
  ASSERT_TRUE(channel->send({"id-1", "{\"a\":1}", 1}));
  const auto request = answer(taken);
  EXPECT_TRUE(request.head.starts_with("POST /in/box?token=a%20b&x HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.field("content-type"), "application/json");
  EXPECT_EQ(request.field("x-size"), "7");
  EXPECT_EQ(request.field("x-client-request-id"), "id-1");
  EXPECT_EQ(request.field("authorization"), "");
  EXPECT_EQ(request.body, "{\"a\":1}");
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 1; }));
}

TEST_F(OutboundTest, what_may_pass_later_is_repeated_until_it_is_taken) {
  const auto channel = open(settings());
  channel->send({"once", "body", 3});
  for (const int status : {500, 503, 408, 429}) EXPECT_EQ(answer(refusal(status)).body, "body") << status;
  { RawSocket dropped = receiver.accept(); }
  EXPECT_EQ(answer(taken).field("x-client-request-id"), "once");
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 3; }));
  EXPECT_EQ(channel->counts().failed + channel->counts().dropped, 0u);
  EXPECT_TRUE(told().empty());
}

TEST_F(OutboundTest, what_is_refused_for_good_is_not_repeated_and_holds_up_nobody) {
  const auto channel = open(settings());
  channel->send({"bad", "1", 1});
  channel->send({"moved", "2", 1});
  channel->send({"good", "3", 1});
  EXPECT_EQ(answer(refusal(400)).body, "1");
  EXPECT_EQ(answer(refusal(302, "Location: http://127.0.0.1:1/\r\n")).body, "2");
  EXPECT_EQ(answer(taken).body, "3");
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 1; }));
  EXPECT_EQ(channel->counts().failed, 2u);
  EXPECT_EQ(told(),
            (std::vector<std::string>{"bad: it answered with status 400", "moved: it answered with status 302"}));
}

TEST_F(OutboundTest, after_the_last_try_it_has_failed) {
  auto to = settings();
  to.tries = 3;
  const auto channel = open(to);
  channel->send({"lost", "x", 1});
  for (int i = 0; i < 3; ++i) answer(refusal(503));
  EXPECT_TRUE(eventually([&] { return channel->counts().failed == 1; }));
  EXPECT_EQ(told(), (std::vector<std::string>{"lost: it answered with status 503"}));
}

TEST_F(OutboundTest, a_wait_that_the_receiver_asks_for_is_kept_up_to_the_longest) {
  auto to = settings();
  to.backoff_base = std::chrono::hours(1);  // without Retry-After the second try would not come
  to.backoff_most = std::chrono::hours(1);
  const auto channel = open(to);
  channel->send({"patient", "x", 1});
  answer(refusal(429, "Retry-After: 0\r\n"));
  answer(taken);
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 1; }));

  auto hasty = settings();
  hasty.backoff_most = Millis(5);  // a receiver that asks for a day gets that much
  const auto other = open(hasty);
  other->send({"hasty", "x", 1});
  answer(refusal(503, "Retry-After: 86400\r\n"));
  answer(taken);
  EXPECT_TRUE(eventually([&] { return other->counts().sent == 1; }));
}

TEST_F(OutboundTest, a_receiver_that_never_answers_costs_a_timeout) {
  auto to = settings();
  to.timeout = Millis(30);
  to.tries = 2;
  const auto channel = open(to);
  channel->send({"silent", "x", 1});
  RawSocket first = receiver.accept(), second = receiver.accept();
  EXPECT_TRUE(eventually([&] { return channel->counts().failed == 1; }));
  EXPECT_EQ(told(), (std::vector<std::string>{"silent: it took longer than 30 ms"}));
}

TEST_F(OutboundTest, a_slow_receiver_never_holds_up_send_nor_another_channel) {
  auto to = settings();
  to.most_posts = 3;
  const auto slow = open(to);
  RawUpstream prompt;
  auto quick_settings = settings();
  quick_settings.address.port = prompt.port();
  const auto quick = open(quick_settings);
  // Nobody accepts or answers at the slow one meanwhile; the first post stays the first of those that wait.
  int fitted = 0;
  for (int i = 0; i < 50; ++i) fitted += slow->send({"s", "x", 1});
  EXPECT_EQ(fitted, 3);
  EXPECT_EQ(slow->counts().dropped, 47u);
  quick->send({"q", "x", 1});
  RawSocket connection = prompt.accept();
  RawUpstream::read_request(connection);
  connection.send(taken);
  EXPECT_TRUE(eventually([&] { return quick->counts().sent == 1; }));
  EXPECT_EQ(slow->counts().sent, 0u);
}

TEST_F(OutboundTest, what_is_too_many_bytes_is_dropped_and_counted_by_its_items) {
  auto to = settings();
  to.most_bytes = 10;
  const auto channel = open(to);
  EXPECT_FALSE(channel->send({"big", std::string(11, 'x'), 7}));
  EXPECT_TRUE(channel->send({"a", std::string(6, 'x'), 1}));
  EXPECT_FALSE(channel->send({"b", std::string(6, 'x'), 5}));
  EXPECT_TRUE(channel->send({"c", std::string(4, 'x'), 1}));
  EXPECT_EQ(channel->counts().dropped, 12u);
  answer(taken);
  answer(taken);
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 2; }));
  EXPECT_TRUE(channel->send({"d", std::string(10, 'x'), 1})) << "what has gone out takes no room";
}

TEST_F(OutboundTest, a_connection_is_used_again_and_a_stale_one_costs_nothing) {
  const auto channel = open(settings());
  channel->send({"1", "one", 1});
  RawSocket connection = receiver.accept();
  RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 1; }));
  channel->send({"2", "two", 1});
  EXPECT_EQ(RawUpstream::read_request(connection).body, "two");
  connection.send(json_answer("{}"));
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 2; }));
  connection.close();
  channel->send({"3", "three", 1});
  EXPECT_EQ(answer(taken).body, "three");
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 3; }));
}

TEST_F(OutboundTest, an_answer_without_end_is_not_read_to_its_end) {
  const auto channel = open(settings());
  channel->send({"1", "one", 1});
  RawSocket connection = receiver.accept();
  RawUpstream::read_request(connection);
  connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + test::chunk(std::string(200'000, 'x')));
  EXPECT_TRUE(eventually([&] { return channel->counts().sent == 1; }));
}

TEST_F(OutboundTest, stop_lets_out_what_waits) {
  const auto channel = open(settings());
  for (const char* id : {"1", "2", "3"}) channel->send({id, id, 1});
  std::thread play([&] {
    for (int i = 0; i < 3; ++i) answer(taken);
  });
  outbound.stop(test::patience);
  play.join();
  EXPECT_EQ(channel->counts().sent, 3u);
  EXPECT_FALSE(channel->send({"late", "x", 1}));
  EXPECT_EQ(channel->counts().dropped, 1u);
}

TEST_F(OutboundTest, stop_waits_for_nobody_longer_than_it_was_told) {
  auto to = settings();
  to.timeout = std::chrono::hours(1);
  to.backoff_base = to.backoff_most = std::chrono::hours(1);
  const auto silent = open(to);
  silent->send({"1", "x", 1});
  silent->send({"2", "x", 2});
  RawSocket held = receiver.accept();
  outbound.stop(Millis(20));  // comes back though nothing answers for an hour
  EXPECT_EQ(silent->counts().dropped, 3u);
  EXPECT_EQ(told().size(), 2u);
}

TEST_F(OutboundTest, a_repeat_that_would_come_too_late_does_not_hold_up_the_end) {
  auto to = settings();
  to.backoff_base = to.backoff_most = std::chrono::hours(1);
  const auto channel = open(to);
  channel->send({"1", "x", 1});
  answer(refusal(429, "Retry-After: 3000\r\n"));
  outbound.stop(std::chrono::minutes(30));
  EXPECT_EQ(channel->counts().dropped, 1u);
}

TEST_F(OutboundTest, without_an_owner_a_channel_still_sends_what_waits) {
  open(settings())->send({"1", "x", 1});
  EXPECT_EQ(answer(taken).body, "x");
}

TEST_F(OutboundTest, a_channel_may_outlive_the_thread) {
  std::shared_ptr<OutboundChannel> channel;
  {
    Outbound other(2);
    channel = *other.open(settings());
    other.stop();
    EXPECT_FALSE((*other.open(settings()))->send({"late", "x", 1}));
  }
  EXPECT_FALSE(channel->send({"1", "x", 1}));
}

TEST_F(OutboundTest, a_name_without_an_address_fails_and_says_why) {
  Outbound nameless(1, [](const std::string&) -> Result<Addresses> {
    return Failure{FailureKind::upstream_error, Source::upstream, "no such name"};
  });
  auto to = settings();
  to.address.host = "alerts.example";
  to.tries = 2;
  const auto channel = *nameless.open(to);
  channel->send({"1", "x", 1});
  EXPECT_TRUE(eventually([&] { return channel->counts().failed == 1; }));
  EXPECT_EQ(told(), (std::vector<std::string>{"1: its name could not be resolved"}));
}

TEST_F(OutboundTest, repeated_actions_run_once_more_before_the_end_and_may_send) {
  const auto channel = open(settings());
  int runs = 0;
  outbound.every(std::chrono::hours(1), [&] { ++runs; });
  outbound.every(std::chrono::hours(1), [&] {
    if (runs == 2) channel->send({"last", "words", 1});
  });
  std::thread play([&] { EXPECT_EQ(answer(taken).body, "words"); });
  outbound.stop(test::patience);
  play.join();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(channel->counts().sent, 1u);
}

TEST_F(OutboundTest, tls_is_verified_and_a_stranger_gets_no_post) {
  const auto authority = test::self_signed({.common_name = "test authority", .authority = true});
  const auto identity = test::issued_by(authority, {.ip_addresses = {"127.0.0.1"}});
  test::TlsUpstream secure(identity, TLS1_3_VERSION);
  const test::TemporaryFolder folder;
  folder.write("ca.pem", authority.certificate_pem());
  auto to = settings();
  to.address = {true, "127.0.0.1", secure.port(), "/"};
  to.tries = 1;
  const auto stranger = open(to);
  stranger->send({"1", "secret", 1});
  EXPECT_FALSE(secure.accept().shaken());
  EXPECT_TRUE(eventually([&] { return stranger->counts().failed == 1; }));

  to.tls.ca_file = (folder.path() / "ca.pem").string();
  const auto known = open(to);
  known->send({"2", "secret", 1});
  auto connection = secure.accept();
  ASSERT_TRUE(connection.shaken());
  EXPECT_TRUE(connection.read_request().ends_with("secret"));
  connection.send(taken);
  EXPECT_TRUE(eventually([&] { return known->counts().sent == 1; }));

  to.tls.ca_file = "/nowhere/ca.pem";
  EXPECT_FALSE(outbound.open(to));
}

}  // namespace
}  // namespace tollgate::io
