// The played world's moving parts: an upstream that goes through its script, and an exchange with one provider and one
// model, whose request may carry an Idempotency-Key.
#include "fakes.hpp"

#include "tollgate/pipeline/serve.hpp"

namespace tollgate::pipeline::test {

namespace {

class ScriptedCall final : public UpstreamCall {
 public:
  explicit ScriptedCall(ScriptedProvider& provider) : provider_(provider) { ++provider_.open; }
  ~ScriptedCall() override { --provider_.open; }

  Progress advance() override {
    if (provider_.steps.empty()) return Progress::blocked;
    step_ = provider_.steps.front();
    provider_.steps.pop_front();
    if (step_.progress == Progress::head) {
      phase_ = Phase::relay;
      head_.status = static_cast<std::uint16_t>(step_.status);
      head_.framing = step_.chunked ? protocol::http::Framing::chunked : protocol::http::Framing::length;
      head_.content_length = step_.chunked ? 0 : std::stoul(step_.data);
      head_.fields.clear();
      head_.fields.add({"content-type", step_.content_type});
      head_.fields.add({"set-cookie", "secret=1"});
      head_.fields.add({"content-encoding", step_.content_encoding});
      head_.fields.add({"x-request-id", step_.request_id});
      head_.fields.add({"openai-model", step_.request_id});
    }
    if (step_.progress == Progress::failed) failure_ = {FailureKind::upstream_error, Source::upstream, step_.data};
    return step_.progress;
  }
  const protocol::http::ResponseHead& head() const override { return head_; }
  std::string_view data() const override { return step_.data; }
  const Failure& failure() const override { return failure_; }
  Phase phase() const override { return phase_; }
  bool reused() const override { return false; }
  bool replayed() const override { return false; }
  void finish() override { provider_.finished = true; }

 private:
  ScriptedProvider& provider_;
  Step step_;
  Phase phase_ = Phase::first_byte;
  protocol::http::ResponseHead head_;
  Failure failure_;
};

}  // namespace

std::unique_ptr<UpstreamCall> ScriptedProvider::start(const UpstreamRequest& request, WaitPoint& waiting) {
  ++calls;
  point = &waiting;
  sent_body.clear();
  for (const std::string_view piece : request.body) sent_body += piece;
  sent_fields = request.fields;
  sent_path = request.path;
  return std::make_unique<ScriptedCall>(*this);
}

Harness::Harness(std::string request_body, IdempotentAnswers* answers) {
  client.request_body = std::move(request_body);
  config::Provider settings;
  settings.name = "p";
  snapshot->providers.push_back(settings);
  config::Model model;
  model.name = "m";
  config::Target target;
  target.upstream_model = "m";
  target.label = "p/m";
  model.targets.push_back(target);
  snapshot->models.push_back(model);
  snapshot->model_by_name.emplace("m", 0);
  snapshot->defaults.retry.attempts = 1;
  world->snapshot = snapshot;
  world->providers.push_back(provider);
  world->limits = limit_scopes(*snapshot, live, alarm.now());
  world->answers = answers;
  auto idempotent = answers ? std::make_unique<IdempotentClient>(client, sha256("key")) : nullptr;
  Client& outer = idempotent ? static_cast<Client&>(*idempotent) : client;
  exchange = std::make_unique<Exchange>(point, alarm, outer, random, inbound, caller, world);
  exchange->inbound.idempotent = std::move(idempotent);
  exchange->began = alarm.now();
  exchange->inbound.path = "/chat/completions";
  exchange->inbound.stream_kind = protocol::openai::StreamKind::chat;
  exchange->inbound.knows_usage_option = true;
  exchange->record.request_id = "r-1";
}

Harness::~Harness() {
  client.has_left = true;
  if (serving && !over) point.signal(Signal::client_readable);
}

void Harness::serve() {
  world->health = live.health.health_of(*snapshot, alarm.now());
  serving = true;
  detach([](Harness& harness) -> Task<void> {
    co_await pipeline::serve(*harness.exchange);
    harness.over = true;
  }(*this));
}

}  // namespace tollgate::pipeline::test
