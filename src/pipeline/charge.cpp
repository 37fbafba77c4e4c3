// Settled once, whatever becomes of the attempt: everything here is so that no way out of one leaves money held, or a
// row unwritten.
#include "charge.hpp"

#include "tollgate/protocol/openai/answer_text.hpp"

#include "account.hpp"
#include "stages.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::pipeline {

namespace {

constexpr seconds checkpoint_interval{1};
// More than that takes too long on an event loop: some 6 MB go by in a second at worst.
constexpr std::size_t longest_counted = 64 * 1024;

}  // namespace

Charge::Charge(Exchange& exchange, std::size_t place)
    : exchange_(exchange),
      place_(place),
      purse_(std::move(exchange.purse)),
      began_(exchange.alarm.woken_at()),
      told_at_(began_),
      body_size_(exchange.body.size()) {}

Result<void> Charge::open() {
  Ledger* const ledger = exchange_.world->ledger;
  if (!ledger || exchange_.inbound.only_counts) return {};
  AttemptEntry reserved = entry();
  reserved.usage.input = purse_.input;
  reserved.usage.output = purse_.output;
  reserved.estimated = true;
  if (purse_.price) reserved.cost = purse_.most;
  open_ = ledger->reserve(reserved);
  exchange_.account_opened = exchange_.account_opened || open_;
  if (open_ ||
      (!is_bounded(exchange_) && exchange_.world->snapshot->ledger.on_unwritable == config::OnUnwritable::allow))
    return {};
  Failure failure{FailureKind::overloaded, Source::gateway,
                  "the ledger cannot be written at the moment, and what cannot be accounted for is not begun"};
  failure.retry_after = seconds(1);
  return failure;
}

AttemptEntry Charge::entry() const {
  const AttemptRecord& record = attempt();
  AttemptEntry entry{
      .of = attribution_of(exchange_),
      .attempt_id = record.id.text(),
      .number = static_cast<std::uint16_t>(place_ + 1),
      .target = record.target,
      .credential = record.credential,
      .began_at = exchange_.began_at + std::chrono::duration_cast<SystemTime::duration>(began_ - exchange_.began),
      .duration = so_far(),
      .stream = exchange_.scan.stream,
      .usage = {},
      .cost = std::nullopt,
      .price = purse_.price ? std::string_view(purse_.price->id) : std::string_view(),
      .budgets = purse_.hold ? purse_.hold->shares() : std::span<const BudgetShare>(),
  };
  entry.of.model = record.model;
  return entry;
}

Micros Charge::so_far() const { return std::chrono::duration_cast<Micros>(exchange_.alarm.woken_at() - began_); }

policy::TokenRules Charge::rules() const {
  const std::string_view target = attempt().target;
  return policy::token_rules(target.substr(std::min(target.find('/') + 1, target.size())));
}

void Charge::answer_came(std::string_view body) {
  if (body.size() > longest_counted) return;
  pieces_ = policy::estimate_text_tokens(protocol::openai::answer_text(body), rules());
}

void Charge::checkpoint() {
  const SteadyTime now = exchange_.alarm.woken_at();
  if (!open_ || !purse_.price || now - told_at_ < checkpoint_interval) return;
  told_at_ = now;
  const protocol::Usage usage = usage_so_far();
  exchange_.world->ledger->checkpoint(attempt().id.text(), usage, policy::cost_of(*purse_.price, usage));
}

protocol::Usage Charge::estimate(Billed billed) const {
  protocol::Usage usage;
  if (billed == Billed::nothing) return usage;
  usage.input = exchange_.body.empty() ? tokens_of_bytes(body_size_)
                : exchange_.body.size() <= longest_counted
                    ? policy::estimate_prompt_tokens(exchange_.body.view(), rules())
                    : expected_input_tokens(exchange_);
  if (billed == Billed::answer) usage.output = pieces_ > 0 ? pieces_ : tokens_of_bytes(exchange_.record.bytes_out);
  // A guess is no reason to charge more than a provider that keeps to its limits can.
  if (is_limited()) usage.output = std::min(usage.output, purse_.output);
  if (is_limited()) usage.input = std::min(usage.input, purse_.input);
  return usage;
}

std::uint64_t Charge::output_gone_by() const { return is_limited() ? std::min(pieces_, purse_.output) : pieces_; }

/// Some report with their first event, as Claude does: the prompt, and a token or so of an answer yet to come.
bool Charge::has_outgrown_report() const {
  const auto& usage = exchange_.record.usage;
  return usage && !ended_ && usage->output < output_gone_by();
}

protocol::Usage Charge::usage_so_far() const {
  if (!exchange_.record.usage) return estimate(Billed::answer);
  protocol::Usage usage = *exchange_.record.usage;
  if (has_outgrown_report()) usage.output = output_gone_by();
  return usage;
}

std::optional<Money> Charge::cost_so_far() const {
  const auto& usage = exchange_.record.usage;
  if (!usage || !purse_.price) return std::nullopt;
  return policy::cost_of(*purse_.price, *usage);
}

void Charge::settle_answered() {
  if (settled_) return;
  if (Rival* const rival = std::exchange(exchange_.rival, nullptr)) rival->give_way();
  settle(exchange_.record.outcome, Billed::answer, Waste::none, exchange_.record.status);
}

void Charge::settle(Outcome outcome, Billed billed, Waste waste, std::uint16_t status) {
  if (std::exchange(settled_, true)) return;
  if (exchange_.inbound.only_counts) billed = Billed::nothing;
  RequestRecord& record = exchange_.record;
  AttemptRecord& record_of_attempt = attempt();
  const bool said = record.usage.has_value() && billed == Billed::answer && !has_outgrown_report();
  record_of_attempt.estimated = !said && billed != Billed::nothing;
  record_of_attempt.usage = billed == Billed::answer ? usage_so_far() : estimate(billed);
  record_of_attempt.waste = waste;
  if (billed == Billed::answer) {
    record.usage = record_of_attempt.usage;
    record.estimated = record_of_attempt.estimated;
  }
  if (purse_.price) {
    const Money cost = billed == Billed::nothing ? Money{} : policy::cost_of(*purse_.price, *record_of_attempt.usage);
    record_of_attempt.cost = cost;
    record.cost = record.cost.value_or(Money{}) + cost;
    if (waste != Waste::none) record.wasted += cost;
    if (purse_.hold) purse_.hold->settle(cost, exchange_.now());
  } else if (billed == Billed::nothing) {
    record_of_attempt.cost = Money{};
    if (purse_.hold) purse_.hold->release();
  } else {
    record.unpriced = true;
  }
  if (!open_) return;

  AttemptEntry settled = entry();
  settled.outcome = outcome;
  settled.waste = waste;
  settled.status = status;
  settled.usage = *record_of_attempt.usage;
  settled.estimated = record_of_attempt.estimated;
  settled.cost = record_of_attempt.cost;
  if (waste != Waste::none || billed != Billed::answer) return exchange_.world->ledger->settle(settled, nullptr);
  const RequestEntry request = request_entry_of(exchange_);
  exchange_.world->ledger->settle(settled, &request);
  exchange_.account_closed = true;
}

}  // namespace tollgate::pipeline
