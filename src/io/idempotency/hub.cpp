// One entry per key that is in use or was answered, under one lock that is held for moments. An entry goes from vacant
// to asking (the store), running (one request leads) and done; whoever gives up makes it vacant again for the next.
#include "tollgate/io/idempotency.hpp"

#include "io/idempotency/answer_shelf.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace tollgate::io {

using idempotency::AnswerShelf;
using pipeline::KeptAnswer;
using pipeline::Turn;
using pipeline::Verdict;
using AnswerPointer = std::shared_ptr<const KeptAnswer>;

namespace {

// In the store an answer that was too long has this status and nothing else.
constexpr int not_kept_status = 0;

struct Name {
  Digest key{};
  std::string scope;
  auto operator<=>(const Name&) const = default;
};

class Place;

enum class Stage : std::uint8_t { vacant, asking, running, done };

struct Entry : AnswerShelf::Item {
  const Name* name = nullptr;
  Stage stage = Stage::vacant;
  Digest body{};            ///< of whoever asks, leads or was answered
  SystemTime claimed_at{};  ///< when that one came
  Place* leader = nullptr;
  std::deque<Place*> waiting;  ///< in the order they came
  bool led = false;            ///< somebody has, since this entry was made
  bool saving = false;
};

using Entries = std::map<Name, Entry>;

Answer to_stored(const AnswerPointer& answer) {
  if (!answer) return Answer{.status = not_kept_status};
  return Answer{.status = answer->status, .fields = answer->fields, .body = answer->body};
}

AnswerPointer from_stored(Answer&& answer) {
  if (answer.status == not_kept_status) return nullptr;
  KeptAnswer kept{static_cast<std::uint16_t>(answer.status), std::move(answer.fields), std::move(answer.body)};
  return std::make_shared<const KeptAnswer>(std::move(kept));
}

Verdict verdict_of(const AnswerPointer& answer, bool waited) {
  return {answer ? Turn::replay : Turn::not_kept, answer, waited};
}

}  // namespace

struct IdempotencyHub::State {
  State(std::unique_ptr<AnswerStore> its_store, std::size_t memory) : store(std::move(its_store)), shelf(memory) {}

  // All below need the lock.
  void sit(Place& place, const Name& name);
  void leave(Place& place);
  void finish(Place& place, AnswerPointer answer);
  void go_on(Entries::iterator at);
  void asked(const Name& name, Result<Claim>&& claim);
  void lead(Entries::iterator at);
  void give_up(Entries::iterator at);
  void tell_equals(Entry& entry, const Verdict& verdict);
  void save(Entries::iterator at);
  void saved(const Name& name, const Result<bool>& result);
  void forget(Entries::iterator at);
  void trim();
  Entries::iterator position(AnswerShelf::Item& item);

  mutable std::mutex mutex;
  const std::unique_ptr<AnswerStore> store;
  Entries entries;
  AnswerShelf shelf;
};

namespace {

class Place final : public IdempotencyHub::Seat {
 public:
  Place(IdempotencyHub::State& hub, const pipeline::IdempotentRequest& request, IdempotencyHub::Tell its_tell)
      : body(request.body), came_at(request.at), tell(std::move(its_tell)), hub_(hub) {}
  ~Place() override {
    const std::lock_guard lock(hub_.mutex);
    hub_.leave(*this);
  }
  void finish(AnswerPointer answer) override {
    const std::lock_guard lock(hub_.mutex);
    hub_.finish(*this, std::move(answer));
  }

  const Digest body;
  const SystemTime came_at;
  const IdempotencyHub::Tell tell;
  std::optional<Entries::iterator> entry;  ///< as long as it waits or leads

 private:
  IdempotencyHub::State& hub_;
};

}  // namespace

void IdempotencyHub::State::sit(Place& place, const Name& name) {
  auto at = entries.find(name);
  if (at != entries.end() && at->second.stage == Stage::done && at->second.claimed_at < place.came_at - kept) {
    forget(at);
    at = entries.end();
  }
  if (at == entries.end()) {
    at = entries.try_emplace(name).first;
    at->second.name = &at->first;
  }
  Entry& entry = at->second;
  const bool known = entry.stage == Stage::running || entry.stage == Stage::done;
  if (known && entry.body != place.body) return place.tell({Turn::conflict, nullptr, false});
  if (entry.stage == Stage::done) return place.tell(verdict_of(entry.answer, false));
  place.entry = at;
  entry.waiting.push_back(&place);
  if (entry.stage == Stage::vacant) go_on(at);
}

void IdempotencyHub::State::leave(Place& place) {
  if (!place.entry) return;
  const auto at = *std::exchange(place.entry, std::nullopt);
  if (at->second.leader == &place) return give_up(at);
  std::erase(at->second.waiting, &place);
}

/// The first of those that wait shall lead, where the store lets it.
void IdempotencyHub::State::go_on(Entries::iterator at) {
  Entry& entry = at->second;
  if (entry.waiting.empty()) {
    entries.erase(at);
    return;
  }
  entry.body = entry.waiting.front()->body;
  entry.claimed_at = entry.waiting.front()->came_at;
  if (!store) return lead(at);
  entry.stage = Stage::asking;
  store->claim(at->first.scope, at->first.key, entry.body, entry.claimed_at,
               [this, name = at->first](Result<Claim> claim) {
                 const std::lock_guard lock(mutex);
                 asked(name, std::move(claim));
               });
}

void IdempotencyHub::State::asked(const Name& name, Result<Claim>&& claim) {
  const auto at = entries.find(name);
  Entry& entry = at->second;
  entry.stage = Stage::vacant;
  Verdict verdict{Turn::unavailable, nullptr, entry.led};
  if (claim) {
    switch (claim->state) {
      case Claim::State::claimed:
      // What we claimed before and nobody leads any more was given up while the store could not be told.
      case Claim::State::running: return lead(at);
      case Claim::State::done: verdict = verdict_of(from_stored(std::move(*claim->answer)), entry.led); break;
      case Claim::State::interrupted: verdict.turn = Turn::interrupted; break;
      case Claim::State::conflict: verdict.turn = Turn::conflict; break;
    }
  }
  tell_equals(entry, verdict);
  // The others ask for themselves. An answer that came from the store stays there: only it knows how old it is.
  go_on(at);
}

/// The first of those with the claimed body leads; who came with another one meanwhile has lost.
void IdempotencyHub::State::lead(Entries::iterator at) {
  Entry& entry = at->second;
  const auto is_equal = [&entry](const Place* place) { return place->body == entry.body; };
  const auto first = std::find_if(entry.waiting.begin(), entry.waiting.end(), is_equal);
  if (first == entry.waiting.end()) return give_up(at);  // who asked has left
  entry.leader = *first;
  entry.waiting.erase(first);
  for (Place* place : entry.waiting) {
    if (is_equal(place)) continue;
    place->entry.reset();
    place->tell({Turn::conflict, nullptr, false});
  }
  std::erase_if(entry.waiting, std::not_fn(is_equal));
  entry.stage = Stage::running;
  entry.leader->tell({Turn::lead, nullptr, std::exchange(entry.led, true)});
}

void IdempotencyHub::State::give_up(Entries::iterator at) {
  if (store) store->release(at->first.scope, at->first.key);
  at->second.stage = Stage::vacant;
  at->second.leader = nullptr;
  go_on(at);
}

/// To all that wait with the body that was asked for.
void IdempotencyHub::State::tell_equals(Entry& entry, const Verdict& verdict) {
  std::erase_if(entry.waiting, [&](Place* place) {
    if (place->body != entry.body) return false;
    place->entry.reset();
    place->tell(verdict);
    return true;
  });
}

void IdempotencyHub::State::finish(Place& place, AnswerPointer answer) {
  const auto at = *std::exchange(place.entry, std::nullopt);
  Entry& entry = at->second;
  entry.stage = Stage::done;
  entry.leader = nullptr;
  entry.answer = std::move(answer);
  tell_equals(entry, verdict_of(entry.answer, true));
  shelf.put(entry, at->first.scope.size());
  if (store) save(at);
  trim();
}

// --- what is kept ---

void IdempotencyHub::State::save(Entries::iterator at) {
  at->second.saving = true;
  store->finish(at->first.scope, at->first.key, to_stored(at->second.answer),
                [this, name = at->first](const Result<bool>& result) {
                  const std::lock_guard lock(mutex);
                  saved(name, result);
                });
}

void IdempotencyHub::State::saved(const Name& name, const Result<bool>& result) {
  const auto at = entries.find(name);
  if (at == entries.end() || at->second.stage != Stage::done) return;  // forgotten meanwhile
  at->second.saving = false;
  at->second.saved = result && *result;
  // Without its answer there is nothing that the store would not tell.
  if (at->second.saved && !at->second.answer) forget(at);
}

void IdempotencyHub::State::forget(Entries::iterator at) {
  shelf.take(at->second);
  entries.erase(at);
}

void IdempotencyHub::State::trim() {
  while (AnswerShelf::Item* oldest = shelf.surplus()) {
    if (oldest->saved || !oldest->answer)
      forget(position(*oldest));
    else
      shelf.strip(*oldest);
  }
}

Entries::iterator IdempotencyHub::State::position(AnswerShelf::Item& item) {
  return entries.find(*static_cast<Entry&>(item).name);
}

// --- the public face ---

IdempotencyHub::IdempotencyHub(std::unique_ptr<AnswerStore> store, std::size_t memory)
    : state_(std::make_unique<State>(std::move(store), memory)) {}

IdempotencyHub::~IdempotencyHub() = default;

std::unique_ptr<IdempotencyHub::Seat> IdempotencyHub::claim(const pipeline::IdempotentRequest& request, Tell tell) {
  auto place = std::make_unique<Place>(*state_, request, std::move(tell));
  const std::lock_guard lock(state_->mutex);
  state_->sit(*place, {request.key, request.scope});
  return place;
}

void IdempotencyHub::forget_old(SystemTime now) {
  const std::lock_guard lock(state_->mutex);
  state_->shelf.visit([this, now](AnswerShelf::Item& item) {
    const auto at = state_->position(item);
    if (at->second.claimed_at >= now - kept) return false;
    state_->forget(at);
    return true;
  });
  if (state_->store) state_->store->forget_before(now - kept);
}

void IdempotencyHub::save_again() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->store) return;
  state_->shelf.visit([this](AnswerShelf::Item& item) {
    const auto at = state_->position(item);
    if (!item.saved && !at->second.saving) state_->save(at);
    return true;
  });
}

std::size_t IdempotencyHub::memory_used() const {
  const std::lock_guard lock(state_->mutex);
  return state_->shelf.used();
}

}  // namespace tollgate::io
