// Builds the table: a trie of all words, then for every state and byte where to go on, breadth first, so that the scan
// never steps back. States with matches get the highest numbers, so that the scan asks one comparison.
#include "policy/word_automaton.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <stdexcept>

namespace tollgate::policy {

/// States in the order they were made, with their own edges only.
struct WordAutomaton::Trie {
  struct State {
    std::vector<std::pair<std::uint8_t, std::uint16_t>> edges{};  // class, state
    std::uint16_t fallback = 0;
    std::uint16_t match = none;
  };
  std::vector<State> states{1};

  std::uint16_t child(std::uint16_t state, std::uint8_t by) const {
    for (const auto& [edge, to] : states[state].edges)
      if (edge == by) return to;
    return none;
  }
  std::uint16_t make_child(std::uint16_t state, std::uint8_t by) {
    if (const auto found = child(state, by); found != none) return found;
    const auto made = static_cast<std::uint16_t>(states.size());
    states[state].edges.emplace_back(by, made);
    states.emplace_back();
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

std::string WordAutomaton::fold(std::string_view text) {
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

WordAutomaton::WordAutomaton(const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (const std::string& word : words) {
    texts.push_back(fold(word));
    bytes += texts.back().size();
  }
  if (bytes > most_bytes) throw std::length_error("more words than an automaton has room for");
  Trie trie;
  std::vector<bool> any_ending;
  for (std::string& text : texts) {
    any_ending.push_back(text.ends_with('*'));
    if (any_ending.back()) text.pop_back();
  }
  add_classes(texts);
  for (std::size_t id = 0; id < texts.size(); ++id) {
    const std::string& text = texts[id];
    if (text.empty() || text.size() > longest_word) throw std::length_error("a word is 1 to 128 bytes long");
    std::uint16_t state = 0;
    for (const char c : text) state = trie.make_child(state, class_of_[static_cast<unsigned char>(c)]);
    const auto byte_at = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const std::size_t last = text.size() - 1;
    const bool ends_in_letter = is_letter(byte_at(last)) || (last > 0 && leads_letter(byte_at(last - 1)));
    matches_.push_back({.id = static_cast<std::uint16_t>(id),
                        .next = trie.states[state].match,
                        .length = static_cast<std::uint16_t>(text.size()),
                        .bound_left = is_letter(byte_at(0)) || leads_letter(byte_at(0)),
                        .bound_right = !any_ending[id] && ends_in_letter});
    trie.states[state].match = static_cast<std::uint16_t>(matches_.size() - 1);
  }
  number_states(trie);
}

/// Bytes that no word has share class 0, so that a row is short.
void WordAutomaton::add_classes(const std::vector<std::string>& texts) {
  unsigned classes = 1;
  for (const std::string& text : texts) {
    for (const char c : text) {
      std::uint8_t& class_of = class_of_[static_cast<unsigned char>(c)];
      if (class_of == 0) class_of = static_cast<std::uint8_t>(classes++);
    }
  }
  shift_ = static_cast<unsigned>(std::bit_width(classes - 1));
}

void WordAutomaton::number_states(const Trie& given) {
  Trie trie = given;
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
    const auto row = next_.begin() + (std::ptrdiff_t{number[state]} << shift_);
    const auto fallback = next_.begin() + (std::ptrdiff_t{number[trie.states[state].fallback]} << shift_);
    if (state != 0) std::copy(fallback, fallback + (std::ptrdiff_t{1} << shift_), row);
    for (const auto& [by, to] : trie.states[state].edges) row[by] = number[to];
  }
}

}  // namespace tollgate::policy
