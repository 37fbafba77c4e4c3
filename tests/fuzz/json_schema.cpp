// Whatever schema and document are, judging ends, says what it says in few printable bytes and the same each time; and
// schemas made of the two have the verdict that follows. The input's first line is the schema, the rest the document.
#include "tollgate/protocol/json_schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using tollgate::protocol::JsonSchema;
using Verdict = JsonSchema::Verdict;
using Kind = Verdict::Kind;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return byte >= 0x20 && byte < 0x7F; });
}

void check_words(const Verdict& verdict) {
  require(verdict.where.size() <= 200 && is_printable(verdict.where));
  require(verdict.what.size() <= 200 && is_printable(verdict.what));
  require(verdict.what.empty() == (verdict.kind == Kind::matches));
  require(verdict.where.empty() || (verdict.kind == Kind::differs && verdict.where.front() == '/'));
}

Kind judged(const std::string& schema, std::string_view document) {
  const auto read = JsonSchema::read(schema);
  return read ? read->judge(document).kind : Kind::undecided;
}

bool is_one_of(Kind kind, Kind first, Kind second) { return kind == first || kind == second; }

/// A document is itself and one of itself; a schema and its opposite never agree.
void check_algebra(const std::string& schema, const std::string& document, Kind kind) {
  require(is_one_of(judged(R"({"const":)" + document + "}", document), Kind::matches, Kind::undecided));
  require(is_one_of(judged(R"({"enum":[0,)" + document + "]}", document), Kind::matches, Kind::undecided));
  require(is_one_of(judged(R"({"not":{"const":)" + document + "}}", document), Kind::differs, Kind::undecided));
  // Within another schema a reference to the root or below it means something else.
  const std::string plain = nlohmann::json::parse(schema, nullptr, false).dump();
  if (plain.find("ef\"") != std::string::npos || plain.find("\"$id\"") != std::string::npos) return;
  const Kind opposite = judged(R"({"not":)" + schema + "}", document);
  require(opposite == Kind::undecided || kind == Kind::undecided || opposite != kind);
  for (const char* const keyword : {"allOf", "anyOf", "oneOf"}) {
    const Kind same = judged(R"({")" + std::string(keyword) + R"(":[)" + schema + "]}", document);
    require(is_one_of(same, kind, Kind::undecided));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const std::string schema(input.substr(0, input.find('\n')));
  const std::string document(input.substr(std::min(schema.size() + 1, size)));
  const auto read = JsonSchema::read(schema);
  if (!read) {
    require(read.error().kind == tollgate::FailureKind::bad_request && !read.error().message.empty());
    return 0;
  }
  const Verdict verdict = read->judge(document);
  check_words(verdict);
  const Verdict again = read->judge(document);
  require(again.kind == verdict.kind && again.where == verdict.where && again.what == verdict.what);
  const bool is_judged = judged("true", document) == Kind::matches;
  require(!is_judged || nlohmann::json::accept(document));
  if (is_judged)
    check_algebra(schema, document, verdict.kind);
  else
    require(verdict.kind != Kind::matches);
  return 0;
}
