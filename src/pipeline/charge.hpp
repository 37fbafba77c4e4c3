#pragma once
// The money of one attempt: what it may come to stands in the ledger before the provider hears of it, what it has come
// to before the client has its last byte. Whatever becomes of the attempt, it is settled once.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/ledger.hpp"
#include "tollgate/policy/token_estimate.hpp"

namespace tollgate::pipeline {

/// How far the provider's work has gone, which is what it bills.
enum class Billed : std::uint8_t {
  nothing,  ///< it was not asked, or has refused
  unknown,  ///< it was asked, and may have worked for nothing
  answer    ///< it has answered, wholly or in part
};

class Charge {
 public:
  /// Takes along what was put aside for the attempt (Exchange::purse). `place`: of its record.
  Charge(Exchange& exchange, std::size_t place);
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  /// settle() has been called.
  ~Charge() = default;

  /// Writes down what it may come to, before anything is sent.
  Result<void> open();

  /// A piece of the answer has gone by; for want of anything better it is counted as a token.
  void content_came() { ++pieces_; }
  /// The provider has ended its answer: what it reports is of all of it.
  void end_came() { ended_ = true; }
  /// The whole of an answer that says nothing of its usage.
  void answer_came(std::string_view body);
  /// Writes down how far it has come, at most once a second.
  void checkpoint();

  /// Another target may be asked after it.
  bool has_others() const { return purse_.has_others; }
  /// More has come by than was held in a budget.
  bool is_overrun() const { return purse_.hold && pieces_ > purse_.output; }
  /// What the provider has said, or an estimate; of an answer that has not ended, at least what has gone by.
  protocol::Usage usage_so_far() const;
  /// Of what the provider has said so far; nothing: it has said nothing, or there is no price.
  std::optional<Money> cost_so_far() const;
  /// The answer is complete, its last byte is about to go.
  void settle_answered();
  /// It is over. Does nothing where it was settled before.
  void settle(Outcome outcome, Billed billed, Waste waste, std::uint16_t status);

 private:
  AttemptRecord& attempt() const { return exchange_.record.attempts[place_]; }
  AttemptEntry entry() const;
  protocol::Usage estimate(Billed billed) const;
  bool is_limited() const { return purse_.hold || (purse_.output > 0 && exchange_.scan.max_output); }
  std::uint64_t output_gone_by() const;
  bool has_outgrown_report() const;
  Micros so_far() const;
  policy::TokenRules rules() const;

  Exchange& exchange_;
  std::size_t place_;
  Purse purse_;
  SteadyTime began_, told_at_;
  std::uint64_t body_size_ = 0;
  std::uint64_t pieces_ = 0;  ///< of the answer, a token each
  bool open_ = false, settled_ = false, ended_ = false;
};

}  // namespace tollgate::pipeline
