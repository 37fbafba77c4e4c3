#pragma once
// Where requests with an Idempotency-Key meet, whatever worker they came to: one leads, the others wait for its answer,
// and for a day the answer is given again. pipeline/idempotency.hpp is what a request sees of it.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/io/store.hpp"
#include "tollgate/pipeline/idempotency.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tollgate::io {

class Loop;

/// What the hub needs of a store, in the words of Store. Every call returns at once, and is called under the hub's
/// lock: the callback comes later and on any thread, exactly once.
class AnswerStore {
 public:
  virtual ~AnswerStore() = default;
  virtual void claim(const std::string& scope, const Digest& key, const Digest& body, SystemTime now,
                     std::function<void(Result<Claim>)> done) = 0;
  virtual void finish(const std::string& scope, const Digest& key, Answer answer,
                      std::function<void(Result<bool>)> done) = 0;
  virtual void release(const std::string& scope, const Digest& key) = 0;
  virtual void forget_before(SystemTime time) = 0;
};

/// Those of the store, which must live longer.
std::unique_ptr<AnswerStore> answers_in(Store& store);

/// Any thread. With a store every claim is in it before its request may go upstream, and a claim that the store cannot
/// be asked for is `unavailable`: an answer that was given yesterday, by another process, is not asked for twice.
/// Without one the hub remembers what its memory holds.
class IdempotencyHub {
 public:
  /// For answers that are complete; those that are under way count to their requests. The oldest goes first: into the
  /// store, where there is one; else it is remembered that it was there, and not what it said.
  static constexpr std::size_t default_memory = 64 * 1024 * 1024;
  /// An answer is given again for so long after its request came.
  static constexpr std::chrono::hours kept{24};

  explicit IdempotencyHub(std::unique_ptr<AnswerStore> store, std::size_t memory = default_memory);
  /// After all seats, and after the store's last callback.
  ~IdempotencyHub();
  IdempotencyHub(const IdempotencyHub&) = delete;
  IdempotencyHub& operator=(const IdempotencyHub&) = delete;

  struct State;
  /// A request's place. Destroying it gives it up: nothing is told to it any more, and where it led and has not
  /// finished, the next one leads.
  class Seat {
   public:
    virtual ~Seat() = default;
    /// For whoever leads, once: `answer` is for all. Null: there was one, too long to keep.
    virtual void finish(std::shared_ptr<const pipeline::KeptAnswer> answer) = 0;
  };
  /// Called once, on any thread, under the hub's lock: it must only pass the verdict on.
  using Tell = std::function<void(pipeline::Verdict)>;
  std::unique_ptr<Seat> claim(const pipeline::IdempotentRequest& request, Tell tell);

  /// The hub for the requests of one loop. Both must live longer.
  std::unique_ptr<pipeline::IdempotentAnswers> on(Loop& loop);

  /// Forgets what is older than a day at `now`, in memory and in the store.
  void forget_old(SystemTime now);
  /// Once the store is back: gives it the answers that it could not take.
  void save_again();

  /// What complete answers take of memory, about.
  std::size_t memory_used() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
