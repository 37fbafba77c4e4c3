// Makes the token counter's tables out of what is published: rank files and the classes of Unicode. Runs while the
// project is built; what it writes becomes part of the program as it is (src/policy/token_data.cpp).
//   make_token_tables encoding RANKS OUTPUT
//   make_token_tables classes CLASSES OUTPUT
#include "policy/token_tables.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using namespace tollgate::policy::tokens;

/// Words that are this frequent get a slot of their own; the ranks go by frequency. More cost more room than time.
constexpr std::uint32_t word_ranks = 1u << 15;

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "make_token_tables: " << why << '\n';
  std::exit(1);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string from_base64(std::string_view text) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0, count = 0;
  for (const char digit : text.substr(0, text.find('='))) {
    const auto value = digits.find(digit);
    if (value == digits.npos) fail("a token that is no base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return bytes;
}

using Ranks = std::unordered_map<std::string, std::uint32_t>;

Ranks read_ranks(const std::string& path) {
  Ranks ranks;
  std::istringstream lines(read(path));
  std::string token;
  for (std::uint32_t rank = 0; lines >> token >> rank;) {
    if (rank >= (1u << rank_bits) - 1) fail("a rank that is too large");
    ranks.emplace(from_base64(token), rank);
  }
  if (ranks.size() < 256) fail("too few ranks in " + path);
  return ranks;
}

/// The two parts that a token is merged from. The parts of one token merge in one order whatever stands around them, so
/// there is just one such pair, and the pairs are all that an encoder needs to know.
std::pair<std::uint32_t, std::uint32_t> last_pair(const std::string& token, const Ranks& ranks) {
  std::vector<std::size_t> begins(token.size() + 1);
  for (std::size_t at = 0; at <= token.size(); ++at) begins[at] = at;
  const auto rank_of = [&](std::size_t first, std::size_t last) {
    const auto found = ranks.find(token.substr(begins[first], begins[last] - begins[first]));
    return found == ranks.end() ? no_rank : found->second;
  };
  while (begins.size() > 3) {
    std::size_t best = 0;
    std::uint32_t best_rank = no_rank;
    for (std::size_t at = 0; at + 2 < begins.size(); ++at) {
      if (const std::uint32_t rank = rank_of(at, at + 2); rank < best_rank) best = at, best_rank = rank;
    }
    if (best_rank >= ranks.at(token)) fail("a token that no merges lead to");
    begins.erase(begins.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  return {rank_of(0, 1), rank_of(1, 2)};
}

/// Slots and displacements of a perfect hash over `entries`, key and what its slot shall hold.
struct Hashed {
  std::vector<std::uint16_t> displacements;
  std::vector<std::uint64_t> slots;
};

Hashed hash(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& entries) {
  constexpr std::size_t per_bucket = 4, percent_of_slots = 102;
  Hashed made;
  made.displacements.resize(entries.size() / per_bucket + 1);
  made.slots.assign(entries.size() * percent_of_slots / 100 + 1, empty_slot);
  const PerfectHash hash{made.displacements.data(), static_cast<std::uint32_t>(made.displacements.size()),
                         static_cast<std::uint32_t>(made.slots.size())};
  std::vector<std::vector<std::size_t>> buckets(hash.buckets);
  for (std::size_t at = 0; at < entries.size(); ++at)
    buckets[hash.bucket(PerfectHash::mixed(entries[at].first))].push_back(at);
  std::vector<std::size_t> order(buckets.size());
  for (std::size_t at = 0; at < order.size(); ++at) order[at] = at;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buckets[a].size() > buckets[b].size(); });
  for (const std::size_t bucket : order) {
    std::vector<std::size_t> taken;
    for (std::uint32_t by = 0;; ++by) {
      if (by > UINT16_MAX) fail("no perfect hash was found");
      taken.clear();
      for (const std::size_t entry : buckets[bucket]) {
        const std::size_t slot =
            hash.displaced(PerfectHash::mixed(entries[entry].first), static_cast<std::uint16_t>(by));
        if (made.slots[slot] != empty_slot || std::find(taken.begin(), taken.end(), slot) != taken.end()) break;
        taken.push_back(slot);
      }
      if (taken.size() < buckets[bucket].size()) continue;
      for (std::size_t at = 0; at < taken.size(); ++at) made.slots[taken[at]] = entries[buckets[bucket][at]].second;
      made.displacements[bucket] = static_cast<std::uint16_t>(by);
      break;
    }
  }
  return made;
}

/// Appends the bytes of `values`, aligned, and returns where they begin.
template <class T>
std::uint32_t append(std::string& blob, const std::vector<T>& values) {
  blob.resize((blob.size() + 63) / 64 * 64);
  const auto at = static_cast<std::uint32_t>(blob.size());
  blob.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return at;
}

/// The slots of pairs without the byte that none of them needs.
std::vector<unsigned char> narrow(const std::vector<std::uint64_t>& slots) {
  std::vector<unsigned char> bytes(slots.size() * pair_slot_size + 1);
  for (std::size_t at = 0; at < slots.size(); ++at)
    std::memcpy(bytes.data() + at * pair_slot_size, &slots[at], pair_slot_size);
  return bytes;
}

std::string encoding_tables(const std::string& path) {
  const Ranks ranks = read_ranks(path);
  std::vector<std::uint32_t> byte_ranks(256, no_rank), byte_pairs(65536, no_rank);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs, words;
  for (const auto& [token, rank] : ranks) {
    const auto first = static_cast<unsigned char>(token[0]);
    if (token.size() == 1) byte_ranks[first] = rank;
    if (token.size() == 2) byte_pairs[first * 256u + static_cast<unsigned char>(token[1])] = rank;
    if (token.size() <= 2) continue;
    const auto [left, right] = last_pair(token, ranks);
    pairs.emplace_back(pair_key(left, right), pair_key(left, right) << rank_bits | rank);
    if (token.size() > longest_short_word || rank >= word_ranks) continue;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, token.data(), token.size());
    words.emplace_back(word_key(bytes, token.size()), word_key(bytes, token.size()));
  }
  if (std::find(byte_ranks.begin(), byte_ranks.end(), no_rank) != byte_ranks.end()) fail("a byte without a rank");
  // The order of an unordered map is nobody's promise, and a build is to be the same each time.
  std::sort(pairs.begin(), pairs.end());
  std::sort(words.begin(), words.end());
  const Hashed hashed_pairs = hash(pairs), hashed_words = hash(words);
  TableHeader header{};
  std::string blob(sizeof header, '\0');
  header.pair_buckets = static_cast<std::uint32_t>(hashed_pairs.displacements.size());
  header.pair_slots = static_cast<std::uint32_t>(hashed_pairs.slots.size());
  header.word_buckets = static_cast<std::uint32_t>(hashed_words.displacements.size());
  header.word_slots = static_cast<std::uint32_t>(hashed_words.slots.size());
  header.pair_displacements_at = append(blob, hashed_pairs.displacements);
  header.pair_slots_at = append(blob, narrow(hashed_pairs.slots));
  header.word_displacements_at = append(blob, hashed_words.displacements);
  header.word_slots_at = append(blob, hashed_words.slots);
  header.byte_ranks_at = append(blob, byte_ranks);
  header.byte_pairs_at = append(blob, byte_pairs);
  std::memcpy(blob.data(), &header, sizeof header);
  return blob;
}

CharacterClass class_named(const std::string& name, std::uint32_t from_first) {
  static const std::map<std::string, CharacterClass> names = {
      {"upper", CharacterClass::upper},    {"lower", CharacterClass::lower}, {"letter", CharacterClass::letter},
      {"mark", CharacterClass::mark},      {"space", CharacterClass::space}, {"number", CharacterClass::number},
      {"newline", CharacterClass::newline}};
  if (name == "pairs") return from_first % 2 == 0 ? CharacterClass::upper : CharacterClass::lower;
  const auto found = names.find(name);
  if (found == names.end()) fail("no class '" + name + "'");
  return found->second;
}

/// Two stages: the number of each block of code points, then the different blocks.
std::string class_tables(const std::string& path) {
  std::string classes(code_points, '\0');
  std::istringstream lines(read(path));
  for (std::string line, name; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::uint32_t first = 0, last = 0;
    words >> std::hex >> first >> last >> name;
    if (!words || last >= code_points) fail("a line that is no run: " + line);
    for (std::uint32_t at = first; at <= last; ++at) classes[at] = static_cast<char>(class_named(name, at - first));
  }
  constexpr std::size_t size = 1u << class_block_bits;
  std::map<std::string, unsigned char> known;
  std::string numbers, blocks;
  for (std::size_t at = 0; at < classes.size(); at += size) {
    const std::string block = classes.substr(at, size);
    const auto [found, is_new] = known.emplace(block, static_cast<unsigned char>(known.size()));
    if (is_new) blocks += block;
    numbers += static_cast<char>(found->second);
  }
  if (known.size() > 256) fail("more different blocks than a byte can number");
  return numbers + blocks;
}

}  // namespace

int main(int count, char** values) {
  if (count != 4) fail("usage: make_token_tables encoding|classes INPUT OUTPUT");
  const std::string blob =
      values[1] == std::string_view("classes") ? class_tables(values[2]) : encoding_tables(values[2]);
  std::ofstream file(values[3], std::ios::binary | std::ios::trunc);
  file << blob;
  if (!file.flush()) fail(std::string("cannot write ") + values[3]);
  return 0;
}
