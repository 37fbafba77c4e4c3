#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/record.hpp"

#include <algorithm>

namespace tollgate::pipeline {

/// Which of an attempt's timers runs out next. A value: time comes in as an argument.
class AttemptClock {
 public:
  struct Due {
    SteadyTime when = never;
    Phase phase = Phase::done;  ///< named in the error if it comes to that
    bool deadline = false;      ///< the one over all attempts
  };

  AttemptClock(const config::Timeouts& timeouts, SteadyTime now, SteadyTime deadline, bool stream)
      : timeouts_(timeouts), began_(now), deadline_(deadline), stream_(stream) {}

  SteadyTime began() const { return began_; }
  Millis connect_timeout() const { return timeouts_.connect; }
  /// The request has gone out, or at least its connection stands.
  void connected(SteadyTime now) {
    if (connected_ == never) connected_ = now;
  }
  /// Some byte of the answer's body, or its head, has come.
  void heard(SteadyTime now) { heard_ = now; }
  void content() { content_ = true; }

  /// The timers that hold in a phase: connect until connected; then the first token (streams), later silence between
  /// bytes; the attempt and the deadline always.
  Due next(Phase phase) const {
    Due due{began_ + timeouts_.attempt, phase, false};
    const auto sooner = [&due](SteadyTime when, Phase of, bool over_all) {
      if (when < due.when) due = {when, of, over_all};
    };
    if (phase == Phase::queue || phase == Phase::connect) sooner(began_ + timeouts_.connect, phase, false);
    if (connected_ != never && stream_ && !content_)
      sooner(connected_ + timeouts_.first_token, Phase::first_token, false);
    if (heard_ != never) sooner(heard_ + timeouts_.idle, Phase::relay, false);
    sooner(deadline_, phase, true);
    return due;
  }

 private:
  config::Timeouts timeouts_;
  SteadyTime began_, deadline_;
  bool stream_;
  bool content_ = false;
  SteadyTime connected_ = never, heard_ = never;
};

}  // namespace tollgate::pipeline
