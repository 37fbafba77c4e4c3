#include "protocol/json_write.hpp"

#include "protocol/json_pick.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol::json {
namespace {

TEST(JsonWriter, puts_commas_between_values_and_none_after_names_or_brackets) {
  std::string out;
  Writer writer(out);
  writer.open_object().key("a").number(1).key("b").open_array().close_array();
  writer.key("c").open_array().text("x").open_object().key("d").null().close_object().boolean(true).close_array();
  writer.close_object();
  EXPECT_EQ(out, R"({"a":1,"b":[],"c":["x",{"d":null},true]})");
}

TEST(JsonWriter, escapes_what_cannot_stand_in_a_string) {
  std::string out;
  Writer(out).text(std::string("q\" b\\ n\n r\r t\t z\0 d\x7F \xC3\xA9 \xFF \xED\xA0\x80", 29));
  EXPECT_EQ(
      out,
      "\"q\\\" b\\\\ n\\n r\\r t\\t z\\u0000 d\\u007f \xC3\xA9 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_TRUE(is_valid(out));
}

TEST(JsonWriter, hands_on_what_is_json_already) {
  std::string out;
  Writer(out).open_array().raw("1e400").escaped(R"(\u00e9\n)").raw(R"({"z":1},{"a":2})").close_array();
  EXPECT_EQ(out, R"([1e400,"\u00e9\n",{"z":1},{"a":2}])");
}

TEST(JsonPick, finds_members_by_name_and_of_twins_the_last) {
  const auto [a, b, c] = pick<3>(R"({"b":{"a":7},"a":1,"\u0061":2})", {"a", "b", "c"});
  EXPECT_EQ(a.text, "2");
  EXPECT_EQ(b.text, R"({"a":7})");
  EXPECT_EQ(c.kind, Kind::none);
  EXPECT_EQ(pick("[1]", "a").kind, Kind::none);
}

TEST(JsonValid, looks_at_every_token) {
  for (const char* text : {"1", "\"\"", "{}", "[]", " [1, {\"a\": [null, true, -0.5e+7]} ] ", "1e400", "[[[]]]"})
    EXPECT_TRUE(is_valid(text)) << text;
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{1:2}", "[1 2]", "{} {}", "[01]", "nul", "\"\x01\"",
                           "{\"a\":{\"b\":tru}}", "[\"\\x\"]", "]", "[}"})
    EXPECT_FALSE(is_valid(text)) << text;
  EXPECT_TRUE(is_valid(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(is_valid(std::string(65, '[') + std::string(65, ']')));
}

}  // namespace
}  // namespace tollgate::protocol::json
