// 500 texts that have broken databases, as every text that the store takes: they come back byte for byte, and the rest
// of the store is as if they were not there.
#include "tollgate/base/random.hpp"

#include "store_fixture.hpp"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <set>
#include <string_view>
#include <vector>

namespace tollgate::io::storage_tests {
namespace {

using namespace std::string_view_literals;

constexpr std::array seeds = {""sv,
                              "\0"sv,
                              "a\0b"sv,
                              "\0\0\0"sv,
                              "'"sv,
                              "''"sv,
                              "\""sv,
                              "\"\""sv,
                              "`"sv,
                              "[x]"sv,
                              ";"sv,
                              "--"sv,
                              "-- "sv,
                              "/*"sv,
                              "*/"sv,
                              "\\"sv,
                              "\\'"sv,
                              "%"sv,
                              "_"sv,
                              "?"sv,
                              "?1"sv,
                              ":id"sv,
                              "@id"sv,
                              "$id"sv,
                              "NULL"sv,
                              "null"sv,
                              "0"sv,
                              "-1"sv,
                              "1e999"sv,
                              "0x10"sv,
                              "9223372036854775808"sv,
                              " "sv,
                              "\t"sv,
                              "\r\n"sv,
                              "\x1A"sv,
                              "\x7F"sv,
                              "\xFF"sv,
                              "\xC0\x80"sv,
                              "\xED\xA0\x80"sv,
                              "\xF4\x90\x80\x80"sv,
                              "\xEF\xBB\xBF"sv,
                              "\xFE\xFF"sv,
                              "\xC3\xA4"sv,
                              "a\xCC\x88"sv,
                              "\xC3"sv,
                              "' OR '1'='1"sv,
                              "' OR 1=1 --"sv,
                              "'; DROP TABLE api_key; --"sv,
                              "\"; DELETE FROM answer; --"sv,
                              "') ; UPDATE api_key SET revoked_at = NULL; --"sv,
                              "' UNION SELECT hash FROM audit --"sv,
                              "x'); ATTACH DATABASE '/tmp/a' AS a; --"sv,
                              "'||(SELECT digest FROM api_key)||'"sv,
                              "1; PRAGMA writable_schema = 1"sv,
                              "load_extension('x')"sv,
                              "randomblob(1000000000)"sv,
                              "' AND 1=randomblob(500000000) --"sv,
                              "sqlite_master"sv,
                              "${jndi:ldap://x}"sv,
                              "{{7*7}}"sv,
                              "%00"sv,
                              "%s%n"sv,
                              "../../etc/passwd"sv,
                              "<script>alert(1)</script>"sv,
                              "acme"sv};

/// All different: the seeds, the seeds in strange company, very long ones, and plain noise.
std::vector<std::string> hostile_texts() {
  std::set<std::string> texts(seeds.begin(), seeds.end());
  for (const std::string_view seed : seeds) {
    const std::string text(seed);
    texts.insert({"acme" + text, text + "'", text + std::string(1, '\0') + text, "\xFF" + text});
  }
  for (const std::string& unit :
       {std::string("'"), std::string(1, '\0'), std::string("\xF0\x9F\x92\xA9"), std::string("ab")}) {
    std::string text;
    while (text.size() < 1024 * 1024) text += unit;
    texts.insert(std::move(text));
  }
  Random random(4711);
  while (texts.size() < 500) {
    std::string text(random() % 64, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    texts.insert(std::move(text));
  }
  return {texts.begin(), texts.end()};
}

KeyRow hostile_row(const std::string& text) {
  KeyRow row = key_row("");
  row.id = text;
  row.tenant = text;
  row.name = text;
  row.hint = text;
  row.created_by = text;
  row.settings = text;
  row.digest = digest_of("hostile " + text);
  return row;
}

policy::AuditEntry hostile_entry(const std::string& text) {
  return {.at = at({}),
          .actor = text,
          .role = text,
          .action = text,
          .object = text,
          .before = text,
          .after = text,
          .config_digest = text};
}

class StoreHostile : public StoreTest {
 protected:
  void SetUp() override {
    options.queue_limit = 1024 * 1024 * 1024;
    StoreTest::SetUp();
    ASSERT_TRUE(add(sentinel));
    ASSERT_TRUE(claim("sentinel", "k"));
    ASSERT_TRUE(finish("sentinel", "k", answer).value());
    ASSERT_GE(texts.size(), 500u);
  }
  void TearDown() override {
    EXPECT_EQ(claim("sentinel", "k").value().answer, answer);
    EXPECT_EQ(verify().value().first_broken, std::nullopt);
    EXPECT_TRUE(store->reachable());
    reopen();  // which looks at the whole content
    const auto keys = store->load_keys().value();
    EXPECT_NE(std::find(keys.begin(), keys.end(), sentinel), keys.end());
    StoreTest::TearDown();
  }

  const std::vector<std::string> texts = hostile_texts();
  const KeyRow sentinel = key_row("the sentinel", "sentinel");
  const Answer answer{.status = 200, .fields = "f", .body = "b"};
};

TEST_F(StoreHostile, texts_come_back_from_keys_as_they_were_and_mean_themselves_alone) {
  for (const auto& text : texts) ASSERT_TRUE(add(hostile_row(text), audit_entry()));
  std::map<std::string, KeyRow> found;
  for (KeyRow& row : list().value()) found.emplace(row.id, row);
  ASSERT_EQ(found.size(), texts.size() + 1);
  for (const auto& text : texts) EXPECT_TRUE(found.at(text) == hostile_row(text));

  for (std::size_t i = 0; i < texts.size(); i += 2) EXPECT_TRUE(revoke(texts[i]).value());
  std::set<std::string> live;
  for (const KeyRow& row : list(false).value()) live.insert(row.id);
  EXPECT_EQ(live.size(), texts.size() / 2 + 1);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(live.contains(texts[i]), i % 2 == 1);
}

TEST_F(StoreHostile, texts_come_back_from_the_audit_as_they_were) {
  for (const auto& text : texts) ASSERT_TRUE(append(hostile_entry(text)));
  const auto rows = audit(1).value();
  ASSERT_EQ(rows.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE(rows[i].entry == hostile_entry(texts[i]));
}

TEST_F(StoreHostile, texts_are_scopes_and_answers_like_any_other) {
  for (const auto& text : texts) ASSERT_EQ(claim(text, "k").value().state, Claim::State::claimed);
  for (const auto& text : texts) {
    ASSERT_TRUE(finish(text, "k", Answer{.status = 200, .fields = text, .body = text}).value());
  }
  for (const auto& text : texts) {
    const Claim found = claim(text, "k").value();
    ASSERT_EQ(found.state, Claim::State::done);
    EXPECT_TRUE(found.answer->fields == text && found.answer->body == text);
  }
}

}  // namespace
}  // namespace tollgate::io::storage_tests
