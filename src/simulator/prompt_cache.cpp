#include "simulator/prompt_cache.hpp"

#include "simulator/words.hpp"

#include <algorithm>

namespace tollgate::simulator {

namespace {

constexpr std::size_t most_entries = 4096;
constexpr std::size_t look_back = 20;

Millis lifetime(CacheLife life) { return life == CacheLife::one_hour ? seconds(3600) : seconds(300); }

}  // namespace

PromptCache::Entry* PromptCache::known(std::uint64_t key, SteadyTime now) {
  const auto found = entries_.find(key);
  return found != entries_.end() && now < found->second.expires ? &found->second : nullptr;
}

void PromptCache::write(std::uint64_t key, CacheLife life, SteadyTime now) {
  const auto [entry, added] = entries_.try_emplace(key);
  entry->second = Entry{now + lifetime(life), life};
  if (added) order_.push_back(key);
  if (order_.size() <= most_entries) return;
  entries_.erase(order_.front());
  order_.pop_front();
}

CacheUse PromptCache::use(std::string_view scope, const std::vector<PrefixEnd>& ends, SteadyTime now) {
  CacheUse use;
  const auto key = [&](std::size_t i) { return mix(ends[i].digest, scope); };
  // The last mark that finds anything finds the longest prefix.
  for (std::size_t mark = ends.size(); mark-- > 0 && use.read == 0;) {
    if (!ends[mark].mark) continue;
    const std::size_t lowest = mark - std::min(mark, look_back);
    for (std::size_t i = mark + 1; i-- > lowest && use.read == 0;) {
      Entry* const entry = known(key(i), now);
      if (!entry) continue;
      entry->expires = now + lifetime(entry->life);
      use.read = ends[i].tokens;
    }
  }
  std::size_t covered = use.read;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (!ends[i].mark || ends[i].tokens <= covered) continue;
    (*ends[i].mark == CacheLife::one_hour ? use.written_1h : use.written_5m) += ends[i].tokens - covered;
    covered = ends[i].tokens;
    write(key(i), *ends[i].mark, now);
  }
  return use;
}

}  // namespace tollgate::simulator
