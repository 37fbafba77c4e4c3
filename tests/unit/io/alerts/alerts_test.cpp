// Alerts as a receiver gets them: what they say, how they are signed, and that nobody who sends one waits.
// The receiver is played by hand, so that it can fail as receivers do.
#include "tollgate/io/alerts.hpp"

#include "tollgate/base/instant.hpp"
#include "tollgate/io/diagnostics.hpp"

#include "support/raw_upstream.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace tollgate::io {
namespace {

using config::AlertChannel;
using config::AlertFormat;
using nlohmann::json;
using test::eventually;
using test::RawSocket;
using test::RawUpstream;

const SystemTime then = *parse_instant("2027-03-05T06:07:08Z");

AlertEvent event() {
  AlertEvent event;
  event.kind = AlertKind::budget_threshold;
  event.id = "event-1";
  event.tenant = "acme";
  event.budget = "monthly";
  event.window_start = parse_instant("2027-03-01T00:00:00Z");
  event.threshold = "80%";
  event.spent = Money{400'000'000'001};
  event.limit = Money{500'000'000'000};
  event.message = "80% of budget 'monthly' is spent";
  return event;
}

TEST(AlertText, as_json_every_field_that_applies_stands_for_itself) {
  EXPECT_EQ(json::parse(alert_body(AlertFormat::json, event(), then)),
            json::parse(R"({"id":"event-1","time":"2027-03-05T06:07:08Z","kind":"budget_threshold","tenant":"acme",
                            "budget":"monthly","window_start":"2027-03-01T00:00:00Z","threshold":"80%",
                            "spent_usd":"400.000000001","limit_usd":"500","message":"80% of budget 'monthly' is spent"})"));
  AlertEvent bare;
  bare.kind = AlertKind::ledger_unwritable;
  bare.id = "e";
  EXPECT_EQ(json::parse(alert_body(AlertFormat::json, bare, then)),
            json::parse(R"({"id":"e","time":"2027-03-05T06:07:08Z","kind":"ledger_unwritable"})"));
}

TEST(AlertText, for_slack_it_is_one_text_in_which_nothing_is_a_mark) {
  AlertEvent odd = event();
  odd.message = "<!channel> & \"co\"\n\xFF";
  const json body = json::parse(alert_body(AlertFormat::slack, odd, then));
  EXPECT_EQ(body.size(), 1u);
  EXPECT_EQ(body["text"],
            "*tollgate: budget_threshold*\n&lt;!channel&gt; &amp; \"co\"\n\xEF\xBF\xBD\n"
            "tenant acme · budget monthly · since 2027-03-01T00:00:00Z · threshold 80% · "
            "spent 400.000000001 of 500 USD · at 2027-03-05T06:07:08Z");
}

TEST(AlertText, the_signature_is_an_hmac_over_time_and_body) {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key-of-16-bytes!
  EXPECT_EQ(alert_signature("key-of-16-bytes!", "{\"a\":1}", SystemTime(std::chrono::seconds(1'700'000'000))),
            "t=1700000000,v1=016d7cded6acc4f341cad5c99002d71970c80fb0a4589ac6dafdef37c811681e");
}

class AlertsTest : public testing::Test {
 protected:
  void TearDown() override { outbound.stop(Millis(0)); }
  AlertChannel channel(const std::string& name, const RawUpstream& to, AlertFormat format = AlertFormat::json) {
    return {name, config::Secret("http://127.0.0.1:" + std::to_string(to.port()) + "/hook"), format, {}};
  }
  static test::UpstreamRequest answer(RawUpstream& at, int status = 200) {
    RawSocket connection = at.accept();
    auto request = RawUpstream::read_request(connection);
    connection.send("HTTP/1.1 " + std::to_string(status) + " S\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return request;
  }

  RawUpstream receiver;
  Diagnostics diagnostics{"error"};
  Outbound outbound{1};
  Alerts alerts{diagnostics, [this]() -> Outbound& { return outbound; }, {"1.2.3", 1, Millis(1)}};
};

TEST_F(AlertsTest, an_alert_is_repeated_with_the_same_id_until_it_is_taken) {
  alerts.adopt({channel("platform", receiver)});
  alerts.send("platform", event());
  const auto first = answer(receiver, 503), second = answer(receiver);
  EXPECT_EQ(first.field("x-tollgate-event"), "event-1");
  EXPECT_EQ(second.field("x-tollgate-event"), "event-1");
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(first.field("x-tollgate-signature"), "") << "there is no secret";
  EXPECT_EQ(first.field("content-type"), "application/json");
  EXPECT_TRUE(eventually([&] { return alerts.counts().posts.sent == 1; }));
}

TEST_F(AlertsTest, each_has_an_id_of_its_own_where_none_is_given) {
  alerts.adopt({channel("platform", receiver)});
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    AlertEvent one = event();
    one.id.clear();
    alerts.send("platform", one);
    const auto request = answer(receiver);
    EXPECT_EQ(json::parse(request.body)["id"], request.field("x-tollgate-event"));
    ids.insert(request.field("x-tollgate-event"));
  }
  EXPECT_EQ(ids.size(), 3u);
}

TEST_F(AlertsTest, with_a_secret_each_post_is_signed) {
  AlertChannel signed_channel = channel("platform", receiver);
  signed_channel.secret = config::Secret("key-of-16-bytes!");
  alerts.adopt({signed_channel});
  alerts.send("platform", event());
  const auto request = answer(receiver);
  const std::string signature = request.field("x-tollgate-signature");
  ASSERT_TRUE(signature.starts_with("t=")) << signature;
  const SystemTime when{std::chrono::seconds(std::stoll(signature.substr(2)))};
  EXPECT_EQ(signature, alert_signature("key-of-16-bytes!", request.body, when));
}

TEST_F(AlertsTest, without_an_address_or_a_channel_it_goes_to_the_log_only) {
  alerts.adopt({{"quiet", {}, AlertFormat::slack, {}}});
  alerts.send("quiet", event());
  alerts.send("nobody", event());
  EXPECT_EQ(alerts.counts().logged, 2u);
  EXPECT_EQ(alerts.counts().posts.sent + alerts.counts().posts.dropped, 0u);
}

TEST_F(AlertsTest, a_receiver_that_never_answers_holds_up_nobody_and_loses_what_does_not_fit) {
  alerts.adopt({channel("slow", receiver)});
  for (int i = 0; i < 300; ++i) alerts.send("slow", event());
  EXPECT_EQ(alerts.counts().posts.dropped, 44u);
}

TEST_F(AlertsTest, over_a_reload_channels_stay_and_what_waited_at_the_others_still_goes_out) {
  RawUpstream other;
  const AlertChannel kept = channel("kept", receiver), going = channel("going", other);
  alerts.adopt({kept, going});
  alerts.send("kept", event());
  alerts.send("going", event());
  AlertChannel moved = channel("going", receiver, AlertFormat::slack);
  alerts.adopt({moved, kept});
  EXPECT_EQ(json::parse(answer(other).body)["id"], "event-1") << "sent before it moved";
  EXPECT_EQ(json::parse(answer(receiver).body)["id"], "event-1");
  EXPECT_TRUE(eventually([&] { return alerts.counts().posts.sent == 2; }));
  alerts.send("going", event());
  EXPECT_TRUE(json::parse(answer(receiver).body).contains("text"));
  alerts.adopt({});
  EXPECT_TRUE(eventually([&] { return alerts.counts().posts.sent == 3; })) << "counts outlive their channels";
  alerts.send("going", event());
  EXPECT_EQ(alerts.counts().logged, 1u);
}

}  // namespace
}  // namespace tollgate::io
