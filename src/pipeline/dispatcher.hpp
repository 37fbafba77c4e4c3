#pragma once
// Between the plan, which only thinks, and the attempts, which only do: shows the plan what there is to choose from,
// aims the exchange at what it says, and tells health and plan how it went.
#include "tollgate/pipeline/places.hpp"

#include "candidates.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace tollgate::pipeline {

/// How an attempt ended that brought no answer.
struct AttemptEnd {
  policy::Diagnosis diagnosis;
  policy::Timeout timeout = policy::Timeout::none;
  bool overload = false;  ///< the target has said, or shown, that it has too much
  std::optional<Millis> retry_after;
  bool had_content = false;  ///< its first content has come, and the target's load was told
  std::uint16_t status = 0;  ///< 0: there was no answer with an error
  std::string code{};        ///< of that error, fit for a log; empty: it said none
};

class Dispatcher {
 public:
  explicit Dispatcher(Exchange& exchange);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// When to begin the next attempt; nothing: there is none.
  std::optional<SteadyTime> next();
  /// Takes one of the target's places, where those are limited. False: none is free.
  bool take_place();
  /// Waits in the queue for one, as long as may be; null: nobody more may wait there, or somebody else can be asked.
  std::unique_ptr<Places::Turn> wait_for_place(SteadyTime& until);
  /// The place waited for was given.
  void place_taken();
  bool has_place() const { return leg_.place; }
  /// No place was to be had: this target is not asked for the request any more.
  void pass_over();
  /// Puts aside what the attempt may cost; gives what forbids it. Then the target is not asked for the request any
  /// more.
  std::unique_ptr<Failure> take_money();
  /// Takes what else the attempt needs and aims the exchange at it. False: it cannot be had any more; ask for the next.
  /// That happens where others were faster, or the retry budget is spent.
  bool begin();
  /// The attempt has brought the client its answer.
  void answered();
  /// It has brought none that counts.
  void failed(const AttemptEnd& end);
  /// It was broken off by the client or by the gateway.
  void abandoned(bool had_content);

  /// How long the attempt at hand may take to its first content before a second one joins it; `never`: it stays alone.
  SteadyTime hedge_at() const;
  /// Takes what a second attempt needs, at another target, and aims the exchange at it; that is the one at hand then.
  /// False: there is none to be had, or as many were made as may be.
  bool begin_hedge();
  /// Changes over to the other one of two: all that is told from then on is told of that one.
  void turn();
  /// The attempt at hand is broken off because the other one was faster.
  void outrun();

  /// One whom it may ask, as it is at the moment.
  struct Prospect {
    const config::Model* model;
    const config::Target* target;
    const TargetHealth* health;
    std::uint16_t circuit;  ///< of the target's
    policy::Option option;
  };
  struct Preview {
    std::vector<Prospect> prospects;  ///< in the order of their ranks
    policy::AttemptPlan::Step step;   ///< what next() would say, by the index of the prospect
  };
  /// Takes nothing and aims at nobody: for an explanation (explain.cpp).
  Preview preview();

  std::size_t attempts() const { return plan_.attempts(); }
  std::size_t most_attempts() const { return plan_.settings().attempts; }
  /// More than one attempt may be made for a request.
  bool repeats() const { return plan_.settings().attempts > 1; }
  /// Why nobody is asked, where nobody could be.
  Failure none_usable() const;

 private:
  /// What one attempt at work holds.
  struct Leg {
    std::size_t chosen = 0;
    policy::Reason reason = policy::Reason::primary;
    bool repeat = false;
    policy::Load* load = nullptr;  ///< null: nothing is compared
    Places* place = nullptr;       ///< null: none to give back
    std::optional<policy::Circuit::Permit> permit;
    SteadyTime began{};
  };

  const Candidate& candidate() const { return candidates_[leg_.chosen]; }
  void choose(const policy::AttemptPlan::Step& step);
  bool try_begin();
  bool is_plain(SteadyTime now) const;
  void report(policy::Verdict verdict);
  void end_leg();

  Exchange& exchange_;
  policy::AttemptPlan plan_;
  Candidates candidates_;
  Options options_;  ///< as they were last looked at
  Leg leg_;          ///< at hand
  std::unique_ptr<Leg> other_;
  bool denied_ = false;  ///< by the circuit, when it was last asked
  bool full_ = false;    ///< somebody was passed over
};

}  // namespace tollgate::pipeline
