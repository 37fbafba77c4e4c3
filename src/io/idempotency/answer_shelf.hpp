#pragma once
#include "tollgate/pipeline/idempotency.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>

namespace tollgate::io::idempotency {

/// Complete answers in the order they came, under a bound of bytes; a quarter of it is for what is known of answers
/// that are not here themselves. Owns nothing. The hub's lock.
class AnswerShelf {
 public:
  struct Item : boost::intrusive::list_base_hook<> {
    std::shared_ptr<const pipeline::KeptAnswer> answer;  ///< null: not kept here
    bool saved = false;                                  ///< the store has it
    std::size_t size = 0;                                ///< bytes that it counts
  };

  explicit AnswerShelf(std::size_t limit) : bare_limit_(limit / 4), full_limit_(limit - bare_limit_) {}

  void put(Item& item, std::size_t name_size);
  void take(Item& item);
  /// Drops the answer and keeps the rest.
  void strip(Item& item);
  /// What has to go next for the bound to hold; null: it holds.
  Item* surplus();
  /// Calls `visit` with each, from the oldest on, the bare ones first; it may take the one that it is called with.
  /// Until it returns false: for each of both kinds.
  template <class Visit>
  void visit(Visit visit) {
    for (List* list : {&bare_, &full_})
      for (auto at = list->begin(); at != list->end();)
        if (!visit(*at++)) break;
  }
  std::size_t used() const { return bare_used_ + full_used_; }

 private:
  using List = boost::intrusive::list<Item>;
  std::size_t bare_limit_, full_limit_;
  std::size_t bare_used_ = 0, full_used_ = 0;
  List bare_, full_;  ///< the oldest first
};

}  // namespace tollgate::io::idempotency
