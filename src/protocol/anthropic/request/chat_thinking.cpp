// One word of a client stands for what each generation of models asks for in its own way: a budget, a level, a switch,
// or nothing at all.
#include "protocol/anthropic/request/chat_thinking.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

constexpr std::uint64_t least_budget = 1024;

std::uint64_t budget_of(Effort effort) {
  return effort == Effort::low ? least_budget : effort == Effort::medium ? 4096 : 16384;
}

class Planner {
 public:
  Planner(const ThinkingWishes& wishes, const ModelRules& rules, ThinkingPlan& plan, Findings& findings)
      : wishes_(wishes), rules_(rules), plan_(plan), findings_(findings) {}

  bool run();

 private:
  bool read();
  bool drop();
  bool plan_budget();
  bool plan_adaptive();
  bool plan_unasked();
  void think_by_effort();
  bool wants() const { return own_.empty() ? effort_.has_value() : !own_off_; }
  bool wants_none() const { return own_.empty() ? none_ : own_off_; }
  bool must_not_think() const { return wishes_.forced && rules_.forced == Forced::unthinking; }

  const ThinkingWishes& wishes_;
  const ModelRules& rules_;
  ThinkingPlan& plan_;
  Findings& findings_;
  std::optional<Effort> effort_;
  bool none_ = false;     ///< the effort is to be none
  std::string_view own_;  ///< the client's `thinking`, as written
  bool own_off_ = false;
};

bool Planner::read() {
  constexpr std::string_view effort_field = "reasoning_effort", thinking_field = "thinking";
  if (wishes_.effort.is_given()) {
    const bool is_name = wishes_.effort.kind == Kind::string && wishes_.effort.inside().size() <= 16;
    const std::string name = is_name ? json::decode_lossy(wishes_.effort.inside()) : std::string();
    none_ = name == "none";
    effort_ = effort_named(name == "minimal" ? "low" : name);
    if (!none_ && !effort_)
      return findings_.refuse("'reasoning_effort' must be none, minimal, low, medium, high, xhigh or max", effort_field,
                              unsupported_value);
  }
  if (!wishes_.thinking.is_given()) return true;
  const Value type = json::pick(wishes_.thinking.text, "type");
  if (type.kind != Kind::string) return findings_.refuse("'thinking' must be an object with a 'type'", thinking_field);
  own_ = wishes_.thinking.text;
  own_off_ = type.text == "\"disabled\"";
  return true;
}

/// What the client has said of thinking, where it is not done.
bool Planner::drop() {
  if (!own_.empty()) return findings_.drop(Field::thinking);
  return findings_.drop(Field::reasoning_effort);
}

bool Planner::run() {
  if (!read()) return false;
  switch (rules_.thinking) {
    case Thinking::none: return !wants() || drop();
    case Thinking::budget: return plan_budget();
    case Thinking::adaptive: return plan_adaptive();
    case Thinking::on:
    case Thinking::always: return plan_unasked();
  }
  return true;
}

bool Planner::plan_budget() {
  if (!wants()) {
    plan_.thinking = own_;
    return true;
  }
  // The budget is part of the answer's tokens, and the client has said how many those may be.
  if (must_not_think() || wishes_.unthought || wishes_.max_tokens <= least_budget) return drop();
  plan_.thinks = true;
  plan_.thinking = own_;
  if (!own_.empty()) return true;
  const std::uint64_t wished = budget_of(*effort_);
  const std::uint64_t budget = wished < wishes_.max_tokens ? wished : std::max(least_budget, wishes_.max_tokens / 2);
  json::Writer(plan_.thinking)
      .open_object()
      .key("type")
      .text("enabled")
      .key("budget_tokens")
      .number(budget)
      .close_object();
  return true;
}

void Planner::think_by_effort() {
  plan_.thinks = true;
  plan_.thinking = own_;
  if (!own_.empty()) return;
  json::Writer writer(plan_.thinking);
  writer.open_object().key("type").text("adaptive");
  if (rules_.text_if_asked) writer.key("display").text("summarized");
  writer.close_object();
}

bool Planner::plan_adaptive() {
  if (effort_) plan_.effort = rules_.nearest(*effort_);
  if (!wants()) {
    plan_.thinking = own_;
    return true;
  }
  if (must_not_think()) return own_.empty() || drop();
  think_by_effort();
  return true;
}

bool Planner::plan_unasked() {
  if (effort_) plan_.effort = rules_.nearest(*effort_);
  if (!wants_none() && !must_not_think()) {
    plan_.thinks = true;
    if (wants()) think_by_effort();
    return true;
  }
  if (!rules_.off_up_to) {
    // It cannot but think: as little as it can.
    plan_.thinks = true;
    if (!effort_) plan_.effort = rules_.nearest(Effort::low);
    return own_.empty() || drop();
  }
  json::Writer(plan_.thinking).open_object().key("type").text("disabled").close_object();
  // Unless it is said, the effort is medium or high.
  if (!plan_.effort && *rules_.off_up_to < Effort::high) plan_.effort = rules_.off_up_to;
  if (plan_.effort) plan_.effort = std::min(*plan_.effort, *rules_.off_up_to);
  return !wants() || own_.empty() || drop();
}

/// The number as a token says it; nothing where it is none, or not within [0, most].
std::optional<double> number_up_to(const Value& value, double most) {
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  if (value.kind != Kind::number) return std::nullopt;
  const auto read = std::from_chars(value.text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0 || number > most) return std::nullopt;
  return number;
}

}  // namespace

bool plan_thinking(const ThinkingWishes& wishes, const ModelRules& rules, ThinkingPlan& plan, Findings& findings) {
  return Planner(wishes, rules, plan, findings).run();
}

bool write_sampling(json::Writer& writer, const SamplingWishes& wishes, const ModelRules& rules, Findings& findings) {
  // Both are 1 unless they are said: a 1 loses nothing where it is left out.
  const bool warm = wishes.temperature.is_given(), nuclear = wishes.top_p.is_given(), top = wishes.top_k.is_given();
  const auto given_temperature = number_up_to(wishes.temperature, 2), given_top_p = number_up_to(wishes.top_p, 1);
  if (warm && !given_temperature)
    return findings.refuse("'temperature' must be a number from 0 to 2", "temperature", unsupported_value);
  if (nuclear && !given_top_p)
    return findings.refuse("'top_p' must be a number from 0 to 1", "top_p", unsupported_value);
  const auto whole = wishes.top_k.kind == Kind::number ? json::whole_number(wishes.top_k.text) : std::nullopt;
  if (top && (!whole || *whole < 0))
    return findings.refuse("'top_k' must be a whole number", "top_k", unsupported_value);

  const double temperature = given_temperature.value_or(1), top_p = given_top_p.value_or(1);
  if (!wishes.allowed) {
    if (warm && temperature != 1 && !findings.drop(Field::temperature)) return false;
    if (nuclear && top_p != 1 && !findings.drop(Field::top_p)) return false;
    return !top || findings.drop(Field::top_k);
  }
  const bool only_one = warm && nuclear && rules.sampling == Sampling::one;
  const bool by_top_p = nuclear && !(only_one && (temperature != 1 || top_p == 1));
  const bool by_temperature = warm && !(only_one && by_top_p);
  if (by_temperature) writer.key("temperature").raw(temperature > 1 ? "1" : wishes.temperature.text);
  if (by_top_p) writer.key("top_p").raw(wishes.top_p.text);
  if (top) writer.key("top_k").number(static_cast<std::uint64_t>(*whole));
  return by_top_p || !nuclear || top_p == 1 || findings.drop(Field::top_p);
}

}  // namespace tollgate::protocol::anthropic::request
