// The strict readers of bodies and queries, and the rate: what is taken, what is refused, and that a refusal never
// repeats what it could not read.
#include "server/admin/strict_json.hpp"

#include "server/admin/query.hpp"
#include "server/admin/rate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tollgate::server::admin {
namespace {

TEST(StrictJson, takes_what_is_plain) {
  for (const char* text : {"{}", R"({"a":{"b":1},"c":{"b":2}})", R"([{"a":1},{"a":1}])", " {\"a\" : null}\n"})
    EXPECT_TRUE(parse_json(text)) << text;
}

TEST(StrictJson, refuses_what_other_readers_would_guess_at) {
  for (const char* text : {"", "{", "{}{}", "{} x", "{'a':1}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":NaN}", "{a:1}",
                           "// x\n{}", "{\"a\":\"\xFF\"}", "{\"a\":\"\n\"}", R"({"a":1,"a":1})",
                           R"({"a":{"b":1,"b":1}})", R"({"a":1,"\u0061":1})", R"([{"a":1,"b":2,"a":3}])"})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(StrictJson, refuses_more_than_sixteen_levels) {
  EXPECT_TRUE(parse_json(std::string(16, '[') + std::string(16, ']')));
  EXPECT_FALSE(parse_json(std::string(17, '[') + std::string(17, ']')));
  EXPECT_FALSE(parse_json(std::string(60'000, '[')));
  EXPECT_FALSE(parse_json(std::string(30'000, '[') + std::string(30'000, ']')));
}

TEST(StrictJson, names_the_member_that_is_there_twice) {
  const auto parsed = parse_json(R"({"limits":{"burst":"1s","burst":"2s"}})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().param, "burst");
}

TEST(StrictJson, never_repeats_what_it_cannot_read) {
  const auto parsed = parse_json("{\"key\":\"canary\" oops}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message.find("canary"), std::string::npos);
  EXPECT_EQ(parsed.error().message.find("oops"), std::string::npos);
}

TEST(Times, are_read_and_shown_in_the_words_of_the_file) {
  struct Row {
    const char* text;
    std::int64_t millis;
    const char* shown;
  };
  for (const Row& row : {Row{"60s", 60'000, "1m"}, Row{"250ms", 250, "250ms"}, Row{"90d", 7'776'000'000, "90d"},
                         Row{"1500ms", 1500, "1500ms"}, Row{"2h", 7'200'000, "2h"}, Row{"0s", 0, "0s"}}) {
    const auto time = parse_time(row.text);
    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(time->count(), row.millis);
    EXPECT_EQ(show_time(*time), row.shown);
  }
}

TEST(Times, that_are_none_are_refused) {
  for (const char* text : {"", "s", "60", "-1s", "+1s", "1.5s", "1 s", "1S", "1s ", " 1s", "1sec",
                           "99999999999999999999s", "9223372036854775807d", "1e3s", "0x1s"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Queries, are_held_to_their_parameters) {
  constexpr std::array known{Parameter{"name", Parameter::Kind::text, ""}, Parameter{"all", Parameter::Kind::flag, ""},
                             Parameter{"limit", Parameter::Kind::number, "", 1, 1000}};
  const auto query = Query::parse("name=a%2Fb%20c&all=true&limit=1000&", known);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->text("name"), "a/b c");
  EXPECT_TRUE(query->flag("all"));
  EXPECT_EQ(query->number("limit", 5), 1000u);
  EXPECT_EQ(Query::parse("", known)->number("limit", 5), 5u);

  for (const char* text :
       {"other=1", "all=1", "all", "limit=0", "limit=1001", "limit=-1", "limit=", "limit=1x", "limit= 1",
        "limit=99999999999999999999", "name=a&name=b", "=", "NAME=a", "all=true&all=true"})
    EXPECT_FALSE(Query::parse(text, known)) << text;
  EXPECT_FALSE(Query::parse("x=1", {}));
}

TEST(Unescaped, keeps_what_is_no_escape) {
  EXPECT_EQ(unescaped("acme%2Fci"), "acme/ci");
  for (const char* text : {"%", "%4", "%zz", "%-1", "a%", "%%", "+"}) EXPECT_EQ(unescaped(text), text);
  EXPECT_EQ(unescaped("%00"), std::string(1, '\0'));
}

// --- the rate, with the time passed in ---

const SteadyTime start = SteadyTime{} + std::chrono::hours(5);

int taken(Rate& rate, SteadyTime now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += rate.take(now);
  return count;
}

TEST(Rate, gives_a_burst_and_then_an_even_rate) {
  Rate rate(50, 100);
  EXPECT_EQ(taken(rate, start, 1000), 100);
  EXPECT_EQ(taken(rate, start + Millis(19), 10), 0);
  EXPECT_EQ(taken(rate, start + Millis(20), 10), 1);
  EXPECT_EQ(taken(rate, start + Millis(1020), 1000), 50);
}

TEST(Rate, holds_no_more_than_its_burst_however_long_nobody_asks) {
  Rate rate(50, 100);
  EXPECT_EQ(taken(rate, start, 30), 30);
  EXPECT_EQ(taken(rate, start + std::chrono::hours(10), 1000), 100);
}

TEST(Rate, is_not_paid_for_refusals) {
  Rate rate(50, 100);
  taken(rate, start, 1'000'000);
  EXPECT_EQ(taken(rate, start + std::chrono::seconds(2), 1000), 100);
}

}  // namespace
}  // namespace tollgate::server::admin
