#include "config/words.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace tollgate::config {

namespace {

constexpr std::size_t longest_compared = 256;  // names are at most 128 bytes; a requested one may be anything

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit) {
  if (left.size() > right.size()) std::swap(left, right);
  if (right.size() - left.size() > limit || right.size() > longest_compared) return limit + 1;
  const auto same = [&](std::size_t i, std::size_t j) { return lower(left[j - 1]) == lower(right[i - 1]); };
  std::vector<std::size_t> before(left.size() + 1), above(left.size() + 1), row(left.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= right.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= left.size(); ++j) {
      row[j] = std::min({above[j - 1] + (same(i, j) ? 0 : 1), above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    // A swap of neighbours reaches back two rows, so one row over the limit is not the end yet.
    if (*std::min_element(row.begin(), row.end()) > limit && *std::min_element(above.begin(), above.end()) > limit)
      return limit + 1;
  }
  return std::min(row.back(), limit + 1);
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names, std::size_t count) {
  const std::size_t limit = std::clamp<std::size_t>(word.size() / 3, 1, 4);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(word, name, limit);
    if (distance <= limit && distance < name.size()) near.emplace_back(distance, name);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> found;
  for (auto& [distance, name] : near) {
    if (found.size() == count) break;
    if (std::find(found.begin(), found.end(), name) == found.end()) found.push_back(std::move(name));
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const auto near = nearest(word, names, 1);
  return near.empty() ? "" : "did you mean '" + near.front() + "'?";
}

std::string joined(const std::vector<std::string>& words, std::string_view joint) {
  return joined(words, joint, joint);
}

std::string joined(const std::vector<std::string>& words, std::string_view joint, std::string_view last_joint) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? last_joint : joint;
    text += words[i];
  }
  return text;
}

std::string printable(std::string_view word) {
  constexpr std::size_t longest_shown = 120;
  std::string shown(word.substr(0, longest_shown));
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return word.size() > longest_shown ? shown + "..." : shown;
}

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

}  // namespace tollgate::config
