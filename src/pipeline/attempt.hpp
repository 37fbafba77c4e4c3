#pragma once
// One attempt at one target: drives the upstream call and hands its answer to the relay that fits, and decides at every
// wait who may end it: the client that leaves, a timer, the gateway's own stop.
#include "tollgate/base/ids.hpp"
#include "tollgate/pipeline/exchange.hpp"

#include "adapter.hpp"
#include "attempt_clock.hpp"
#include "charge.hpp"
#include "dispatcher.hpp"
#include "relay_body.hpp"
#include "relay_error.hpp"
#include "relay_stream.hpp"

#include <memory>
#include <vector>

namespace tollgate::pipeline {

enum class AttemptResult : std::uint8_t {
  answered,   ///< the client has its answer
  no_answer,  ///< another attempt may bring one: an error is held in the exchange, or there is a failure
  broken,     ///< there is a failure, and part of an answer has gone out
  abandoned   ///< by the client or the gateway's end: there is a failure
};

class Attempt {
 public:
  explicit Attempt(Exchange& exchange);
  ~Attempt();

  /// Sends the request. The exchange must be aimed at this attempt's target, here and in all that follows.
  void start();
  /// Until the answer has been handed to the client's side whole, or has failed; or until the time `patience` has come
  /// without any content, and then it may be called again. After a failure rescue() has the word: where the answer had
  /// begun the client is left at a point where an error event, or the end of the connection, may follow.
  Task<void> run(SteadyTime patience = never);
  bool is_over() const { return over_ || failure_; }
  /// What it has failed by, or null.
  const Failure* failure() const { return failure_.get(); }

  // run() in pieces, for who runs two of them side by side.
  /// Goes on as far as it can without waiting, at most until its first content has come.
  void go_on_until_content();
  /// When it has to be woken, if nothing happens before.
  SteadyTime before_wait();
  void after_wait(Woke woke);
  /// Ends here and now, where it is not over: another attempt goes on.
  void cut_off();
  AttemptResult result() const;
  /// Its first content has come.
  bool had_content() const { return had_content_; }
  /// Of what brought no answer.
  AttemptEnd end() const;

 private:
  /// The request in the API of a provider that does not speak the client's.
  struct Adapted {
    Adapted(std::string body_, std::string fields_) : body(std::move(body_)), fields(std::move(fields_)) {}
    std::string body, fields;
  };

  const config::Target& target() const { return *exchange_.choice.target; }
  RequestRecord& record() { return exchange_.record; }

  Result<void> write_request();
  bool goes_on(const Result<void>& step);
  Result<void> advance();
  Result<void> take_head(const protocol::http::ResponseHead& head);
  Result<void> judge_head(const protocol::http::ResponseHead& head);
  Result<void> take_data(std::string_view data);
  Result<void> take_adapted(std::string_view data);
  Result<void> end_adapted();
  Result<void> judge_translation(Result<void> relayed);
  Result<void> take_end();
  Result<void> judge_body();
  void note_content();
  Result<void> settle(StreamRelay::State state);
  void refuse(const std::string& body);

  Outcome outcome() const;
  void put_down(Outcome outcome);
  Billed billed() const;
  Waste waste(Outcome outcome) const;
  SteadyTime sign_of_life() const;
  Result<void> woken(Woke woke);
  Result<void> after_client_wait(Woke woke);
  Result<void> on_time(SteadyTime now);
  Result<void> stop_for(Woke woke);
  Failure fail(FailureKind kind, std::string what, std::string code = {});

  Exchange& exchange_;
  const config::Provider& provider_;
  AttemptClock clock_;
  Uuid id_;
  std::size_t place_;                              ///< in the record's attempts
  std::unique_ptr<Adapter> adapter_;               ///< null: the provider speaks the client's API
  std::unique_ptr<Adapted> adapted_;               ///< null: it needs none, or content has come
  std::vector<protocol::openai::Splice> splices_;  ///< parts of the request's body: it may be sent for long, and again
  UpstreamRequest request_;
  std::unique_ptr<UpstreamCall> call_;
  Charge charge_;
  std::unique_ptr<protocol::StreamTranslator> translator_;  ///< of an adapted stream
  std::string translated_;                                  ///< what it gave last
  StreamRelay stream_;
  std::unique_ptr<BodyRelay> body_;    ///< once the answer is known to be no stream and no error
  std::unique_ptr<ErrorRelay> error_;  ///< once the answer is known to be one
  bool blocked_ = false;               ///< the last step could not go on without the upstream
  bool streaming_ = false;             ///< the answer is a stream of events
  bool plain_ = false;                 ///< it is something else
  bool over_ = false;
  bool had_content_ = false;
  bool outrun_ = false;                              ///< another attempt was faster
  bool put_down_ = false;                            ///< in the record, as it has ended
  policy::Diagnosis diagnosis_ = policy::no_answer;  ///< of a failure
  policy::Timeout timeout_ = policy::Timeout::none;
  std::optional<Millis> retry_after_;
  std::uint16_t status_ = 0;  ///< of an answer with an error
  SteadyTime wait_began_, finished_at_ = never;
  std::unique_ptr<Failure> failure_;
};

}  // namespace tollgate::pipeline
