// The relays and the record know one attempt at hand. While two are at work, what belongs to the other one is kept
// aside and changes places with it; that happens only for the few requests that are hedged.
#include "race.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::pipeline {

namespace {

/// What the exchange holds of the attempt at hand.
class Belongings {
 public:
  /// As they are now.
  explicit Belongings(const Exchange& exchange)
      : choice_(exchange.choice),
        strip_usage_(exchange.strip_usage),
        model_(exchange.record.model),
        target_(exchange.record.target),
        upstream_request_id_(exchange.record.upstream_request_id),
        waited_(exchange.record.waited_for_upstream) {}

  void change_places(Exchange& exchange) {
    RequestRecord& record = exchange.record;
    std::swap(choice_, exchange.choice);
    std::swap(strip_usage_, exchange.strip_usage);
    std::swap(held_, exchange.held);
    std::swap(model_, record.model);
    std::swap(target_, record.target);
    std::swap(upstream_request_id_, record.upstream_request_id);
    std::swap(usage_, record.usage);
    std::swap(waited_, record.waited_for_upstream);
  }

 private:
  Choice choice_;
  bool strip_usage_;
  std::unique_ptr<HeldAnswer> held_;
  std::string_view model_, target_;
  std::string upstream_request_id_;
  std::optional<protocol::Usage> usage_;
  Micros waited_;
};

class Race final : public Rival {
 public:
  Race(Exchange& exchange, Dispatcher& dispatcher, Attempt& first)
      : exchange_(exchange), dispatcher_(dispatcher), aside_(exchange), at_hand_(&first) {}

  ~Race() override { exchange_.rival = nullptr; }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  void give_way() override {
    is_won_ = true;
    turn();
    dispatcher_.outrun();
    at_hand_->cut_off();
    turn();
  }

  /// False: there is nobody to race with.
  bool begin() {
    if (!dispatcher_.begin_hedge()) return false;
    second_ = std::make_unique<Attempt>(exchange_);
    other_ = std::exchange(at_hand_, second_.get());
    second_->start();
    exchange_.rival = this;
    return true;
  }

  /// Both as far as they can go without waiting. True: one is left.
  bool go_on() {
    for (int turns = 0; turns < 2; ++turns) {
      at_hand_->go_on_until_content();
      if (is_decided()) return true;
      turn();
    }
    return false;
  }

  SteadyTime before_wait() {
    const SteadyTime one = at_hand_->before_wait();
    turn();
    return std::min(one, at_hand_->before_wait());
  }

  void after_wait(Woke woke) {
    at_hand_->after_wait(woke);
    turn();
    at_hand_->after_wait(woke);
  }

  Attempt& winner() { return *at_hand_; }
  std::unique_ptr<Attempt> take_second() { return at_hand_ == second_.get() ? std::move(second_) : nullptr; }

 private:
  void turn() {
    aside_.change_places(exchange_);
    dispatcher_.turn();
    std::swap(at_hand_, other_);
  }

  /// Also where one has lost without a word, so that nothing is asked to give way twice.
  bool is_decided() {
    const bool decided = decide();
    if (decided) exchange_.rival = nullptr;
    return decided;
  }

  bool decide() {
    if (is_won_) return true;
    const bool over = at_hand_->is_over();
    if (!over && !at_hand_->had_content()) return false;
    const bool has_failed = over && at_hand_->result() == AttemptResult::no_answer;
    // What is the request's own fault nobody else would answer better.
    const bool is_final = has_failed && at_hand_->end().diagnosis.remedy == policy::Remedy::nothing;
    if (has_failed && !is_final) {
      // It has lost by failing; the other one may still answer.
      dispatcher_.failed(at_hand_->end());
      at_hand_->cut_off();
      turn();
      return true;
    }
    const bool has_won = !over || is_final || at_hand_->result() == AttemptResult::answered;
    turn();
    has_won ? dispatcher_.outrun() : dispatcher_.abandoned(false);
    at_hand_->cut_off();
    turn();
    return true;
  }

  Exchange& exchange_;
  Dispatcher& dispatcher_;
  Belongings aside_;
  std::unique_ptr<Attempt> second_;
  Attempt* at_hand_;
  Attempt* other_ = nullptr;
  bool is_won_ = false;  ///< by the one at hand, and the other one knows
};

}  // namespace

Task<std::unique_ptr<Attempt>> race(Exchange& exchange, Dispatcher& dispatcher, Attempt& first) {
  auto race = std::make_unique<Race>(exchange, dispatcher, first);
  if (race->begin()) {
    while (!race->go_on()) {
      const Woke woke = co_await exchange.pause(race->before_wait());
      race->after_wait(woke);
    }
  }
  Attempt* const winner = &race->winner();
  std::unique_ptr<Attempt> second = race->take_second();
  // A stream may last for minutes, and nothing of the race is needed for it.
  race.reset();
  co_await winner->run();
  co_return second;
}

}  // namespace tollgate::pipeline
