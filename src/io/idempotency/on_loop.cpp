// The hub for the requests of one loop: a verdict becomes a post to it. A request may be gone by then.
#include "tollgate/io/idempotency.hpp"
#include "tollgate/io/loop.hpp"

#include <optional>
#include <utility>

namespace tollgate::io {

namespace {

/// What a request shares with the verdict on its way. Loop thread.
struct Awaited {
  WaitPoint* point = nullptr;  ///< null: the request is gone
  std::optional<pipeline::Verdict> verdict;
};

class LoopClaim final : public pipeline::AnswerClaim {
 public:
  LoopClaim(IdempotencyHub& hub, Loop& loop, const pipeline::IdempotentRequest& request, WaitPoint& point)
      : awaited_(std::make_shared<Awaited>()) {
    awaited_->point = &point;
    seat_ = hub.claim(request, [&loop, awaited = awaited_](pipeline::Verdict verdict) {
      loop.post([awaited, verdict = std::move(verdict)] {
        if (!awaited->point) return;
        awaited->verdict = verdict;
        awaited->point->signal(Signal::answered);
      });
    });
  }
  ~LoopClaim() override { awaited_->point = nullptr; }

  const pipeline::Verdict* verdict() const override { return awaited_->verdict ? &*awaited_->verdict : nullptr; }
  void finish(std::shared_ptr<const pipeline::KeptAnswer> answer) override { seat_->finish(std::move(answer)); }

 private:
  std::shared_ptr<Awaited> awaited_;
  std::unique_ptr<IdempotencyHub::Seat> seat_;
};

class LoopAnswers final : public pipeline::IdempotentAnswers {
 public:
  LoopAnswers(IdempotencyHub& hub, Loop& loop) : hub_(hub), loop_(loop) {}
  std::unique_ptr<pipeline::AnswerClaim> claim(pipeline::IdempotentRequest request, WaitPoint& point) override {
    return std::make_unique<LoopClaim>(hub_, loop_, request, point);
  }

 private:
  IdempotencyHub& hub_;
  Loop& loop_;
};

}  // namespace

std::unique_ptr<pipeline::IdempotentAnswers> IdempotencyHub::on(Loop& loop) {
  return std::make_unique<LoopAnswers>(*this, loop);
}

}  // namespace tollgate::io
