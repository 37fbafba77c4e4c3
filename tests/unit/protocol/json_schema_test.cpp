// What is judged is a table, since it is a list of small rules; what hostile schemas and documents may cost follows it.
// A case whose `what` is empty matches, one whose `what` begins with '?' stays undecided.
#include "tollgate/protocol/json_schema.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol {
namespace {

using Verdict = JsonSchema::Verdict;
using Kind = Verdict::Kind;

Verdict judge(std::string_view schema, std::string_view document) {
  const auto read = JsonSchema::read(schema);
  return read ? read->judge(document) : Verdict{.what = "unreadable: " + read.error().message};
}

std::string shown(const Verdict& verdict) {
  const std::string kind = verdict.kind == Kind::matches   ? "matches"
                           : verdict.kind == Kind::differs ? "differs"
                                                           : "undecided";
  return kind + " \"" + verdict.where + "\" " + verdict.what;
}

struct Case {
  std::string schema, document, where, what;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const bool is_undecided = one.what.starts_with('?');
    const Verdict expected{.kind = is_undecided       ? Kind::undecided
                                   : one.what.empty() ? Kind::matches
                                                      : Kind::differs,
                           .where = one.where,
                           .what = is_undecided ? one.what.substr(1) : one.what};
    EXPECT_EQ(shown(judge(one.schema, one.document)), shown(expected)) << one.schema << "\n" << one.document;
  }
}

const std::string senseless = "?the schema holds a keyword with a value that makes no sense";
const std::string not_followed = "?the schema holds a $ref that is not followed";
const std::string too_many_steps = "?it takes too many steps to judge";
const std::string too_often = "?the schema refers to itself too often to judge";
const std::string depends = "?a not or an if of the schema depends on what is not judged";
const std::string no_alternative = "it matches none of the alternatives";
const std::string several = "it matches more than one of the alternatives";

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(JsonSchema, judges_types) {
  expect({
      {R"({"type":"integer"})", "7", "", ""},
      {R"({"type":"integer"})", "1.0", "", ""},
      {R"({"type":"integer"})", "1e3", "", ""},
      {R"({"type":"integer"})", "1.5", "", "expected integer, got number"},
      {R"({"type":"integer"})", R"("7")", "", "expected integer, got string"},
      {R"({"type":"number"})", "7", "", ""},
      {R"({"type":"number"})", "null", "", "expected number, got null"},
      {R"({"type":"string"})", R"("")", "", ""},
      {R"({"type":"string"})", "[]", "", "expected string, got array"},
      {R"({"type":"boolean"})", "false", "", ""},
      {R"({"type":"boolean"})", "0", "", "expected boolean, got integer"},
      {R"({"type":"null"})", "null", "", ""},
      {R"({"type":"array"})", "{}", "", "expected array, got object"},
      {R"({"type":"object"})", "{}", "", ""},
      {R"({"type":["string","null"]})", "null", "", ""},
      {R"({"type":["null","string"]})", "true", "", "expected string or null, got boolean"},
      {R"({"type":"date"})", "1", "", senseless},
      {R"({"type":[]})", "1", "", senseless},
      {R"({"type":5})", "1", "", senseless},
  });
}

TEST(JsonSchema, judges_boolean_and_empty_schemas) {
  expect({
      {"true", "1", "", ""},
      {"{}", "[1]", "", ""},
      {"false", "1", "", "no value is allowed here"},
      {R"({"properties":{"a":false}})", R"({"a":1})", "/a", "no value is allowed here"},
      {"[]", "1", "", senseless},
      {"1", "1", "", senseless},
  });
}

TEST(JsonSchema, compares_constants_by_value) {
  expect({
      {R"({"const":1})", "1.0", "", ""},
      {R"({"const":1.0})", "1", "", ""},
      {R"({"const":1})", "true", "", "expected 1"},
      {R"({"const":0})", "-0", "", ""},
      {R"({"const":9007199254740993})", "9007199254740992", "", "expected 9007199254740993"},
      {R"({"const":9007199254740993})", "9007199254740992.0", "", "expected 9007199254740993"},
      {R"({"const":18446744073709551615})", "18446744073709551615", "", ""},
      {R"({"const":18446744073709551615})", "-1", "", "expected 18446744073709551615"},
      {R"({"const":{"a":[1,{"b":null}],"c":"x"}})", R"({"c":"\u0078","a":[1.0,{"b":null}]})", "", ""},
      {R"({"const":{"a":1}})", R"({"a":1,"b":2})", "", "expected a certain object"},
      {R"({"const":{"a":1}})", R"({"b":1})", "", "expected a certain object"},
      {R"({"const":[1,2]})", "[2,1]", "", "expected a certain array"},
      {R"({"const":null})", "0", "", "expected null"},
      {R"({"const":false})", "true", "", "expected false"},
      {R"({"enum":["red","green"]})", R"("green")", "", ""},
      {R"({"enum":["red",1.5,null]})", R"("blue")", "", R"(expected one of: "red", 1.5, null)"},
      {R"({"enum":[[1],{"a":2}]})", R"({"a":2.0})", "", ""},
      {R"({"enum":[]})", "1", "", "expected one of: nothing"},
      {R"({"enum":"red"})", "1", "", senseless},
  });
}

TEST(JsonSchema, judges_bounds_of_numbers_exactly) {
  expect({
      {R"({"minimum":0})", "0", "", ""},
      {R"({"minimum":0})", "-1", "", "expected at least 0, got -1"},
      {R"({"maximum":10})", "10.5", "", "expected at most 10, got 10.5"},
      {R"({"exclusiveMinimum":0})", "0.0", "", "expected more than 0, got 0"},
      {R"({"exclusiveMaximum":3})", "2.999", "", ""},
      {R"({"exclusiveMaximum":3})", "3", "", "expected less than 3, got 3"},
      {R"({"maximum":18446744073709551614})", "18446744073709551615", "",
       "expected at most 18446744073709551614, got 18446744073709551615"},
      {R"({"minimum":-9223372036854775808})", "18446744073709551615", "", ""},
      {R"({"maximum":9007199254740992.0})", "9007199254740993", "",
       "expected at most 9007199254740992, got 9007199254740993"},
      {R"({"minimum":1e300})", "-1e308", "", "expected at least 1e+300, got -1e+308"},
      {R"({"minimum":0})", R"("text")", "", ""},
      {R"({"minimum":"0"})", "1", "", senseless},
      {R"({"minimum":"0","maximum":5})", "6", "", "expected at most 5, got 6"},
      {R"({"multipleOf":3})", "9", "", ""},
      {R"({"multipleOf":3})", "10", "", "expected a multiple of 3, got 10"},
      {R"({"multipleOf":3})", "18446744073709551615", "", ""},
      {R"({"multipleOf":3})", "18446744073709551614", "", "expected a multiple of 3, got 18446744073709551614"},
      {R"({"multipleOf":0.01})", "19.99", "", ""},
      {R"({"multipleOf":0.1})", "0.3", "", ""},
      {R"({"multipleOf":0.1})", "0.35", "", "expected a multiple of 0.1, got 0.35"},
      {R"({"multipleOf":1e-300})", "1e300", "", ""},
      {R"({"multipleOf":0})", "1", "", senseless},
  });
}

TEST(JsonSchema, counts_characters_as_code_points) {
  expect({
      {R"({"minLength":2,"maxLength":2})", R"("\u00e4\ud83d\ude00")", "", ""},
      {R"({"minLength":3})", R"("\u00e4\ud83d\ude00")", "", "expected 3 or more characters, got 2"},
      {R"({"maxLength":1})", "\"\xF0\x9F\x98\x80\"", "", ""},
      {R"({"maxLength":1})", R"("ab")", "", "expected 1 or fewer characters, got 2"},
      {R"({"maxLength":1})", "22", "", ""},
      {R"({"minLength":true})", R"("a")", "", senseless},
  });
}

TEST(JsonSchema, judges_objects) {
  const std::string person =
      R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],)"
      R"("additionalProperties":false})";
  expect({
      {person, R"({"name":"A","age":3})", "", ""},
      {person, R"({"name":"A"})", "", R"(required property "age" is missing)"},
      {person, R"({"name":"A","age":"3"})", "/age", "expected integer, got string"},
      {person, R"({"name":"A","age":3,"more":1})", "/more", "this property is not allowed"},
      {person, R"([])", "", "expected object, got array"},
      {R"({"additionalProperties":{"type":"integer"}})", R"({"x":1,"y":"2"})", "/y", "expected integer, got string"},
      {R"({"properties":{"a":{}},"additionalProperties":{"minimum":2}})", R"({"a":1,"b":1})", "/b",
       "expected at least 2, got 1"},
      {R"({"patternProperties":{"^x":{"type":"string"}},"additionalProperties":false})", R"({"x":1,"y":2})", "", ""},
      {R"({"patternProperties":{"^x":{}},"properties":{"y":{"const":1}}})", R"({"y":2})", "/y", "expected 1"},
      {R"({"propertyNames":{"maxLength":1}})", R"({"long":1})", "", ""},
      {R"({"minProperties":2})", R"({"a":1})", "", "expected 2 or more properties, got 1"},
      {R"({"maxProperties":1})", R"({"a":1,"b":1})", "", "expected 1 or fewer properties, got 2"},
      {R"({"maxProperties":1})", R"({"a":1,"a":2})", "", ""},
      {R"({"required":"a"})", R"({"a":1})", "", senseless},
      {R"({"required":[1,"b"]})", "{}", "", R"(required property "b" is missing)"},
      {R"({"properties":[]})", R"({"a":1})", "", senseless},
      {R"({"properties":[],"required":["a"]})", "1", "", ""},
  });
}

TEST(JsonSchema, judges_arrays) {
  expect({
      {R"({"items":{"type":"integer"}})", "[1,2]", "", ""},
      {R"({"items":{"type":"integer"}})", R"([1,"2",null])", "/1", "expected integer, got string"},
      {R"({"items":false})", "[]", "", ""},
      {R"({"prefixItems":[{"const":1},true],"items":false})", "[1,2]", "", ""},
      {R"({"prefixItems":[{"const":1},true],"items":false})", "[1,2,3]", "/2", "no value is allowed here"},
      {R"({"prefixItems":[{"const":1}]})", "[2,2]", "/0", "expected 1"},
      {R"({"items":[{"const":1}],"additionalItems":{"const":2}})", "[1,2,3]", "/2", "expected 2"},
      {R"({"minItems":1})", "[]", "", "expected 1 or more items, got 0"},
      {R"({"minItems":3,"maxItems":0})", "[1]", "", "expected 3 or more items, got 1"},
      {R"({"maxItems":1})", "[1,2]", "", "expected 1 or fewer items, got 2"},
      {R"({"uniqueItems":true})", R"([1,"1",true,[1],{"a":1}])", "", ""},
      {R"({"uniqueItems":true})", "[1,2,1.0]", "/2", "this item is equal to an earlier one"},
      {R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2,"a":1}])", "/1", "this item is equal to an earlier one"},
      {R"({"uniqueItems":false})", "[1,1]", "", ""},
      {R"({"uniqueItems":1})", "[1,1]", "", senseless},
      {R"({"prefixItems":{}})", "[1]", "", senseless},
  });
}

TEST(JsonSchema, tells_the_fault_of_the_alternative_that_got_deepest) {
  const std::string tagged =
      R"({"anyOf":[{"properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},)"
      R"({"properties":{"kind":{"const":"b"},"y":{"type":"integer"}}},{"type":"null"}]})";
  expect({
      {tagged, R"({"kind":"b","y":1})", "", ""},
      {tagged, R"({"kind":"b","y":"1","x":1})", "/y", "expected integer, got string"},
      {tagged, R"({"kind":"c","x":2})", "/kind", R"(expected "a")"},
      {R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", R"("x")", "", "expected integer or null, got string"},
      {R"({"anyOf":[{"minimum":5},{"maximum":1}]})", "3", "", no_alternative},
      {R"({"anyOf":[{"type":"object","required":["a"]},{"type":"null"}]})", "{}", "",
       R"(required property "a" is missing)"},
      {R"({"anyOf":[{"const":1},{"const":2}]})", "3", "", no_alternative},
      {R"({"anyOf":[]})", "3", "", senseless},
      {R"({"anyOf":[{"items":{"type":"string"}},{"items":{"type":"null"}}]})", "[1]", "/0",
       "expected string or null, got integer"},
      {R"({"anyOf":[{"$ref":"other"},{"const":1}]})", "1", "", ""},
      {R"({"anyOf":[{"$ref":"other"},{"const":1}]})", "2", "", not_followed},
  });
}

TEST(JsonSchema, combines_schemas) {
  expect({
      {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "1", "", ""},
      {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "3", "", several},
      {R"({"oneOf":[{"type":"integer"},{"type":"string"}]})", "null", "", "expected string or integer, got null"},
      {R"({"oneOf":[{"$ref":"other"},{"const":1}]})", "1", "", not_followed},
      {R"({"oneOf":[{"$ref":"other"},true,{"const":1}]})", "1", "", several},
      {R"({"allOf":[{"minimum":1},{"maximum":3}]})", "2", "", ""},
      {R"({"allOf":[{"minimum":1},{"maximum":3}]})", "4", "", "expected at most 3, got 4"},
      {R"({"allOf":[{"$ref":"other"},{"maximum":3}]})", "4", "", "expected at most 3, got 4"},
      {R"({"allOf":[{"$ref":"other"},{"maximum":3}]})", "3", "", not_followed},
      {R"({"allOf":{}})", "3", "", senseless},
      {R"({"not":{"type":"string"}})", "3", "", ""},
      {R"({"not":{"type":"string"}})", R"("a")", "", "it matches what is not allowed here"},
      {R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"maxProperties":0}})", R"({"a":1,"b":2})", "", ""},
      {R"({"if":{"required":["a"]},"then":{"required":["b"]}})", R"({"a":1})", "",
       R"(required property "b" is missing)"},
      {R"({"if":{"required":["a"]},"else":{"maxProperties":0}})", R"({"c":1})", "",
       "expected 0 or fewer properties, got 1"},
      {R"({"if":false,"then":false})", "1", "", ""},
      {R"({"then":false,"else":false})", "1", "", ""},
  });
}

TEST(JsonSchema, never_finds_fault_through_what_it_passes_over) {
  expect({
      {R"({"pattern":"^a","format":"date","contentEncoding":"base64","x-more":{"type":5}})", R"("b")", "", ""},
      {R"({"contains":{"const":1},"unevaluatedItems":false})", "[2]", "", ""},
      {R"({"dependentRequired":{"a":["b"]},"unevaluatedProperties":false})", R"({"a":1})", "", ""},
      {R"({"not":{"pattern":"^a"}})", R"("b")", "", depends},
      {R"({"not":{"properties":{"a":{"format":"date"}}}})", R"({"a":"b"})", "", depends},
      {R"({"not":{"pattern":"^a","type":"string"}})", "1", "", ""},
      {R"({"if":{"pattern":"^a"},"then":false})", R"("b")", "", depends},
      {R"({"oneOf":[{"pattern":"^a"},{"pattern":"^b"}]})", R"("b")", "", ""},
      {R"({"oneOf":[{"pattern":"^a"},{"type":"string"}]})", R"("b")", "", ""},
      {R"({"anyOf":[{"pattern":"^a"},{"$ref":"other"}]})", R"("b")", "", ""},
      {R"({"anyOf":[{"pattern":"^a","type":"null"},{"type":"null"}]})", R"("b")", "", "expected null, got string"},
  });
}

TEST(JsonSchema, follows_references_within_the_schema) {
  const std::string tree =
      R"({"$defs":{"node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},)"
      R"("required":["next"]}},"$ref":"#/$defs/node"})";
  const std::string odd = R"({"properties":{"a":{"$ref":"#/x~1y~0%25/1"}},"x/y~%":[0,{"type":"null"}]})";
  expect({
      {tree, R"({"next":{"next":null}})", "", ""},
      {tree, R"({"next":{"next":{}}})", "/next/next", R"(required property "next" is missing)"},
      {R"({"properties":{"a":{"$ref":"#"}},"additionalProperties":false})", R"({"a":{"a":{"b":1}}})", "/a/a/b",
       "this property is not allowed"},
      {R"({"definitions":{"d":{"const":1}},"items":{"$ref":"#/definitions/d"}})", "[1,2]", "/1", "expected 1"},
      {R"({"$defs":{"d":{"type":"integer"}},"$ref":"#/$defs/d","minimum":2})", "1", "", "expected at least 2, got 1"},
      {odd, R"({"a":null})", "", ""},
      {odd, R"({"a":1})", "/a", "expected null, got integer"},
      {R"({"$ref":"#/$defs/none"})", "1", "", not_followed},
      {R"({"$ref":"#/prefixItems/01","prefixItems":[{},{}]})", "1", "", not_followed},
      {R"({"$ref":"#/prefixItems/2","prefixItems":[{},{}]})", "1", "", not_followed},
      {R"({"$ref":"#/a~2"})", "1", "", not_followed},
      {R"({"$ref":"#/a%2"})", "1", "", not_followed},
      {R"({"$ref":"#anchor","$defs":{"a":{"$anchor":"anchor"}}})", "1", "", not_followed},
      {R"({"$ref":"https://example.org/schema"})", "1", "", not_followed},
      {R"({"$ref":7})", "1", "", senseless},
      {R"({"$dynamicRef":"#a"})", "1", "", "?the schema holds a reference that is not followed"},
      {R"({"$id":"https://example.org/a","const":1})", "2", "", "expected 1"},
      {R"({"$id":"https://example.org/a","const":1})", "1", "", ""},
      {R"({"items":{"$id":"b"}})", "[2]", "", "?the schema holds a $id inside it, which is not judged"},
      {R"({"properties":{"$id":{"const":1}}})", R"({"$id":2})", "/$id", "expected 1"},
      {R"({"items":{"$ref":"other"},"maxItems":1})", "[1,2]", "", "expected 1 or fewer items, got 2"},
  });
}

TEST(JsonSchema, names_the_first_fault_in_the_order_of_the_document) {
  const std::string schema =
      R"({"properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"items":{"const":0}}},"maxProperties":3})";
  expect({
      {schema, R"({"b":1,"a":2})", "/b", "expected string, got integer"},
      {schema, R"({"c":[0,1,2],"b":1,"a":2})", "/c/1", "expected 0"},
      {schema, R"({"b":1,"c":2,"d":3,"e":4})", "", "expected 3 or fewer properties, got 4"},
      {schema, R"({"b":"x","a":2,"b":3})", "/b", "expected string, got integer"},
  });
}

TEST(JsonSchema, says_that_a_document_is_no_json) {
  for (const std::string_view document :
       {std::string_view(""), std::string_view("{"), std::string_view("{} {}"), std::string_view("nul"),
        std::string_view("'a'"), std::string_view("01"), std::string_view("[1,]"), std::string_view("NaN"),
        std::string_view("```json\n{}\n```"), std::string_view("\"\xFF\""), std::string_view("\"\xC0\x80\""),
        std::string_view("\"\xED\xA0\x80\""), std::string_view(R"("\ud800")"), std::string_view(R"("\udc00\ud800")"),
        std::string_view("1\0", 2), std::string_view("1\0x", 3), std::string_view("\xEF\xBB\xBF{}")})
    EXPECT_EQ(shown(judge("true", document)), "differs \"\" it is not valid JSON") << document;
  EXPECT_EQ(shown(judge("true", "1e999")), "undecided \"\" it holds a number that is out of range");
}

TEST(JsonSchema, refuses_schemas_that_it_cannot_read) {
  for (const std::string& schema : {std::string("{"), std::string(), std::string(R"({"const":"\ud800"})"),
                                    std::string("{\"const\":\"\xFF\"}"), repeated("[", 100'000)}) {
    const auto read = JsonSchema::read(schema);
    ASSERT_TRUE(read.has_error()) << schema.substr(0, 20);
    EXPECT_EQ(read.error().kind, FailureKind::bad_request);
    EXPECT_EQ(read.error().source, Source::client);
  }
  const auto message = [](const std::string& schema) {
    const auto read = JsonSchema::read(schema);
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(message("{"), "The JSON schema is not valid JSON.");
  EXPECT_EQ(message(R"({"minimum":-1e999})"), "The JSON schema holds a number that is out of range.");
  EXPECT_EQ(message(repeated("[", 64) + repeated("]", 64)), "");
  EXPECT_EQ(message(repeated("[", 65) + repeated("]", 65)), "The JSON schema is nested more than 64 deep.");
  EXPECT_EQ(message("{}" + std::string(JsonSchema::largest_schema - 2, ' ')), "");
  EXPECT_EQ(message("{}" + std::string(JsonSchema::largest_schema - 1, ' ')),
            "The JSON schema is larger than 262144 bytes.");
}

TEST(JsonSchema, leaves_documents_beyond_its_bounds_undecided) {
  const std::string nested = R"({"items":{"$ref":"#"},"type":"array"})";
  const std::string full = "[" + repeated("0,", JsonSchema::most_steps - 2) + "0]";
  expect({
      {nested, repeated("[", 64) + repeated("]", 64), "", ""},
      {nested, repeated("[", 64) + "0" + repeated("]", 64), repeated("/0", 64), "expected array, got integer"},
      {nested, repeated("[", 65) + repeated("]", 65), "", "?it is nested too deep to judge"},
      {nested, repeated("[", 100'000), "", "?it is nested too deep to judge"},
      {nested, repeated(R"({"a":)", 100'000) + "0" + repeated("}", 100'000), "", "?it is nested too deep to judge"},
      {"true", "0" + std::string(JsonSchema::largest_document - 1, ' '), "", ""},
      {"true", "0" + std::string(JsonSchema::largest_document, ' '), "", "?it is too large to judge"},
      {"true", full, "", ""},
      {"true", "[0," + full.substr(1), "", "?it holds too many values to judge"},
      {R"({"items":{"type":"integer"}})", full, "", too_many_steps},
  });
}

TEST(JsonSchema, gives_up_on_references_in_a_circle) {
  expect({
      {R"({"$ref":"#"})", "1", "", too_often},
      {R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1", "", too_often},
      {R"({"allOf":[{"$ref":"#"},{"const":2}]})", "1", "", too_often},
      {R"({"not":{"$ref":"#"}})", "1", "", too_often},
      {R"({"if":{"$ref":"#"},"then":true})", "1", "", too_often},
      {R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})", "1", "", too_often},
      {R"({"anyOf":[{"const":1},{"$ref":"#"}]})", "1", "", ""},
      {R"({"type":"string","$ref":"#"})", "1", "", "expected string, got integer"},
  });
}

/// `levels` definitions, each of which asks twice for the next: 2^levels ways, all of which fail at their end.
std::string doubling(std::string_view keyword, int levels) {
  std::string schema = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < levels; ++i) {
    const std::string next = R"({"$ref":"#/$defs/)" + std::to_string(i + 1) + "\"}";
    schema += "\"" + std::to_string(i) + "\":{\"" + std::string(keyword) + "\":[" + next + "," + next + "]},";
  }
  return schema + "\"" + std::to_string(levels) + R"(":{"const":0}}})";
}

TEST(JsonSchema, gives_up_on_what_takes_too_many_steps) {
  std::string choices = "0", strings;
  for (int i = 1; i < 30'000; ++i) choices += "," + std::to_string(i);
  for (int i = 0; i < 3000; ++i)
    strings += (i == 0 ? "" : ",") + repeated("{\"maxLength\":9},", 3) + "{\"maxLength\":8}";
  std::string unknown;
  for (int i = 0; i < 10'000; ++i) unknown += "\"" + std::to_string(i) + "\":0,";
  const std::string numbers = "[" + repeated("29999,", 100) + "29999]";
  const std::string choice = R"({"enum":[)" + choices + "]}";
  expect({
      {doubling("anyOf", 8), "1", "", no_alternative},
      {doubling("anyOf", 60), "1", "", too_many_steps},
      {doubling("oneOf", 60), "1", "", too_many_steps},
      {doubling("allOf", 60), "0", "", too_many_steps},
      {choice, "29999", "", ""},
      {choice, "30000", "", "expected one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, ..."},
      {R"({"items":)" + choice + "}", numbers, "", too_many_steps},
      {R"({"anyOf":[)" + strings + "]}", "\"" + std::string(1'000'000, 'x') + "\"", "", too_many_steps},
      {R"({"items":{)" + unknown + R"("type":"integer"}})", "[" + repeated("0,", 10) + "0]", "", ""},
      {R"({"items":{)" + unknown + R"("type":"integer"}})", "[" + repeated("0,", 100) + "0]", "", too_many_steps},
      {R"({"uniqueItems":true})", "[" + choices + "]", "", too_many_steps},
  });
}

TEST(JsonSchema, judges_thousands_of_different_items) {
  std::string items = "0";
  for (int i = 1; i < 2000; ++i) items += "," + std::to_string(i);
  expect({
      {R"({"uniqueItems":true})", "[" + items + "]", "", ""},
      {R"({"uniqueItems":true})", "[" + items + ",1000]", "/2000", "this item is equal to an earlier one"},
  });
}

TEST(JsonSchema, says_little_and_in_printable_bytes) {
  const std::string name(300, 'n');
  expect({
      {R"({"required":["\u00e4\n\"\\\u0000\ud83d\ude00"]})", "{}", "",
       R"(required property "\u00e4\u000a\"\\\u0000\ud83d\ude00" is missing)"},
      {R"({"required":["\u001f ~\u007f"]})", "{}", "", R"(required property "\u001f ~\u007f" is missing)"},
      {R"({"additionalProperties":false})", R"({"a/b~c\u202e":1})", R"(/a~1b~0c\u202e)",
       "this property is not allowed"},
      {R"({"const":")" + std::string(64, 'x') + "\"}", "1", "", "expected \"" + std::string(64, 'x') + "\""},
      {R"({"const":")" + name + "\"}", "1", "", "expected \"" + std::string(61, 'n') + "...\""},
      {R"({"const":")" + repeated(R"(\u00e4)", 20) + "\"}", "1", "",
       "expected \"" + repeated(R"(\u00e4)", 10) + "...\""},
      {R"({"additionalProperties":false})", "{\"" + name + "\":1}", "/" + std::string(61, 'n') + "...",
       "this property is not allowed"},
      {R"({"enum":[")" + name + R"(",")" + name + "\"]}", "1", "",
       "expected one of: \"" + std::string(61, 'n') + "...\", ..."},
  });
}

TEST(JsonSchema, cuts_a_long_pointer_between_names) {
  const std::string name(60, 'n');
  const std::string schema = R"({"type":"object","additionalProperties":{"$ref":"#"}})";
  const std::string open = "{\"" + name + "\":";
  const std::string way = "/" + name;
  expect({
      {schema, repeated(open, 3) + "1" + repeated("}", 3), repeated(way, 3), "expected object, got integer"},
      {schema, repeated(open, 4) + "1" + repeated("}", 4), repeated(way, 3) + "/...", "expected object, got integer"},
  });
}

TEST(JsonSchema, is_shared_by_its_copies) {
  auto schema = JsonSchema::read(R"({"const":1})");
  ASSERT_TRUE(schema);
  const JsonSchema copy = *schema;
  schema = JsonSchema::read("true");
  EXPECT_EQ(copy.judge("2").kind, Kind::differs);
  EXPECT_EQ(schema->judge("2").kind, Kind::matches);
}

}  // namespace
}  // namespace tollgate::protocol
