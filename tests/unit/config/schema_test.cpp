#include "tollgate/config/schema.hpp"

#include "config/tree.hpp"
#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <sstream>

// The schema, the full example, the docs and the effective configuration must all hold the same keys and defaults.
// These walks keep them from drifting apart.

namespace tollgate::config {
namespace {

using Json = nlohmann::json;

/// The schema of a mapping for which a word may stand.
const Json& mapping_of(const Json& schema) {
  const bool or_word = schema.contains("anyOf") && schema["anyOf"][0].value("type", "") == "object";
  return or_word ? schema["anyOf"][0] : schema;
}

/// Paths of all keys that the schema knows; a name the operator chooses is "*", a list item "[]".
void collect(const Json& either, const std::string& path, std::set<std::string>& paths) {
  if (!path.empty()) paths.insert(path);
  const Json& schema = mapping_of(either);
  if (schema.contains("properties")) {
    for (const auto& [key, inside] : schema["properties"].items()) collect(inside, path + "." + key, paths);
  }
  if (schema.contains("items")) collect(schema["items"], path + "[]", paths);
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    collect(schema["additionalProperties"], path + ".*", paths);
}

/// The same paths for a file's tree, which needs the schema to tell names from keys.
void collect(const Node& node, const Json& either, const std::string& path, std::set<std::string>& paths) {
  if (!path.empty()) paths.insert(path);
  for (const Node* item : node.items) collect(*item, either["items"], path + "[]", paths);
  for (const Node::Entry& entry : node.entries) {
    if (entry.key.starts_with("x-") && path.empty()) continue;
    const Json& schema = mapping_of(either);
    const bool known = schema.contains("properties") && schema["properties"].contains(entry.key);
    const bool named = !known && schema.contains("additionalProperties") && schema["additionalProperties"].is_object();
    EXPECT_TRUE(known || named) << path << "." << entry.key << " is not in the schema";
    if (known) collect(*entry.value, schema["properties"][entry.key], path + "." + entry.key, paths);
    if (named) collect(*entry.value, schema["additionalProperties"], path + ".*", paths);
  }
}

TEST(Schema, is_json_with_a_meaning_for_every_key) {
  const Json json = Json::parse(schema());
  EXPECT_EQ(json["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(json["required"], Json{"version"});
  for (const auto& [key, inside] : json["properties"].items())
    EXPECT_FALSE(inside["description"].get<std::string>().empty()) << key;
  EXPECT_EQ(json["properties"]["server"]["properties"]["keep_alive"]["default"], "620s");
  EXPECT_EQ(json["properties"]["server"]["additionalProperties"], false);
}

TEST(Schema, and_the_full_file_hold_the_same_keys) {
  const Json json = Json::parse(schema());
  std::set<std::string> in_schema, in_file;
  collect(json, "", in_schema);
  const std::string path = tollgate::test::in_project("config/routes.full.yaml");
  Report report;
  const Tree tree = parse_tree(*test::disk_sources().read_file(path), path, report);
  ASSERT_TRUE(tree.root);
  collect(*tree.root, json, "", in_file);
  for (const std::string& key : in_schema) {
    const bool empty_in_file = key.ends_with("[]");  // lists whose default is empty
    if (!empty_in_file) {
      EXPECT_TRUE(in_file.contains(key)) << key << " is missing in config/routes.full.yaml";
    }
  }
}

/// All words of the tables in a page.
std::set<std::string> table_words(const std::string& page) {
  std::set<std::string> words;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('|')) continue;
    std::string word;
    for (const char c : line) {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
        word += c;
      } else {
        words.insert(word);
        word.clear();
      }
    }
  }
  return words;
}

TEST(Schema, every_key_has_its_row_in_the_docs) {
  std::set<std::string> keys;
  collect(Json::parse(schema()), "", keys);
  const auto words = table_words(*test::disk_sources().read_file(tollgate::test::in_project("docs/configuration.md")));
  for (const std::string& path : keys) {
    const std::string key = path.substr(path.rfind('.') + 1);
    if (!path.ends_with("[]") && key != "*") {
      EXPECT_TRUE(words.contains(key)) << path << " is in no table of docs/configuration.md";
    }
  }
}

std::shared_ptr<const Snapshot> full() {
  const Loaded loaded =
      load(tollgate::test::in_project("config/routes.full.yaml"), test::disk_sources(), {.allow_unset = true});
  EXPECT_TRUE(loaded.snapshot) << test::all_text(loaded);
  return loaded.snapshot;
}

TEST(FullFile, shows_the_real_defaults) {
  test::Memory memory;
  const Json defaults = Json::parse(effective(*memory.load(test::valid_with("")).snapshot));
  Json shown = Json::parse(effective(*full()));
  shown["server"].erase("tls");
  shown["server"].erase("auth");
  shown["admin"]["tokens"] = Json::array();
  shown["defaults"].erase("hedge");
  for (const char* key : {"server", "admin", "metrics", "log", "defaults"}) EXPECT_EQ(shown[key], defaults[key]) << key;
  Json& simulator = shown["providers"]["sim"]["simulator"];
  simulator["faults"] = Json::object();
  simulator["schedule"] = simulator["accepts"] = Json::array();
  simulator.erase("limits");
  EXPECT_EQ(simulator, defaults["providers"]["sim"]["simulator"]);
  for (const char* key : {"timeouts", "pool", "stream_usage", "protocol"})
    EXPECT_EQ(shown["providers"]["openai"][key], defaults["providers"]["sim"][key]) << key;
}

TEST(Effective, loads_again_to_the_same) {
  const std::string once = effective(*full());
  // Secrets are shown as ***, which is too short for some and the same for all.
  std::string whole = once;
  int number = 100;
  for (std::size_t at = whole.find("\"***\""); at != whole.npos; at = whole.find("\"***\"", at))
    whole.replace(at + 1, 3, "a-secret-of-more-than-thirty-two-bytes-" + std::to_string(number++));
  test::Memory memory;
  const std::string prices = tollgate::test::in_project("config/prices.yaml");
  memory.files[prices] = *test::disk_sources().read_file(prices);
  const Loaded again = memory.load(whole, {.allow_unset = true});
  ASSERT_TRUE(again.snapshot) << test::all_text(again);
  EXPECT_EQ(effective(*again.snapshot), once);
}

TEST(Effective, shows_no_secret) {
  test::Memory memory;
  memory.environment = {{"KEY", "test-key-1"}, {"TOKEN", "test-token-of-more-than-thirty-two-bytes"}};
  const Loaded loaded = memory.load(
      "version: 1\n"
      "admin: {token: \"${TOKEN}\"}\nmetrics: {token: \"${TOKEN}\"}\n"
      "providers:\n  main:\n    base_url: https://api.example.com\n    credentials: [{name: main, key: \"${KEY}\"}]\n"
      "    headers: {X-Team: \"${KEY}\"}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  const std::string text = effective(*loaded.snapshot);
  EXPECT_EQ(text.find("test-key-1"), std::string::npos);
  EXPECT_EQ(text.find("test-token"), std::string::npos);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["admin"]["token"], "***");
  EXPECT_EQ(json["metrics"]["token"], "***");
  EXPECT_EQ(json["providers"]["main"]["credentials"][0]["key"], "***");
  EXPECT_EQ(json["providers"]["main"]["headers"]["X-Team"], "***");
}

}  // namespace
}  // namespace tollgate::config
