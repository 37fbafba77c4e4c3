// What others have said in a conversation that now goes to Anthropic: their thinking, which nobody else's signature is
// good for, and calls without any, which Anthropic takes only while it does not think.
#include "tollgate/protocol/anthropic/foreign.hpp"

#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

namespace tollgate::protocol::anthropic {
namespace {

using json::Kind;
using json::pick;
using json::Reader;
using json::Value;
using openai::Span;
using openai::Splice;

/// Nearly all bodies are looked through in vain, and both words begin with bytes that are frequent there: string_view's
/// search would stop at each of them.
bool contains(std::string_view text, std::string_view word) {
  return ::memmem(text.data(), text.size(), word.data(), word.size()) != nullptr;
}

/// Cuts elements out of one list, each with the one comma that goes with it: the one before it, but of those that come
/// first the one after.
class ListCuts {
 public:
  void keep(Span element) {
    if (!leading_.empty()) cuts_.push_back({{leading_.begin, element.begin}, {}});
    leading_ = {};
    kept_end_ = element.end;
  }
  void cut(Span element) {
    if (kept_end_) {
      cuts_.push_back({{*kept_end_, element.end}, {}});
      kept_end_ = element.end;
    } else {
      leading_ = {leading_.empty() ? element.begin : leading_.begin, element.end};
    }
    any_ = true;
  }
  /// Nothing is left of the list.
  bool all() const { return any_ && !kept_end_; }
  std::vector<Splice> take() {
    if (!leading_.empty()) cuts_.push_back({leading_, {}});
    return std::move(cuts_);
  }

 private:
  std::vector<Splice> cuts_;
  Span leading_;
  std::optional<std::size_t> kept_end_;
  bool any_ = false;
};

bool is_foreign(const Value& block) {
  if (!contains(block.text, foreign_signature)) return false;
  const auto [type, signature] = pick<2>(block.text, {"type", "signature"});
  return type.text == "\"thinking\"" && signature.kind == Kind::string &&
         json::decode_lossy(signature.inside()).starts_with(foreign_signature);
}

/// Where a part of the body stands in it.
Span span_of(const Value& part, std::string_view body) {
  const auto begin = static_cast<std::size_t>(part.text.data() - body.data());
  return {begin, begin + part.text.size()};
}

ListCuts cut_blocks(const Value& turn, std::string_view body) {
  ListCuts cuts;
  if (!contains(turn.text, foreign_signature)) return cuts;
  const Value content = pick(turn.text, "content");
  Reader reader(content.text);
  if (!reader.enter_array()) return cuts;
  while (reader.next_element()) {
    const Value block = reader.take();
    if (reader.failed()) return {};
    is_foreign(block) ? cuts.cut(span_of(block, body)) : cuts.keep(span_of(block, body));
  }
  return cuts;
}

/// What a turn says about whose loop of tools it is part of.
struct Turn {
  bool calls = false;    ///< tools
  bool thinks = false;   ///< first, in Anthropic's own words
  bool foreign = false;  ///< some of it is somebody else's
  bool results = false;
};

Turn look_at(std::string_view content) {
  Turn turn;
  bool at_begin = true;
  Reader reader(content);
  if (!reader.enter_array()) return turn;
  while (reader.next_element()) {
    const Value block = reader.take();
    const auto [type, id] = pick<2>(block.text, {"type", "id"});
    if (is_foreign(block)) {
      turn.foreign = true;  // will be cut out, so that the next one is the first
      continue;
    }
    const bool is_call = type.text == "\"tool_use\"";
    turn.calls = turn.calls || is_call;
    turn.foreign = turn.foreign || (is_call && !id.text.starts_with("\"toolu_"));
    turn.results = turn.results || type.text == "\"tool_result\"";
    turn.thinks = turn.thinks || (at_begin && (type.text == "\"thinking\"" || type.text == "\"redacted_thinking\""));
    at_begin = false;
  }
  return turn;
}

/// The conversation ends in results of calls that were not thought about, in a loop that is partly somebody else's.
bool waits_without_thinking(std::string_view messages) {
  bool foreign = false, waits = false;
  Reader reader(messages);
  if (!reader.enter_array()) return false;
  while (reader.next_element()) {
    const auto [role, content] = pick<2>(reader.take().text, {"role", "content"});
    const Turn turn = look_at(content.text);
    if (role.text == "\"assistant\"") {
      foreign = foreign || turn.foreign;
      waits = turn.calls && !turn.thinks;
    } else if (!turn.results) {
      foreign = waits = false;  // the user has spoken: a new loop
    }
  }
  return foreign && waits && !reader.failed();
}

}  // namespace

std::vector<Splice> cut_foreign_thinking(std::string_view body) {
  if (!contains(body, foreign_signature)) return {};
  const Value messages = pick(body, "messages");
  Reader reader(messages.text);
  if (!reader.enter_array()) return {};
  ListCuts turns;
  std::vector<Splice> cuts;
  while (reader.next_element()) {
    const Value turn = reader.take();
    if (reader.failed()) return {};
    ListCuts blocks = cut_blocks(turn, body);
    if (blocks.all()) {
      turns.cut(span_of(turn, body));
    } else {
      turns.keep(span_of(turn, body));
      std::ranges::move(blocks.take(), std::back_inserter(cuts));
    }
  }
  std::ranges::move(turns.take(), std::back_inserter(cuts));
  std::ranges::sort(cuts, {}, [](const Splice& cut) { return cut.where.begin; });
  return cuts;
}

std::vector<Splice> end_thinking_of_foreign_loop(std::string_view body) {
  if (!contains(body, "\"enabled\"")) return {};
  const auto [thinking, messages] = pick<2>(body, {"thinking", "messages"});
  if (pick(thinking.text, "type").text != "\"enabled\"" || !waits_without_thinking(messages.text)) return {};
  return {{span_of(thinking, body), R"({"type":"disabled"})"}};
}

}  // namespace tollgate::protocol::anthropic
