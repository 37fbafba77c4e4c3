#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::config {

/// Single-byte insertions, deletions and substitutions that turn one word into the other, letter case ignored; anything
/// over `limit` is reported as limit + 1, so that long words cost little.
std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit);

/// Up to `count` of `names` that a slip of the fingers could have turned into `word`, nearest first.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names, std::size_t count);

/// "did you mean 'x'?", or nothing where no name is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

/// The words with `joint` between each two, and another one before the last where it is given.
std::string joined(const std::vector<std::string>& words, std::string_view joint);
std::string joined(const std::vector<std::string>& words, std::string_view joint, std::string_view last_joint);

/// The word with every control byte as '?', and cut where it is very long: fit for a terminal and a log.
std::string printable(std::string_view word);

bool has_control(std::string_view text);

}  // namespace tollgate::config
