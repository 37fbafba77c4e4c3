// Policy, price and upstream must see the same request. So each hostile body is refused, or the scan reads of it what
// other readers do: one that takes the first of two equal keys, one that takes the last, and one that takes keys in any
// case.
#include "tollgate/protocol/openai/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tollgate::protocol::openai {
namespace {

using nlohmann::json;

enum class Must {
  refuse,
  agree,      ///< be refused, or be read as the others read it
  step_over,  ///< the same, but a strict reader refuses it for something nested that the scan only steps over
};

/// Bodies, each once.
class Bodies {
 public:
  void add(Must must, std::string body) { all_.emplace(std::move(body), must); }
  void refuse(std::string body) { add(Must::refuse, std::move(body)); }
  void agree(std::string body) { add(Must::agree, std::move(body)); }
  const std::map<std::string, Must>& all() const { return all_; }

 private:
  std::map<std::string, Must> all_;
};

struct Member {
  std::string key, value, other;
};
const std::vector<Member> members = {
    {"model", R"("a")", R"("b")"}, {"stream", "true", "false"},         {"n", "2", "3"},
    {"max_tokens", "3", "30"},     {"max_completion_tokens", "4", "5"}, {"max_output_tokens", "5", "null"},
};

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

std::string escaped(char letter, const char* format) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, format, letter);
  return buffer;
}

void add_duplicates(Bodies& bodies) {
  for (const auto& [key, value, other] : members) {
    const std::string once = in_quotes(key) + ":" + value;
    const std::string again = in_quotes(key) + ":" + other;
    for (const std::string& second : {once, again, in_quotes(key) + ":null", in_quotes(key) + ":{}"}) {
      bodies.refuse("{" + once + "," + second + "}");
      bodies.refuse("{" + second + ",\"x\":[{\"y\":{}}]," + once + "}");
      bodies.refuse("{" + once + ",\"x\":" + in_quotes(std::string(500, 'x')) + "," + second + "}");
    }
    // The same words elsewhere are no duplicates.
    bodies.agree("{\"x\":{" + once + "," + again + "}," + once + "}");
    bodies.agree("{" + once + ",\"x\":[{" + again + "},{" + again + "}]}");
    bodies.agree("{\"x\":\"" + key + "\"," + once + "}");
    bodies.agree("{\"x\":\"\\\"" + key + "\\\":7\"," + once + "}");
    for (const std::string near : {" ", "\\u0000", "\\t", "_", "s", "\\u200b", "\xCC\x81"}) {
      bodies.agree("{\"" + key + near + "\":0," + once + "}");
      bodies.agree("{" + once + ",\"" + near + key + "\":0}");
    }
  }
}

void add_broken_around(Bodies& bodies) {
  for (const auto& [key, value, other] : members) {
    const std::string once = in_quotes(key) + ":" + value;
    bodies.refuse(once);
    bodies.refuse("{" + once);
    bodies.refuse("{" + once + "}}");
    bodies.refuse("{" + once + "}{" + once + "}");
    bodies.refuse("{" + once + "," + once.substr(0, once.size() - 1));
    bodies.refuse("[{" + once + "}]");
    bodies.refuse("{" + once + ",,\"x\":1}");
    bodies.refuse("{'x':1," + once + "}");
    bodies.refuse("{" + once + ",/* \" */\"x\":\"\"}");
    bodies.refuse("{\"x\":[/* \" */" + once + "\"]}");
    bodies.refuse("{\"x\":[\"'],\"" + once);
  }
}

void add_spellings(Bodies& bodies) {
  for (const auto& [key, value, other] : members) {
    const std::string once = in_quotes(key) + ":" + value;
    std::string all;
    for (std::size_t at = 0; at < key.size(); ++at) {
      all += escaped(key[at], "\\u%04x");
      for (const char* format : {"\\u%04x", "\\u%04X"}) {
        const std::string spelled = in_quotes(key.substr(0, at) + escaped(key[at], format) + key.substr(at + 1));
        bodies.agree("{" + spelled + ":" + value + "}");
        bodies.refuse("{" + once + "," + spelled + ":" + other + "}");
      }
      if (key[at] == '_') continue;
      std::string upper = key;
      upper[at] = static_cast<char>(upper[at] - 0x20);
      bodies.refuse("{" + in_quotes(upper) + ":" + value + "}");
      bodies.refuse("{" + once + "," + in_quotes(upper) + ":" + other + "}");
    }
    bodies.agree("{" + in_quotes(all) + ":" + value + "}");
    bodies.refuse("{" + in_quotes(all) + ":" + value + "," + once + "}");
  }
  for (const std::string folds : {"\xC5\xBFtream", "\\u017ftream",
                                  "max_to\xE2\x84\xAA"
                                  "ens",
                                  "max_to\\u212aens"})
    bodies.refuse("{" + in_quotes(folds) + ":1}");
}

void add_numbers(Bodies& bodies) {
  for (const std::string key : {"n", "max_tokens", "max_completion_tokens", "max_output_tokens"}) {
    const std::string begin = "{" + in_quotes(key) + ":";
    for (const std::string number : {"2.0",
                                     "2e0",
                                     "2E0",
                                     "20e-1",
                                     "0.2E+1",
                                     "1e2",
                                     "-0",
                                     "-0.0",
                                     "0",
                                     "0.0",
                                     "0e5",
                                     "1e15",
                                     "9007199254740991",
                                     "9007199254740992",
                                     "9007199254740993",
                                     "9007199254740994",
                                     "9007199254740993.0",
                                     "9007199254740993e0",
                                     "1e16",
                                     "2.0000000000000000000001",
                                     "18446744073709551617",
                                     "-1",
                                     "1e-400",
                                     "0e400"})
      bodies.agree(begin + number + "}");
    for (const std::string& number : {std::string("NaN"),
                                      std::string("Infinity"),
                                      std::string("-Infinity"),
                                      std::string("nan"),
                                      std::string("+1"),
                                      std::string("01"),
                                      std::string("-01"),
                                      std::string("1."),
                                      std::string(".5"),
                                      std::string("0x10"),
                                      std::string("0b1"),
                                      std::string("1e"),
                                      std::string("1e+"),
                                      std::string("--1"),
                                      std::string("1_000"),
                                      std::string("1,000"),
                                      std::string("2.5"),
                                      std::string("1e400"),
                                      std::string("\"2\""),
                                      std::string("[2]"),
                                      std::string("true"),
                                      std::string("{}"),
                                      std::string("2n"),
                                      std::string("2f"),
                                      std::string("\xD9\xA2"),
                                      std::string("\xEF\xBC\x92"),
                                      std::string("1 2"),
                                      std::string(400, '9'),
                                      "1" + std::string(400, '0'),
                                      std::string(400, '0') + "1",
                                      std::string("-") + std::string(400, '9'),
                                      "1e" + std::string(400, '9')})
      bodies.refuse(begin + number + "}");
    bodies.agree(begin + "0." + std::string(400, '0') + "}");
    bodies.agree(begin + "1" + "." + std::string(400, '0') + "}");
    bodies.refuse(begin + "0." + std::string(400, '9') + "e}");
  }
}

void add_values(Bodies& bodies) {
  for (const std::string value :
       {"True", "TRUE",     "tru",  "truee", "true1",  "nul", "NULL", "None", "undefined",  "0",          "1",     "-1",
        "1.0",  "\"true\"", "\"\"", "[]",    "[true]", "{}",  "yes",  "",     "tr\\u0075e", "true false", "'true'"})
    bodies.refuse("{\"stream\":" + value + "}");
  for (const std::string value : {"7",
                                  "null",
                                  "true",
                                  "[\"a\"]",
                                  "{\"a\":\"b\"}",
                                  "a",
                                  "'a'",
                                  "`a`",
                                  "\"a",
                                  "a\"",
                                  "\"a\"\"b\"",
                                  "\"a\" \"b\"",
                                  "",
                                  "\"a\\\"",
                                  R"("\q")",
                                  R"("\x41")",
                                  R"("\u12")",
                                  R"("\u12G4")",
                                  R"("\U00000041")",
                                  R"("\ud800")",
                                  R"("\udc00")",
                                  R"("\udfff\ud800")",
                                  R"("\ud800\ud800")",
                                  R"("\ud83dx")",
                                  R"("\ud83d\u0041")",
                                  "\"a\tb\"",
                                  "\"a\nb\"",
                                  "\"a\x7F\x01\""})
    bodies.refuse("{\"model\":" + value + "}");
  bodies.refuse(std::string("{\"model\":\"a\0b\"}", 15));
  for (const std::string text :
       {R"("\u0000")", R"("\ud83d\ude00")", R"("\uD83D\uDE00")", R"("\/\b\f\n\r\t")", "\"é😀\"", "\"\"", R"("a\"b")",
        R"("a\\")", R"("\\u0041")", "\"a\x7F\"", "\"\xEF\xBB\xBF\"", "\"\xF4\x8F\xBF\xBF\""})
    bodies.agree("{\"model\":" + text + "}");
}

void add_broken_text(Bodies& bodies) {
  for (const std::string bytes : {"\xFF", "\xFE\xFF", "\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xE0\x80\xAF",
                                  "\xE2\x82", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\xAF", "\xF0\x9F\x98",
                                  "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFC\x80\x80\x80\x80\xAF"}) {
    bodies.refuse("{\"model\":\"a" + bytes + "\"}");
    bodies.refuse("{\"model\":\"a\",\"x" + bytes + "\":1}");
    bodies.refuse("{\"model\":\"a\"" + bytes + "}");
    bodies.refuse(bytes + "{\"model\":\"a\"}");
    bodies.add(Must::step_over, "{\"model\":\"a\",\"messages\":[\"" + bytes + "\"],\"n\":2}");
    bodies.add(Must::step_over, "{\"model\":\"a\",\"x\":\"" + bytes + "\",\"n\":2}");
  }
  for (const std::string half : {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)"}) {
    bodies.add(Must::step_over, "{\"model\":\"a\",\"messages\":[\"" + half + "\"],\"n\":2}");
    bodies.refuse("{\"model\":\"a\",\"x" + half + "\":1}");
  }
}

void add_structure(Bodies& bodies) {
  const std::string good = "{\"model\":\"a\",\"n\":2}";
  // What some readers take for blanks, or for nothing.
  for (const std::string& blank :
       {std::string("\v"), std::string("\f"), std::string(1, '\0'), std::string("\x1A"), std::string("\x85"),
        std::string("\xC2\xA0"), std::string("\xEF\xBB\xBF"), std::string("\xE2\x80\xA8"), std::string("\xE3\x80\x80"),
        std::string("\xE2\x80\x8B"), std::string("//\n"), std::string("/**/"), std::string("#\n"),
        std::string("\\n")}) {
    bodies.refuse(blank + good);
    bodies.refuse(good + blank);
    bodies.refuse("{" + blank + "\"model\":\"a\"}");
    bodies.refuse("{\"model\"" + blank + ":\"a\"}");
    bodies.refuse("{\"model\":" + blank + "\"a\"}");
    bodies.refuse("{\"model\":\"a\"" + blank + ",\"n\":2}");
    bodies.refuse("{\"n\":2" + blank + "}");
  }
  for (const std::string blank : {" ", "\n", "\r", "\t", " \r\n\t "}) {
    bodies.agree(blank + good + blank);
    bodies.agree("{" + blank + "\"model\"" + blank + ":" + blank + "\"a\"" + blank + "}");
  }
  for (const std::string more :
       {"}", "]", ",", "x", "\"", "{}", "[]", "null", "0", ":", ";", "\\", "{\"model\":\"b\"}", "\n{\"model\":\"b\"}"})
    bodies.refuse(good + more);
  for (const std::string body : {"{,}",
                                 "{\"model\":\"a\",}",
                                 "{,\"model\":\"a\"}",
                                 "{\"model\":\"a\",,\"n\":2}",
                                 "{\"model\" \"a\"}",
                                 "{\"model\"=\"a\"}",
                                 "{\"model\"::\"a\"}",
                                 "{\"model\":}",
                                 "{\"model\"}",
                                 "{:\"a\"}",
                                 "{model:\"a\"}",
                                 "{'model':\"a\"}",
                                 "{1:\"a\"}",
                                 "{null:1}",
                                 "{[]:1}",
                                 "{\"model\":\"a\" \"n\":2}",
                                 "{\"model\":\"a\";\"n\":2}",
                                 "(\"model\":\"a\")",
                                 "[{\"model\":\"a\"}]",
                                 "\"{}\"",
                                 "null",
                                 "7",
                                 "",
                                 " ",
                                 "{",
                                 "}",
                                 "model=a",
                                 "{{\"model\":\"a\"}}",
                                 "{\"x\":[}",
                                 "{\"x\":{]}",
                                 "{\"x\":[\"'],\"model\":\"a\"}",
                                 "{\"x\":[/* \" */\"model\":\"a\",\"]}",
                                 "{\"x\":(1),\"model\":\"a\"}",
                                 "{\"x\":[NaN],\"model\":\"a\"}",
                                 "{\"x\":['a'],\"model\":\"a\"}",
                                 "{\"x\":[//\n],\"model\":\"a\"}"})
    bodies.refuse(body);
  for (const std::string body :
       {"{\"x\":[1 2],\"model\":\"a\"}", "{\"x\":[01],\"model\":\"a\"}", "{\"x\":[tru],\"model\":\"a\"}",
        "{\"x\":[,],\"model\":\"a\"}", "{\"x\":[1,],\"model\":\"a\"}", "{\"x\":{\"y\"},\"model\":\"a\"}",
        "{\"x\":{y:1},\"model\":\"a\"}", "{\"x\":[{} {}],\"model\":\"a\"}"})
    bodies.add(Must::step_over, body);
}

void add_sizes(Bodies& bodies) {
  for (const std::size_t depth : {1, 2, 31, 32, 33, 62, 63, 64, 65, 100, 1'000, 100'000}) {
    std::string objects, ends;
    for (std::size_t level = 0; level < depth; ++level) objects += "{\"x\":", ends += "}";
    const Must must = depth > 63 ? Must::refuse : Must::agree;
    bodies.add(must, "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + ",\"model\":\"a\"}");
    bodies.add(must, "{\"x\":" + objects + "1" + ends + ",\"model\":\"a\"}");
    bodies.refuse("{\"x\":" + std::string(depth, '['));
    bodies.refuse(objects);
  }
  std::string keys;
  for (int index = 0; index < 1'000'000; ++index) keys += "\"k" + std::to_string(index) + "\":1,";
  bodies.agree("{" + keys + "\"model\":\"a\"}");
  bodies.refuse("{\"model\":\"a\"," + keys + "\"model\":\"b\"}");
  bodies.agree("{" + in_quotes(std::string(1'000'000, 'k')) + ":1,\"model\":\"a\"}");
  bodies.agree("{\"model\":" + in_quotes(std::string(1'000'000, 'a')) + "}");
  bodies.add(Must::step_over, "{\"x\":" + std::string(1'000'000, '7') + ",\"model\":\"a\"}");
}

/// The whole body in other encodings, with and without their marks.
void add_encodings(Bodies& bodies) {
  const std::string text = "{\"model\":\"a\"}";
  for (const std::size_t width : {2u, 4u}) {
    std::string little, big;
    for (const char byte : text) {
      little += byte + std::string(width - 1, '\0');
      big += std::string(width - 1, '\0') + byte;
    }
    bodies.refuse(little);
    bodies.refuse(big);
    bodies.refuse("\xFF\xFE" + std::string(width - 2, '\0') + little);
    bodies.refuse(std::string(width - 2, '\0') + "\xFE\xFF" + big);
  }
  bodies.refuse("+AHs-" + text.substr(1));
  bodies.refuse(std::string("\x1F\x8B\x08\x00", 4) + text);
}

Bodies hostile_bodies() {
  Bodies bodies;
  for (const auto add : {add_duplicates, add_broken_around, add_spellings, add_numbers, add_values, add_broken_text,
                         add_structure, add_sizes, add_encodings})
    add(bodies);
  return bodies;
}

/// A body with everything in it that is acted on, cut and changed at every byte.
Bodies mutants() {
  const std::string body =
      R"({"model":"a\u0062","messages":[{"role":"user","content":"x \"n\":1, é"}],"stream":true,"n":2,"max_tokens":30,"x":{"y":[1.5e3,null]}})";
  Bodies bodies;
  for (std::size_t at = 0; at < body.size(); ++at) {
    bodies.refuse(body.substr(0, at));
    bodies.add(Must::step_over, body.substr(0, at) + body.substr(at + 1));
    bodies.add(Must::step_over, body.substr(0, at) + body[at] + body.substr(at));
    for (const char byte : std::string("\"\\{}[],:0e \x01\xFF", 13)) {
      std::string changed = body;
      changed[at] = byte;
      if (changed != body) bodies.add(Must::step_over, changed);
      bodies.add(Must::step_over, body.substr(0, at) + byte + body.substr(at));
    }
  }
  return bodies;
}

/// The values of the top level, in their order; of nested ones only that they are there.
class TopLevel : public json::json_sax_t {
 public:
  std::vector<std::pair<std::string, json>> members;
  bool object = false;

  bool null() override { return value(nullptr); }
  bool boolean(bool is) override { return value(is); }
  bool number_integer(number_integer_t number) override { return value(number); }
  bool number_unsigned(number_unsigned_t number) override { return value(number); }
  bool number_float(number_float_t number, const string_t&) override { return value(number); }
  bool string(string_t& text) override { return value(text); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return object = object || depth_ == 0, open(); }
  bool key(string_t& name) override { return depth_ != 1 || (members.emplace_back(name, nullptr), true); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool value(json what) {
    if (depth_ == 1 && object) members.back().second = std::move(what);
    return true;
  }
  bool open() {
    value(json::object());
    ++depth_;
    return true;
  }
  bool close() { return --depth_, true; }
  int depth_ = 0;
};

using Document = std::map<std::string, json>;

/// Empty where the scan agrees with another reader, else the key on which they differ.
std::string disagreement(const RequestScan& scan, const Document& document) {
  const auto value = [&](const char* key) { return document.contains(key) ? document.at(key) : json(); };
  if (scan.model != (value("model").is_string() ? value("model").get<std::string>() : "")) return "model";
  if (scan.stream != (value("stream") == json(true))) return "stream";
  const json choices = value("n");
  if (json(scan.choices) != (choices.is_null() ? json(1) : choices)) return "n";
  std::optional<json> most;
  for (const char* key : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
    const json limit = value(key);
    if (limit.is_number() && limit >= 0 && (!most || limit > *most)) most = limit;
  }
  if (scan.max_output.has_value() != most.has_value() || (most && json(*scan.max_output) != *most)) return "max_tokens";
  return {};
}

/// What readers differ in: which of two equal keys they take.
std::string disagreement(const RequestScan& scan, const TopLevel& read) {
  if (!read.object) return "(not an object)";
  Document first, last, folded;
  for (const auto& [key, value] : read.members) {
    std::string lower = key;
    for (char& byte : lower) byte = static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte);
    first.emplace(key, value);
    last.insert_or_assign(key, value);
    folded.insert_or_assign(lower, value);
  }
  for (const Document* document : {&first, &last, &folded})
    if (const std::string key = disagreement(scan, *document); !key.empty()) return key;
  return {};
}

struct Counts {
  int refused = 0, agreed = 0, stepped_over = 0;
};

Counts judge(const Bodies& bodies) {
  Counts counts;
  for (const auto& [body, must] : bodies.all()) {
    const std::string shown = body.substr(0, 200);
    const auto scan = scan_request(body);
    if (!scan) {
      EXPECT_EQ(scan.error().kind, FailureKind::bad_request) << shown;
      ++counts.refused;
      continue;
    }
    EXPECT_NE(must, Must::refuse) << shown;
    TopLevel read;
    const bool whole = json::sax_parse(body, &read);
    EXPECT_TRUE(whole || must == Must::step_over) << shown;
    ++(whole ? counts.agreed : counts.stepped_over);
    EXPECT_EQ(whole ? disagreement(*scan, read) : "", "") << shown;
  }
  return counts;
}

TEST(HostileBodies, are_refused_or_read_as_other_readers_do) {
  const Bodies bodies = hostile_bodies();
  const Counts counts = judge(bodies);
  EXPECT_GE(bodies.all().size(), 500u);
  EXPECT_GE(counts.refused, 400);
  EXPECT_GE(counts.agreed, 100);
  RecordProperty("bodies", static_cast<int>(bodies.all().size()));
  RecordProperty("refused", counts.refused);
  RecordProperty("agreed", counts.agreed);
}

TEST(HostileBodies, made_by_one_change_to_a_good_one_are_refused_or_read_as_other_readers_do) {
  const Bodies bodies = mutants();
  const Counts counts = judge(bodies);
  EXPECT_GE(bodies.all().size(), 2'000u);
  EXPECT_GE(counts.refused, 1'000);
  EXPECT_GE(counts.agreed, 200);
  RecordProperty("bodies", static_cast<int>(bodies.all().size()));
  RecordProperty("agreed", counts.agreed);
}

}  // namespace
}  // namespace tollgate::protocol::openai
