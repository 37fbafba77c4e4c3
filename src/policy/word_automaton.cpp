// Builds the table: a trie of all words, then for every state and byte where to go on, breadth first, so that the scan
// never steps back. States with matches get the highest numbers, so that the scan asks one comparison.
#include "policy/word_automaton.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <stdexcept>

namespace tollgate::policy {
namespace {

constexpr unsigned char latin_lead = 0xC3;  // of U+00C0 to U+00FF

bool is_letter(unsigned char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' || (byte >= 'A' && byte <= 'Z');
}
/// Of U+00C0 to U+057F.
bool leads_letter(unsigned char byte) { return byte >= 0xC3 && byte <= 0xD5; }
bool is_blank(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// U+00E0 to U+00FE are the small forms of U+00C0 to U+00DE, but for the multiplication and division signs.
bool is_small_latin(unsigned char second) { return second >= 0xA0 && second <= 0xBE && second != 0xB7; }

unsigned char folded(unsigned char byte, unsigned char before) {
  if (byte < 0x80) return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : is_blank(byte) ? ' ' : byte;
  return before == latin_lead && byte < 0xA0 && is_small_latin(byte + 0x20) ? byte + 0x20 : byte;
}

std::string fold(std::string_view text) {
  std::string result;
  unsigned char before = 'a';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const unsigned char now = folded(byte, before);
    if (!(now == ' ' && is_blank(before))) result.push_back(static_cast<char>(now));
    before = byte;
  }
  return result;
}

}  // namespace

/// States in the order they were made, with their own edges only.
struct WordAutomaton::Trie {
  struct State {
    std::vector<std::pair<unsigned char, std::uint16_t>> edges{};  // folded byte, state
    std::uint16_t fallback = 0;
    std::uint16_t match = none;
    unsigned char by = 0;  // the byte that leads here
  };
  std::vector<State> states{1};

  std::uint16_t child(std::uint16_t state, unsigned char by) const {
    for (const auto& [edge, to] : states[state].edges)
      if (edge == by) return to;
    return none;
  }
  std::uint16_t make_child(std::uint16_t state, unsigned char by) {
    if (const auto found = child(state, by); found != none) return found;
    const auto made = static_cast<std::uint16_t>(states.size());
    states[state].edges.emplace_back(by, made);
    states.emplace_back().by = by;
    return made;
  }
  /// States by their depth, with their fallbacks set: where the longest proper suffix that is in the trie stands.
  std::vector<std::uint16_t> breadth_first(std::vector<Match>& matches);
};

std::vector<std::uint16_t> WordAutomaton::Trie::breadth_first(std::vector<Match>& matches) {
  std::vector<std::uint16_t> order{0};
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::uint16_t parent = order[place];
    for (const auto& [by, to] : states[parent].edges) {
      order.push_back(to);
      std::uint16_t from = parent, fallback = none;
      while (from != 0 && fallback == none) {
        from = states[from].fallback;
        fallback = child(from, by);
      }
      State& state = states[to];
      state.fallback = fallback == none ? 0 : fallback;
      // What the fallback matches ends here too. Lists of one state share their tails with those of its fallback.
      std::uint16_t* tail = &state.match;
      while (*tail != none) tail = &matches[*tail].next;
      *tail = states[state.fallback].match;
    }
  }
  return order;
}

WordAutomaton::WordAutomaton(const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (const std::string& word : words) {
    texts.push_back(fold(word));
    bytes += texts.back().size();
  }
  if (bytes > most_bytes) throw std::length_error("more words than an automaton has room for");
  add_classes(texts);
  Trie trie;
  for (std::size_t id = 0; id < texts.size(); ++id) {
    std::string_view text = texts[id];
    const bool any_ending = text.ends_with('*');
    if (any_ending) text.remove_suffix(1);
    if (text.empty() || text.size() > longest_word) throw std::length_error("a word is 1 to 128 bytes long");
    add_word(trie, static_cast<std::uint16_t>(id), text, any_ending);
  }
  number_states(trie);
}

/// Bytes that no word has share class 0, so that a row is short. Bytes that are the same when folded share one too.
void WordAutomaton::add_classes(const std::vector<std::string>& texts) {
  std::array<bool, 256> used{};
  for (const std::string& text : texts) {
    unsigned char before = 0;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      used[byte] = true;
      // What is folded only after another byte keeps a class of its own.
      if (before == latin_lead && is_small_latin(byte)) used[byte - 0x20] = true;
      before = byte;
    }
  }
  unsigned classes = 1;
  for (unsigned byte = 0; byte < used.size(); ++byte)
    if (used[byte]) class_of_[byte] = static_cast<std::uint8_t>(classes++);
  for (unsigned byte = 0; byte < 0x80; ++byte) class_of_[byte] = class_of_[folded(static_cast<unsigned char>(byte), 0)];
  shift_ = static_cast<unsigned>(std::bit_width(classes - 1));
}

void WordAutomaton::add_word(Trie& trie, std::uint16_t id, std::string_view text, bool any_ending) {
  std::uint16_t state = 0;
  for (const char c : text) state = trie.make_child(state, static_cast<unsigned char>(c));
  const auto first = static_cast<unsigned char>(text.front());
  const auto last = static_cast<unsigned char>(text.back());
  const bool ends_in_letter = is_letter(last) || (text.size() > 1 && is_continuation(last) &&
                                                  leads_letter(static_cast<unsigned char>(text[text.size() - 2])));
  matches_.push_back({.id = id,
                      .next = trie.states[state].match,
                      .length = static_cast<std::uint16_t>(text.size()),
                      .bound_left = is_letter(first) || leads_letter(first),
                      .bound_right = !any_ending && ends_in_letter,
                      .has_blank = text.find(' ') != text.npos});
  trie.states[state].match = static_cast<std::uint16_t>(matches_.size() - 1);
}

void WordAutomaton::number_states(Trie& trie) {
  const std::vector<std::uint16_t> order = trie.breadth_first(matches_);
  std::vector<std::uint16_t> number(order.size());
  std::uint16_t numbered = 0;
  for (const bool accepting : {false, true}) {
    if (accepting) first_accepting_ = numbered;
    for (const std::uint16_t state : order) {
      if ((trie.states[state].match != none) != accepting) continue;
      number[state] = numbered++;
      if (accepting) first_match_.push_back(trie.states[state].match);
    }
  }
  next_.assign(order.size() << shift_, 0);
  for (const std::uint16_t state : order) {
    const Trie::State& from = trie.states[state];
    const auto row = next_.begin() + (std::ptrdiff_t{number[state]} << shift_);
    const auto fallback = next_.begin() + (std::ptrdiff_t{number[from.fallback]} << shift_);
    if (state != 0) std::copy(fallback, fallback + (std::ptrdiff_t{1} << shift_), row);
    for (const auto& [by, to] : from.edges) {
      row[class_of_[by]] = number[to];
      if (from.by == latin_lead && is_small_latin(by)) row[class_of_[by - 0x20]] = number[to];
    }
    if (from.by == ' ') row[class_of_[' ']] = number[state];  // a run of blanks is one
  }
}

bool WordAutomaton::stands_alone(const Match& match, std::string_view text, std::size_t end) const {
  const auto byte_at = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  if (match.bound_right && end < text.size() && (is_letter(byte_at(end)) || leads_letter(byte_at(end)))) return false;
  if (!match.bound_left) return true;
  std::size_t begin = end;
  for (std::size_t left = match.length; match.has_blank && left > 0; --left) {
    --begin;
    while (is_blank(byte_at(begin)) && is_blank(byte_at(begin - 1))) --begin;
  }
  if (!match.has_blank) begin -= match.length;
  if (begin == 0) return true;
  if (is_letter(byte_at(begin - 1))) return false;
  return begin < 2 || !is_continuation(byte_at(begin - 1)) || !leads_letter(byte_at(begin - 2));
}

}  // namespace tollgate::policy
