// Law 1 of the product: a body leaves byte-identical outside the splices. Shown on generated bodies in every order,
// spelling and size, with another JSON reader as judge of what the spliced body says.
#include "tollgate/protocol/openai/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>
#include <vector>

namespace tollgate::protocol::openai {
namespace {

using nlohmann::json;

/// Writes JSON text in all the ways that JSON may be written.
class BodyGenerator {
 public:
  explicit BodyGenerator(std::uint64_t seed) : random_(seed) {}

  std::string body(std::size_t filling) {
    std::vector<std::string> members;
    if (!one_in(20))
      members.push_back(key("model") + colon() + string(pick({"auto", "gpt-5.5", "", "a\"b\\c", "modèle-😀"})));
    if (one_in(2)) members.push_back(key("stream") + colon() + pick({"true", "false", "null"}));
    if (one_in(2)) members.push_back(key("stream_options") + colon() + stream_options());
    if (one_in(2)) members.push_back(key("metadata") + colon() + metadata());
    if (one_in(4)) members.push_back(key("n") + colon() + pick({"1", "2.0", "3e0", "null"}));
    if (one_in(4)) members.push_back(key("max_tokens") + colon() + pick({"1", "16384", "1e3", "null", "-1"}));
    if (one_in(4)) members.push_back(key("max_completion_tokens") + colon() + pick({"0", "null", "-1.0"}));
    for (std::size_t more = below(4); more > 0; --more)
      members.push_back(key(pick({"x", "seed", "tools", "модель"})) + colon() + value(3));
    if (filling > 0) members.push_back(key("messages") + colon() + messages(filling));
    return blank() + object(members) + blank();
  }

  bool one_in(unsigned chance) { return below(chance) == 0; }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string pick(std::initializer_list<const char*> choices) { return choices.begin()[below(choices.size())]; }
  std::string blank() { return one_in(3) ? pick({" ", "\n", "\t", "\r\n  "}) : ""; }
  std::string colon() { return blank() + ":" + blank(); }

  std::string object(std::vector<std::string> members) {
    std::shuffle(members.begin(), members.end(), random_);
    std::string text = "{" + blank();
    for (std::size_t index = 0; index < members.size(); ++index)
      text += (index == 0 ? "" : blank() + "," + blank()) + members[index];
    return text + blank() + "}";
  }

  std::string stream_options() {
    if (one_in(4)) return "null";
    std::vector<std::string> members;
    if (one_in(2)) members.push_back(key("include_usage") + colon() + pick({"true", "false", "null"}));
    if (one_in(3)) members.push_back(key("include_obfuscation") + colon() + pick({"true", "false"}));
    return object(members);
  }

  std::string metadata() {
    if (one_in(5)) return value(1);
    std::vector<std::string> members;
    if (!one_in(4))
      members.push_back(key("task_type") + colon() + (one_in(8) ? pick({"null", "7"}) : string("devops")));
    for (std::size_t more = below(3); more > 0; --more)
      members.push_back(string("k" + std::to_string(more)) + colon() + value(0));
    return object(members);
  }

  std::string messages(std::size_t size) {
    std::string text = "[";
    while (text.size() < size) {
      text += (text.size() == 1 ? "" : ",") +
              object({key("role") + colon() + string("user"), key("content") + colon() + prose()});
    }
    return text + "]";
  }

  std::string prose() {
    static const std::string line = "Das ist ein längerer Satz, 和一些中文, with a \\\"model\\\": \\\"x\\\" in it.\\n";
    std::string text = "\"";
    for (std::size_t lines = below(60); lines > 0; --lines)
      text += line.substr(0, line.find(' ', below(40))) + "\\u00e9\\\\";
    return text + "\"";
  }

  std::string value(int depth) {
    switch (below(depth > 0 ? 7 : 4)) {
      case 0: return pick({"0", "-0", "1.0", "1e2", "1E+2", "-12.5e-3", "123456789012345678901234567890", "0.1"});
      case 1: return pick({"true", "false", "null"});
      case 2: return string(pick({"", "text", "{\"model\":\"no\"}", "\\", "\"", "a/b", "🇩🇪", "],}"}));
      case 3: return pick({"\"\\ud83d\\ude00\"", "\"\\/\\b\\f\"", "\"\\u0000\""});
      case 4: return "[]";
      case 5: return "[" + blank() + value(depth - 1) + blank() + "," + value(depth - 1) + "]";
      default:
        return object({key("model") + colon() + value(depth - 1), key("task_type") + colon() + value(depth - 1)});
    }
  }

  /// A key, now and then with one of its letters escaped.
  std::string key(const std::string& name) {
    if (!one_in(6) || (name[0] & 0x80) != 0) return "\"" + name + "\"";
    const std::size_t place = below(name.size());
    char escape[8];
    std::snprintf(escape, sizeof escape, one_in(2) ? "\\u%04x" : "\\u%04X", name[place]);
    return "\"" + name.substr(0, place) + escape + name.substr(place + 1) + "\"";
  }

  std::string string(const std::string& text) { return json(text).dump(-1, ' ', one_in(2)); }

  std::mt19937_64 random_;
};

void limit_output(json& document, const std::pair<std::string_view, std::uint64_t>& limit) {
  std::vector<std::string> unlimited;
  for (const std::string_view name : output_limit_names) {
    const json value = document.value(name, json());
    if (value.is_null()) continue;
    if (value >= 0) return;
    unlimited.emplace_back(name);
  }
  if (unlimited.empty() || document.contains(limit.first)) unlimited.emplace_back(limit.first);
  for (const std::string& name : unlimited) document[name] = limit.second;
}

/// The document that the wishes should make of the original.
json expected_document(json document, const SpliceWishes& wishes) {
  if (wishes.model && document.contains("model")) document["model"] = *wishes.model;
  if (wishes.inject_usage) {
    if (!document.contains("stream_options") || document["stream_options"].is_null())
      document["stream_options"] = json::object();
    document["stream_options"]["include_usage"] = true;
  }
  if (wishes.remove_task_type && document.contains("metadata")) {
    json& metadata = document["metadata"];
    if (metadata.is_object() && metadata.contains("task_type") && metadata["task_type"].is_string())
      metadata.erase("task_type");
  }
  if (wishes.max_output) limit_output(document, *wishes.max_output);
  return document;
}

std::string join(const std::vector<std::string_view>& pieces) {
  std::string text;
  for (const std::string_view piece : pieces) text += piece;
  return text;
}

/// Walks both texts side by side: outside the splices they must be the same bytes, and nothing may be left over.
bool same_outside(std::string_view before, std::string_view after, const std::vector<Splice>& splices) {
  std::size_t kept = 0;
  for (const Splice& splice : splices) {
    if (splice.where.begin < kept || splice.where.end < splice.where.begin) return false;
    const std::size_t length = splice.where.begin - kept;
    if (after.substr(0, length) != before.substr(kept, length)) return false;
    after.remove_prefix(length);
    if (!after.starts_with(splice.text)) return false;
    after.remove_prefix(splice.text.size());
    kept = splice.where.end;
  }
  return after == before.substr(kept);
}

enum class Judge { both, bytes_only };

::testing::AssertionResult holds(const std::string& body, const SpliceWishes& wishes, Judge judge) {
  const auto scan = scan_request(body);
  if (!scan) return ::testing::AssertionFailure() << scan.error().message;
  const auto splices = plan_splices(*scan, wishes);
  const std::string after = join(apply_splices(body, splices));
  if (splices.size() > 5 || !same_outside(body, after, splices))
    return ::testing::AssertionFailure() << "other bytes changed";
  std::size_t replaced = 0;
  for (const Splice& splice : splices) replaced += splice.text.size() + (splice.where.end - splice.where.begin);
  if (replaced > 200) return ::testing::AssertionFailure() << "more replaced than a few values";
  if (judge == Judge::bytes_only) return ::testing::AssertionSuccess();

  const json original = json::parse(body, nullptr, false);
  const json changed = json::parse(after, nullptr, false);
  if (original.is_discarded() || changed.is_discarded()) return ::testing::AssertionFailure() << "no JSON: " << after;
  if (changed != expected_document(original, wishes))
    return ::testing::AssertionFailure() << body << "\n became\n" << after;
  return ::testing::AssertionSuccess();
}

SpliceWishes random_wishes(BodyGenerator& generator) {
  SpliceWishes wishes;
  if (!generator.one_in(4)) wishes.model = generator.one_in(2) ? "gpt-5.5" : "name \"with\" quotes/é";
  wishes.inject_usage = !generator.one_in(4);
  wishes.remove_task_type = !generator.one_in(4);
  if (generator.one_in(2)) wishes.max_output = {generator.one_in(2) ? "max_completion_tokens" : "max_tokens", 4096};
  return wishes;
}

void check_bodies(std::uint64_t seed, int count, std::size_t filling, int judged_every) {
  BodyGenerator generator(seed);
  for (int index = 0; index < count; ++index) {
    const std::string body = generator.body(filling);
    const SpliceWishes wishes = random_wishes(generator);
    ASSERT_TRUE(holds(body, wishes, index % judged_every == 0 ? Judge::both : Judge::bytes_only)) << "body " << index;
  }
}

TEST(SpliceProperty, holds_for_a_hundred_thousand_small_bodies) { check_bodies(1, 99'000, 0, 1); }
TEST(SpliceProperty, holds_for_bodies_with_messages) { check_bodies(2, 1'000, 2'000, 1); }
TEST(SpliceProperty, holds_for_bodies_of_a_megabyte) { check_bodies(3, 40, 1'000'000, 10); }
TEST(SpliceProperty, holds_for_bodies_of_twenty_megabytes) { check_bodies(4, 5, 20'000'000, 5); }

}  // namespace
}  // namespace tollgate::protocol::openai
