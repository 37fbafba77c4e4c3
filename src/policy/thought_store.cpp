#include "tollgate/policy/thought_store.hpp"

namespace tollgate::policy {
namespace {

std::string name_of(std::string_view owner, std::string_view call) {
  return std::string(owner).append(1, '\0').append(call);
}

}  // namespace

void ThoughtStore::keep(std::string_view owner, const protocol::Thoughts& thoughts) {
  Turn turn;
  turn.blocks = thoughts.blocks;
  turn.bytes = turn.blocks.size();
  for (const std::string& call : thoughts.calls) turn.bytes += turn.names.emplace_back(name_of(owner, call)).size();
  if (turn.names.empty() || turn.bytes > capacity_) return;

  const std::lock_guard lock(mutex_);
  // An id that comes again stands for the newer turn.
  for (const std::string& name : turn.names)
    if (const auto found = by_call_.find(name); found != by_call_.end()) forget(found->second);
  bytes_ += turn.bytes;
  turns_.push_front(std::move(turn));
  for (const std::string& name : turns_.front().names) by_call_.emplace(name, turns_.begin());
  while (bytes_ > capacity_) forget(std::prev(turns_.end()));
}

std::string ThoughtStore::find(std::string_view owner, std::string_view call) {
  const std::string name = name_of(owner, call);
  const std::lock_guard lock(mutex_);
  const auto found = by_call_.find(name);
  if (found == by_call_.end()) return {};
  turns_.splice(turns_.begin(), turns_, found->second);
  return found->second->blocks;
}

std::size_t ThoughtStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ThoughtStore::forget(Turns::iterator turn) {
  for (const std::string& name : turn->names)
    if (const auto found = by_call_.find(name); found != by_call_.end() && found->second == turn) by_call_.erase(found);
  bytes_ -= turn->bytes;
  turns_.erase(turn);
}

}  // namespace tollgate::policy
