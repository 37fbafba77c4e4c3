#include "policy/token_merger.hpp"

#include <algorithm>
#include <functional>

namespace tollgate::policy::tokens {

std::size_t Merger::count(std::string_view piece) {
  const std::size_t size = piece.size();
  if (size < 2) return size;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(piece.data());
  steps_ += size;
  for (std::size_t at = 0; at + 1 < size; ++at) {
    part_[at] = tables_.byte_rank(bytes[at]);
    pair_[at] = tables_.byte_pair(bytes[at], bytes[at + 1]);
  }
  part_[size - 1] = tables_.byte_rank(bytes[size - 1]);
  pair_[size - 1] = no_rank;
  return size <= longest_scanned ? count_scanning(size) : count_sorted(size);
}

std::size_t Merger::count_scanning(std::size_t parts) {
  for (;;) {
    steps_ += parts;
    std::size_t best = 0;
    for (std::size_t at = 1; at < parts; ++at) {
      if (pair_[at] < pair_[best]) best = at;
    }
    if (pair_[best] == no_rank) return parts;
    part_[best] = pair_[best];
    --parts;
    for (std::size_t at = best + 1; at < parts; ++at) {
      part_[at] = part_[at + 1];
      pair_[at] = pair_[at + 1];
    }
    pair_[best] = best + 1 < parts ? tables_.merged(part_[best], part_[best + 1]) : no_rank;
    if (best > 0) pair_[best - 1] = tables_.merged(part_[best - 1], part_[best]);
  }
}

void Merger::push(std::size_t place) {
  if (pair_[place] == no_rank) return;
  candidates_[candidate_count_++] = pair_[place] << place_bits | static_cast<Candidate>(place);
}

void Merger::pair_up(std::size_t place, std::size_t with) {
  pair_[place] = tables_.merged(part_[place], part_[with]);
  if (pair_[place] == no_rank) return;
  push(place);
  std::push_heap(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(candidate_count_),
                 std::greater<>());
}

std::size_t Merger::count_sorted(std::size_t parts) {
  const std::size_t size = parts;
  candidate_count_ = 0;
  for (std::size_t at = 0; at < size; ++at) {
    next_[at] = static_cast<std::uint16_t>(at + 1);
    previous_[at] = static_cast<std::uint16_t>(at - 1);  // of the first one there is none, and nobody asks
    push(at);
  }
  const auto begin = candidates_.begin();
  std::make_heap(begin, begin + static_cast<std::ptrdiff_t>(candidate_count_), std::greater<>());
  while (candidate_count_ > 0) {
    ++steps_;
    std::pop_heap(begin, begin + static_cast<std::ptrdiff_t>(candidate_count_), std::greater<>());
    const Candidate best = candidates_[--candidate_count_];
    const std::size_t left = best & ((1u << place_bits) - 1);
    if (pair_[left] != best >> place_bits) continue;
    const std::size_t right = next_[left], after = next_[right];
    part_[left] = pair_[left];
    pair_[left] = pair_[right] = no_rank;
    next_[left] = static_cast<std::uint16_t>(after);
    --parts;
    if (after < size) {
      previous_[after] = static_cast<std::uint16_t>(left);
      pair_up(left, after);
    }
    if (left > 0) pair_up(previous_[left], left);
  }
  return parts;
}

}  // namespace tollgate::policy::tokens
