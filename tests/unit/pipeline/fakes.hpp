#pragma once
// The world around a pipeline under test: a client that records, an alarm that the test moves, an upstream that plays a
// script.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/live_state.hpp"

#include <deque>
#include <memory>
#include <string>

namespace tollgate::pipeline::test {

class ManualAlarm final : public Alarm {
 public:
  explicit ManualAlarm(WaitPoint& point) : point_(point) {}
  SteadyTime now() const override { return now_; }
  void set(SteadyTime when) override { when_ = when; }
  SteadyTime when() const { return when_; }
  /// Moves time to the next set alarm and signals it.
  void run_out() {
    now_ = when_;
    point_.signal(Signal::timer);
  }
  void advance(Millis by) { now_ += by; }

 private:
  WaitPoint& point_;
  SteadyTime now_{std::chrono::hours(1)};
  SteadyTime when_ = never;
};

class RecordingClient final : public Client {
 public:
  explicit RecordingClient(ManualAlarm& alarm) : alarm_(alarm) {}

  bool take_ready_body(ByteBuffer&) override { return false; }
  Task<Result<void>> read_body(ByteBuffer& into) override {
    into.append(request_body);
    co_return Result<void>();
  }
  void watch() override { watched = true; }
  void look() override {}
  bool left() const override { return has_left; }
  bool must_stop() const override { return stopping; }
  void begin(std::uint16_t status_code, std::string_view header_fields, BodyForm body_form) override {
    has_begun = true;
    status = status_code;
    fields = header_fields;
    form = body_form;
    taken_ = alarm_.now();
  }
  bool begun() const override { return has_begun; }
  void write(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) body += piece;
    ++writes;
    taken_ = alarm_.now();
  }
  void end() override { ended = true; }
  void abort() override { aborted = has_left = true; }
  bool drained() override { return !blocked; }
  SteadyTime last_taken() const override { return taken_; }

  std::string request_body, fields, body;
  std::uint16_t status = 0;
  BodyForm form;
  int writes = 0;
  bool has_begun = false, ended = false, aborted = false, has_left = false, stopping = false, watched = false,
       blocked = false;

 private:
  ManualAlarm& alarm_;
  SteadyTime taken_{};
};

/// One step of an upstream: what advance() says, and with what.
struct Step {
  UpstreamCall::Progress progress = UpstreamCall::Progress::blocked;
  std::string data{};
  int status = 200;
  std::string content_type = "application/json";
  bool chunked = true;
  std::string content_encoding = "identity";
  std::string request_id = "up-1";
};

class ScriptedProvider final : public UpstreamProvider {
 public:
  std::unique_ptr<UpstreamCall> start(const UpstreamRequest& request, WaitPoint& point) override;

  std::deque<Step> steps;
  std::string sent_body, sent_fields, sent_path;
  int calls = 0;
  int open = 0;  ///< calls that are alive
  bool finished = false;
  WaitPoint* point = nullptr;
};

/// Everything together: an exchange with one provider `p`, one model `m`.
struct Harness {
  /// Where there are `answers` its request came with an Idempotency-Key.
  explicit Harness(std::string request_body = R"({"model":"m","messages":[]})", IdempotentAnswers* answers = nullptr);

  /// Ends a request that still waits, by the client's leaving.
  ~Harness();

  /// Runs serve() until it is over or waits.
  void serve();
  /// Lets the upstream go on.
  void progress() { point.signal(Signal::upstream_ready); }

  WaitPoint point;
  ManualAlarm alarm{point};
  RecordingClient client{alarm};
  Random random{1};
  std::shared_ptr<ScriptedProvider> provider = std::make_shared<ScriptedProvider>();
  std::shared_ptr<config::Snapshot> snapshot = std::make_shared<config::Snapshot>();
  LiveState live;
  std::shared_ptr<World> world = std::make_shared<World>();
  Inbound inbound;
  Caller caller;
  std::unique_ptr<Exchange> exchange;
  bool serving = false;
  bool over = false;
};

}  // namespace tollgate::pipeline::test
