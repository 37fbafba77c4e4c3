#include "io/idempotency/answer_shelf.hpp"

namespace tollgate::io::idempotency {

namespace {

// An entry with its tree node and the allocator's share, rounded up.
constexpr std::size_t entry_size = 512;

}  // namespace

void AnswerShelf::put(Item& item, std::size_t name_size) {
  item.size = entry_size + name_size;
  if (item.answer) item.size += item.answer->fields.size() + item.answer->body.size();
  (item.answer ? full_used_ : bare_used_) += item.size;
  (item.answer ? full_ : bare_).push_back(item);
}

void AnswerShelf::take(Item& item) {
  List& list = item.answer ? full_ : bare_;
  (item.answer ? full_used_ : bare_used_) -= item.size;
  list.erase(list.iterator_to(item));
}

void AnswerShelf::strip(Item& item) {
  take(item);
  const std::size_t name_size = item.size - entry_size - item.answer->fields.size() - item.answer->body.size();
  item.answer.reset();
  put(item, name_size);
}

AnswerShelf::Item* AnswerShelf::surplus() {
  if (full_used_ > full_limit_) return &full_.front();
  if (bare_used_ > bare_limit_) return &bare_.front();
  return nullptr;
}

}  // namespace tollgate::io::idempotency
