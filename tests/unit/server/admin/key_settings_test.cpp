// Settings of keys on their way through text: what goes in comes back, the file takes the same words and means the same
// by them, and the schema knows every one.
#include "server/admin/key_settings.hpp"

#include "tollgate/base/random.hpp"

#include "harness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::server::admin {
namespace {

bool coin(Random& random) { return random() & 1; }

template <class T>
std::optional<T> maybe(Random& random, T most) {
  if (coin(random)) return std::nullopt;
  return T{1} + static_cast<T>(random() % static_cast<std::uint64_t>(most));
}

std::vector<std::string> some_of(Random& random, std::initializer_list<const char*> all) {
  std::vector<std::string> some;
  for (const char* each : all)
    if (coin(random)) some.emplace_back(each);
  return some;
}

policy::Names some_names(Random& random) {
  return {some_of(random, {"r", "s", "r*", "*"}), some_of(random, {"m", "w/*", "w/x", "p/y", "oth*"})};
}

policy::KeySettings some_settings(Random& random) {
  policy::KeySettings settings;
  settings.addresses = some_of(random, {"10.0.0.0/8", "::1", "127.0.0.1", "2001:db8::/32"});
  if (coin(random)) settings.rights.allow = some_names(random);
  settings.rights.deny = some_names(random);
  settings.limits.requests_per_minute = maybe<std::uint64_t>(random, 1'000'000'000);
  settings.limits.tokens_per_minute = maybe<std::uint64_t>(random, 1'000'000'000);
  settings.limits.concurrency = maybe<std::uint64_t>(random, 1'000'000);
  settings.limits.basis = static_cast<policy::TokenBasis>(random() % 3);
  settings.limits.count_cached = coin(random);
  settings.limits.burst = Millis(1000 + random() % 3'599'001);
  settings.may_delegate = coin(random);
  settings.max_priority = static_cast<policy::Priority>(random() % 3);
  settings.may_use_cache = coin(random);
  if (coin(random)) settings.max_timeout = Millis(1 + random() % 86'400'000);
  return settings;
}

/// Members that are null taken out: the file says "not set" by silence.
json without_nulls(const json& value) {
  if (!value.is_object()) return value;
  json kept = json::object();
  for (const auto& [name, member] : value.items())
    if (!member.is_null()) kept[name] = without_nulls(member);
  return kept;
}

/// What routes.yaml makes of a key with these settings.
std::optional<policy::KeySettings> read_by_file(json settings, std::string* faults = nullptr) {
  settings["name"] = "k";
  settings["sha256"] = std::string(64, 'a');
  const auto snapshot = snapshot_of(models_yaml + "tenants: {t: {keys: [" + settings.dump() + "]}}\n", faults);
  if (!snapshot) return std::nullopt;
  return snapshot->tenants.at(0).keys.at(0).settings;
}

TEST(KeySettingsText, gives_back_what_went_in) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const policy::KeySettings settings = some_settings(random);
    const std::string text = key_settings_text(settings);
    const auto back = key_settings_from(text);
    ASSERT_TRUE(back) << back.error().message << " in " << text;
    ASSERT_EQ(*back, settings) << text;
  }
}

TEST(KeySettingsText, means_the_same_in_the_file) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    const policy::KeySettings settings = some_settings(random);
    const auto by_file = read_by_file(without_nulls(json::parse(key_settings_text(settings))));
    ASSERT_TRUE(by_file) << key_settings_text(settings);
    ASSERT_EQ(*by_file, settings) << key_settings_text(settings);
  }
}

TEST(KeySettingsText, fits_its_schema) {
  const test::SchemaCheck check(json::parse(to_text(openapi_document())));
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const json settings = json::parse(key_settings_text(some_settings(random)));
    ASSERT_EQ(check.fault({{"$ref", "#/components/schemas/KeySettings"}}, settings), "") << settings;
  }
}

TEST(KeySettingsText, of_nothing_is_the_default) {
  EXPECT_EQ(*key_settings_from("{}"), policy::KeySettings());
  EXPECT_EQ(*key_settings_from(key_settings_text({})), policy::KeySettings());
}

TEST(KeySettingsText, that_is_none_of_ours_is_a_failure) {
  for (const char* text : {"", "null", "[]", "7", "{\"later\":true}", "{\"limits\":null}",
                           "{\"limits\":{\"dollars\":1}}", "{\"cache\":true,\"cache\":true}", "{\"cache\":1}"})
    EXPECT_FALSE(key_settings_from(text)) << text;
}

TEST(KeySettings, that_are_wrong_here_are_wrong_in_the_file) {
  for (const char* text :
       {R"({"limits":{"requests_per_minute":0}})", R"({"limits":{"requests_per_minute":1000000001}})",
        R"({"limits":{"tokens_per_minute":0}})", R"({"limits":{"concurrency":1000001}})",
        R"({"limits":{"count":"all"}})", R"({"limits":{"burst":"999ms"}})", R"({"limits":{"burst":"3600001ms"}})",
        R"({"limits":{"burst":"60"}})", R"({"max_timeout":"0ms"})", R"({"max_timeout":"25h"})",
        R"({"max_priority":"urgent"})", R"({"may_delegate":"yes"})", R"({"addresses":["10.0.0.0/33"]})",
        R"({"addresses":["localhost"]})", R"({"allow":{"routes":["a*b"]}})", R"({"allow":{"models":["a b"]}})",
        R"({"deny":{"model":["m"]}})", R"({"unknown":1})", R"({"cache":"off"})"}) {
    EXPECT_FALSE(key_settings_from(text)) << text;
    std::string faults;
    EXPECT_FALSE(read_by_file(json::parse(text), &faults)) << text;
  }
}

TEST(KeySettings, name_only_what_is_there) {
  const auto snapshot = snapshot_of(models_yaml);
  const auto param_of = [&snapshot](const policy::Rights& rights) {
    Fault fault;
    check_names(*snapshot, rights, fault);
    return fault ? fault.failure().param : "";
  };
  EXPECT_EQ(param_of({policy::Names{{"r", "any*"}, {"m", "w/x", "no-such*"}}, {}}), "");
  EXPECT_EQ(param_of({policy::Names{{"r", "m"}, {}}, {}}), "allow.routes[1]");
  EXPECT_EQ(param_of({policy::Names{{}, {"r"}}, {}}), "allow.models[0]");
  EXPECT_EQ(param_of({{}, {{}, {"m", "nope"}}}), "deny.models[1]");
}

TEST(KeyName, is_one_word) {
  for (const char* name : {"ci", "a.b_c:d@e-F0"}) EXPECT_FALSE(check_key_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string(129, 'a'), std::string("a/b"), std::string("a b"), std::string("*"),
        std::string("a\n"), std::string("\xC3\xA4"), std::string("a\0b", 3)})
    EXPECT_TRUE(check_key_name(name)) << name;
}

}  // namespace
}  // namespace tollgate::server::admin
