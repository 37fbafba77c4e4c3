// The reader decides what the gateway believes a body says, so its faults are pinned to the byte, and its vector paths
// are held against a reading of one byte at a time.
#include "protocol/json_scan.hpp"

#include "protocol/byte_scan.hpp"
#include "protocol/json_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tollgate::protocol::json {
namespace {

struct Taken {
  Fault fault;
  std::size_t offset;
  friend bool operator==(const Taken&, const Taken&) = default;
  friend void PrintTo(const Taken& taken, std::ostream* out) {
    *out << describe(taken.fault) << " at " << taken.offset;
  }
};

Taken take_whole(std::string_view text) {
  Reader reader(text);
  reader.take();
  reader.finish();
  return {reader.fault(), reader.offset()};
}

TEST(JsonReader, walks_the_members_of_an_object_in_order) {
  Reader reader(R"( { "a" : 1 , "b":[2,{"c":3}],"d":"x","e":true,"f":null,"g":-1.5e+3 } )");
  ASSERT_TRUE(reader.enter_object());
  std::vector<std::string> seen;
  while (reader.next_member()) {
    std::string line(reader.key());
    const Value value = reader.take();
    seen.push_back(line + "=" + std::string(value.text));
  }
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(seen, (std::vector<std::string>{"a=1", R"(b=[2,{"c":3}])", R"(d="x")", "e=true", "f=null", "g=-1.5e+3"}));
}

TEST(JsonReader, tells_where_keys_and_commas_stand) {
  Reader reader(R"({"a":1 ,"b":2})");
  ASSERT_TRUE(reader.enter_object());
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.key_offset(), 1u);
  EXPECT_EQ(reader.comma_offset(), std::nullopt);
  EXPECT_EQ(reader.offset_of(reader.take().text), 5u);
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.key_offset(), 8u);
  EXPECT_EQ(reader.comma_offset(), 7u);
}

TEST(JsonReader, compares_keys_decoded) {
  Reader reader(R"({"\u006d\u006Fdel":1,"é":2,"\ud83d\ude00":3})");
  ASSERT_TRUE(reader.enter_object());
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.key(), "model");
  reader.take();
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.key(), "é");
  reader.take();
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.key(), "😀");
}

TEST(JsonReader, leaves_a_value_alone_that_is_not_what_is_entered) {
  Reader reader("[1]");
  EXPECT_FALSE(reader.enter_object());
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.take().text, "[1]");
  EXPECT_TRUE(reader.finish());
}

TEST(JsonReader, knows_every_kind) {
  const std::pair<const char*, Kind> cases[] = {{"null", Kind::null}, {"true", Kind::boolean}, {"false", Kind::boolean},
                                                {"0", Kind::number},  {"-12", Kind::number},   {R"("x")", Kind::string},
                                                {"{}", Kind::object}, {"[]", Kind::array},     {"", Kind::none},
                                                {"?", Kind::none}};
  for (const auto& [text, kind] : cases) {
    EXPECT_EQ(Reader(text).peek(), kind) << text;
    EXPECT_EQ(Reader(text).take().kind, kind) << text;
  }
}

TEST(JsonReader, reports_the_fault_and_its_byte) {
  const std::pair<std::string, Taken> cases[] = {
      {"", {Fault::ended, 0}},
      {"   ", {Fault::ended, 3}},
      {"nul", {Fault::unexpected, 0}},
      {"True", {Fault::unexpected, 0}},
      {"truex", {Fault::unexpected, 4}},
      {"01", {Fault::unexpected, 1}},
      {"+1", {Fault::unexpected, 0}},
      {"-", {Fault::ended, 1}},
      {"-x", {Fault::unexpected, 1}},
      {"1.", {Fault::ended, 2}},
      {".5", {Fault::unexpected, 0}},
      {"1.e3", {Fault::unexpected, 2}},
      {"1e", {Fault::ended, 2}},
      {"1e+x", {Fault::unexpected, 3}},
      {"NaN", {Fault::unexpected, 0}},
      {"Infinity", {Fault::unexpected, 0}},
      {R"("abc)", {Fault::ended, 4}},
      {"\"a\nb\"", {Fault::control, 2}},
      {std::string("\"a\0b\"", 5), {Fault::control, 2}},
      {R"("\x")", {Fault::escape, 1}},
      {R"("\u12G4")", {Fault::escape, 1}},
      {R"("\u12)", {Fault::escape, 1}},
      {R"("\)", {Fault::escape, 1}},
      {"{", {Fault::ended, 1}},
      {"[1}", {Fault::bracket, 2}},
      {R"({"a":1])", {Fault::bracket, 6}},
      {"[NaN]", {Fault::unexpected, 1}},
      {"[1 /* \" */]", {Fault::unexpected, 3}},
      {"['a']", {Fault::unexpected, 1}},
      {"[\"a\xC3\xA9\", \xC3]", {Fault::unexpected, 8}},
      {"[1]]", {Fault::unexpected, 3}},
      {"{} {}", {Fault::unexpected, 3}},
      {"\xEF\xBB\xBF{}", {Fault::unexpected, 0}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(take_whole(text), expected) << text;
}

TEST(JsonReader, checks_punctuation_of_what_is_stepped_into) {
  for (const char* text : {R"({"a":1,})", R"({,"a":1})", R"({"a" 1})", R"({"a":})", R"({"a":1 "b":2})", R"({a:1})",
                           R"({"a":1)", R"({"a")", R"({"a":)", R"({"a":1,)", R"({"\ud800":1})"}) {
    Reader reader(text);
    ASSERT_TRUE(reader.enter_object());
    while (reader.next_member()) reader.take();
    EXPECT_TRUE(reader.failed()) << text;
    EXPECT_FALSE(reader.finish()) << text;
  }
  for (const char* text : {"[1,]", "[,1]", "[1 2]", "[1", "[1,"}) {
    Reader reader(text);
    ASSERT_TRUE(reader.enter_array());
    while (reader.next_element()) reader.take();
    EXPECT_TRUE(reader.failed()) << text;
  }
}

TEST(JsonReader, ends_after_a_fault) {
  Reader reader(R"({"a":!,"b":1})");
  ASSERT_TRUE(reader.enter_object());
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.take().kind, Kind::none);
  EXPECT_FALSE(reader.next_member());
  EXPECT_EQ(reader.peek(), Kind::none);
  EXPECT_FALSE(reader.enter_object());
  EXPECT_EQ(reader.fault(), Fault::unexpected);
  EXPECT_EQ(reader.offset(), 5u);
}

std::string nested(std::size_t depth, const std::string& filling = "1") {
  return std::string(depth, '[') + filling + std::string(depth, ']');
}

TEST(JsonReader, bounds_nesting_at_64_brackets) {
  EXPECT_EQ(take_whole(nested(64)).fault, Fault::none);
  EXPECT_EQ(take_whole(nested(65)), (Taken{Fault::depth, 64}));
  EXPECT_EQ(take_whole(nested(64, std::string(200, ' '))).fault, Fault::none);
  EXPECT_EQ(take_whole(nested(100'000)), (Taken{Fault::depth, 64}));
  const std::string inside_an_object = R"({"a":)" + nested(64) + "}";
  Reader reader(inside_an_object);
  ASSERT_TRUE(reader.enter_object());
  ASSERT_TRUE(reader.next_member());
  EXPECT_EQ(reader.take().kind, Kind::none);
  EXPECT_EQ(reader.fault(), Fault::depth);
}

TEST(JsonReader, remembers_the_kind_of_all_64_brackets) {
  std::string open, close;
  for (int level = 0; level < 64; ++level) {
    open += level % 3 == 0 ? "{\"k\":" : "[";
    close.insert(close.begin(), level % 3 == 0 ? '}' : ']');
  }
  EXPECT_EQ(take_whole(open + "0" + close).fault, Fault::none);
  for (std::size_t level = 0; level < 64; ++level) {
    std::string wrong = close;
    wrong[level] = wrong[level] == '}' ? ']' : '}';
    EXPECT_EQ(take_whole(open + "0" + wrong), (Taken{Fault::bracket, open.size() + 1 + level})) << level;
  }
}

/// The same rules for a nested value, one byte at a time and without tables.
Taken reference_take(std::string_view text) {
  std::string open;
  bool in_string = false;
  std::size_t at = 0;
  do {
    if (at == text.size()) return {Fault::ended, at};
    const char byte = text[at];
    if (in_string) {
      if (static_cast<unsigned char>(byte) < 0x20) return {Fault::control, at};
      if (byte == '\\') {
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (next == 'u') {
          for (std::size_t digit = at + 2; digit < at + 6; ++digit) {
            if (digit >= text.size() || !isxdigit(static_cast<unsigned char>(text[digit]))) return {Fault::escape, at};
          }
          at += 4;
        } else if (next == '\0' || std::string_view("\"\\/bfnrt").find(next) == std::string_view::npos) {
          return {Fault::escape, at};
        }
        ++at;
      }
      in_string = byte != '"';
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '{' || byte == '[') {
      if (open.size() == max_depth) return {Fault::depth, at};
      open.push_back(byte);
    } else if (byte == '}' || byte == ']') {
      if (open.back() != (byte == '}' ? '{' : '[')) return {Fault::bracket, at};
      open.pop_back();
    } else if (std::string_view(" \t\r\n0123456789+-.,:Eabcdefghijklmnopqrstuvwxyz").find(byte) ==
               std::string_view::npos) {
      return {Fault::unexpected, at};
    }
    ++at;
  } while (!open.empty() || in_string);
  return {Fault::none, at};
}

Taken take_one(std::string_view text) {
  Reader reader(text);
  reader.take();
  return {reader.fault(), reader.offset()};
}

/// Texts that are mostly well formed and dense in what matters.
std::string random_nested(std::mt19937_64& random) {
  static const std::vector<std::string> parts = {
      "\"",
      "\"\"",
      "\"text\"",
      R"(\")",
      R"(\\)",
      R"("\\")",
      R"("a\"b\\\"c")",
      R"("\u00e9\ud83d\ude00\n")",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "1.5E+3",
      "true",
      "\n\t ",
      "\"a long run of text that fills more than one register, or even two\"",
      "é"};
  std::string text = random() % 2 == 0 ? "[" : "{";
  const std::size_t count = random() % 60;
  for (std::size_t index = 0; index < count; ++index) text += parts[random() % (random() % 4 == 0 ? parts.size() : 10)];
  if (random() % 2 == 0) text += "\"";
  text += random() % 2 == 0 ? "]]]}}}" : "}}}]]]";
  if (random() % 4 == 0) text[random() % text.size()] = static_cast<char>(random());
  text.append(random() % 80, ' ');
  if (text[0] != '[' && text[0] != '{') text[0] = '[';
  return text;
}

TEST(JsonReader, blocks_agree_with_single_bytes_on_random_texts) {
  std::mt19937_64 random(20260421);
  int good = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string text = random_nested(random);
    const Taken expected = reference_take(text);
    good += expected.fault == Fault::none;
    ASSERT_EQ(take_one(text), expected) << text;
  }
  EXPECT_GT(good, 3'000);
}

TEST(JsonReader, blocks_see_quotes_and_escapes_at_every_place) {
  for (const std::string piece : {R"(")", R"(\")", R"(\\)", R"(\u12ab)", R"(\\\\\")", "\n", R"(\q)", R"(\u12)"}) {
    for (std::size_t before = 0; before < 140; ++before) {
      const std::string text =
          "[\"" + std::string(before, 'x') + piece + std::string(70, 'y') + "\",{\"a\":[]}]" + std::string(70, ' ');
      ASSERT_EQ(take_one(text), reference_take(text)) << piece << " after " << before;
    }
  }
}

TEST(ByteScan, finds_each_special_byte_at_every_place) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const ByteClass is = detail::byte_classes[byte];
    for (std::size_t before : {0u, 1u, 7u, 15u, 16u, 17u, 31u, 40u}) {
      const std::string text = std::string(before, 'x') + static_cast<char>(byte) + std::string(20, 'x');
      const char* const end = text.data() + text.size();
      const auto place = [&](bool special) { return special ? text.data() + before : end; };
      EXPECT_EQ(find_string_special(text.data(), end), place(is.in_string_special)) << byte;
      EXPECT_EQ(find_between_special(text.data(), end), place(!is.between_plain)) << byte;
      EXPECT_EQ(find_line_end(text.data(), end), place(is.line_end)) << byte;
    }
  }
}

TEST(JsonDecode, reads_escapes_and_refuses_what_is_no_text) {
  EXPECT_EQ(decode(R"(plain)"), "plain");
  EXPECT_EQ(decode(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode(R"(\u0041\u00e9\u20AC\ud83d\ude00)"), "Aé€😀");
  EXPECT_EQ(decode(R"(\u0000)"), std::string(1, '\0'));
  for (const char* broken : {R"(\ud800)", R"(\ud800x)", R"(\udc00)", R"(\ud800\u0041)", R"(\x)", R"(\u00g0)", R"(\u00)",
                             "\\", "\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(decode(broken), std::nullopt) << broken;
  }
}

TEST(JsonDecode, can_replace_what_is_no_text) {
  EXPECT_EQ(decode_lossy(R"(a\ud800b)"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(decode_lossy("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(decode_lossy(R"(\ud83d\ude00)"), "😀");
}

TEST(Utf8, knows_the_length_of_each_valid_sequence) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("é"), 2u);
  EXPECT_EQ(utf8_length("€"), 3u);
  EXPECT_EQ(utf8_length("😀"), 4u);
  for (const char* broken : {"\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                             "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x9F\x98"}) {
    EXPECT_EQ(utf8_length(broken), 0u);
  }
}

TEST(WholeNumber, takes_every_spelling_and_no_fraction) {
  EXPECT_EQ(whole_number("0"), 0);
  EXPECT_EQ(whole_number("-0"), 0);
  EXPECT_EQ(whole_number("-1"), -1);
  EXPECT_EQ(whole_number("12"), 12);
  EXPECT_EQ(whole_number("12.0"), 12);
  EXPECT_EQ(whole_number("1.2e1"), 12);
  EXPECT_EQ(whole_number("120E-1"), 12);
  EXPECT_EQ(whole_number("9007199254740992"), 9007199254740992);
  EXPECT_EQ(whole_number("-9007199254740992"), -9007199254740992);
  EXPECT_EQ(whole_number("9007199254740991.0"), 9007199254740991);
  for (const char* rounded : {"9007199254740993", "-9007199254740993", "9007199254740993.0", "9007199254740993e0",
                              "9223372036854775808", "-9223372036854775808"})
    EXPECT_EQ(whole_number(rounded), std::nullopt) << rounded;
  for (const std::string broken : {"1.5", "1e-1", "9007199254740994", "1e400", "-1e400"})
    EXPECT_EQ(whole_number(broken), std::nullopt);
  EXPECT_EQ(whole_number(std::string(400, '9')), std::nullopt);
  EXPECT_EQ(whole_number("1." + std::string(400, '0')), 1);
}

TEST(JsonValue, is_truthy_as_in_python) {
  for (const char* text : {"null", "false", "0", "0.0", "-0", R"("")", "[]", "{}", "{ }", "[\n]"}) {
    EXPECT_FALSE(Reader(text).take().truthy()) << text;
  }
  for (const char* text : {"true", "1", "0.5", "-3", R"("x")", "[0]", R"({"a":null})"}) {
    EXPECT_TRUE(Reader(text).take().truthy()) << text;
  }
}

}  // namespace
}  // namespace tollgate::protocol::json
