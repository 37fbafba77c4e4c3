// Every fault that a provider may show, for a JSON answer and for a stream, where it stands alone, among equal targets
// and before a fallback. Each cell is one request to a gateway of its own, and the whole of what a client, the
// providers and the operator see of it is compared with its row.
#include "fault_matrix.hpp"

#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/silent_address.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace tollgate::test {
namespace {

using Kind = Ending::Kind;

constexpr std::size_t most_attempts = 3;
// No request outlives its deadline. The promise is 250 ms; what is more is left to a machine with other things to do.
constexpr double slack_ms = 2'000;
constexpr std::size_t large_size = 8 * 1024 * 1024;

struct Cell {
  std::string name;
  Fault fault;
  bool stream = false;
  Setup setup = Setup::alone;
  Ending ending;
};

std::vector<Cell> cells() {
  constexpr std::pair<Setup, const char*> setups[] = {
      {Setup::alone, "_alone"}, {Setup::among_three, "_among_three"}, {Setup::with_a_fallback, "_with_a_fallback"}};
  std::vector<Cell> all;
  for (const Row& row : fault_matrix()) {
    for (const bool stream : {false, true}) {
      const auto& endings = stream ? row.stream : row.json;
      if (!endings) continue;
      for (const auto& [setup, name] : setups)
        all.push_back(
            {row.fault.name + (stream ? "_stream" : "_json") + name, row.fault, stream, setup, endings->of(setup)});
    }
  }
  return all;
}

std::string whole_json() {
  return R"({"id":"second","choices":[{"index":0,"message":{"role":"assistant","content":")" + whole_said + R"("}}]})";
}
std::string whole_stream() { return role_event + token(whole_said) + finish_event + done_event; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

class FaultMatrix : public testing::TestWithParam<Cell> {
 protected:
  FaultMatrix() : stage_(plays()), gateway_(config(), {}, lookup), client_(gateway_.address()) {}

  static Play well() {
    Play play;
    play.says = GetParam().stream ? stream_head + chunk(whole_stream()) + last_chunk : json_answer(whole_json());
    return play;
  }
  static std::vector<Play> plays() {
    const Cell& cell = GetParam();
    return {cell.stream ? cell.fault.stream : cell.fault.json, well(), well()};
  }
  static Result<io::Addresses> lookup(const std::string& name) {
    if (name == "nowhere.test") return Failure{FailureKind::upstream_error, Source::upstream, "no such name"};
    return io::Addresses{*io::Address::parse("127.0.0.1")};
  }

  std::string base_url() {
    switch (GetParam().fault.place) {
      case Place::there: break;
      case Place::refuses: return "http://127.0.0.1:" + std::to_string(deaf_.emplace().port());
      case Place::is_silent: return "http://127.0.0.1:" + std::to_string(silent_.emplace().port());
      case Place::has_no_address: return "http://nowhere.test:" + std::to_string(stage_.port(0));
      case Place::speaks_tls:
      case Place::speaks_plain: return "https://upstream.test:" + std::to_string(stage_.port(0));
    }
    return "http://127.0.0.1:" + std::to_string(stage_.port(0));
  }

  std::string provider(const std::string& name, const std::string& url, const std::string& more) {
    return "  " + name + ": {base_url: \"" + url + "/v1\", credentials: [{name: key, key: test-key-" + name +
           "}], circuit: {failures: 1000, min_requests: 1000000}" + more + "}\n";
  }

  std::string config() {
    const Fault& fault = GetParam().fault;
    folder_.write("ca.pem", fault_authority().certificate_pem());
    std::string more = fault.timers.empty() ? "" : ", timeouts: {" + fault.timers + "}";
    if (fault.place == Place::speaks_tls || fault.place == Place::speaks_plain)
      more += ", tls: {ca_file: " + (folder_.path() / "ca.pem").string() + "}";
    const auto at = [this](std::size_t index) { return "http://127.0.0.1:" + std::to_string(stage_.port(index)); };
    return "defaults: {deadline: " + std::to_string(fault.deadline.count()) +
           "ms, retry: {attempts: " + std::to_string(most_attempts) +
           ", backoff: {base: 1ms, max: 1ms}}}\nproviders:\n" + provider("first", base_url(), more) +
           provider("second", at(1), "") + provider("third", at(2), "") +
           "models:\n  one: {provider: first}\n  other: {provider: second}\n"
           "  equals: {targets: [{provider: first, weight: 1000000}, {provider: second}, {provider: third, weight: "
           "0.001}]}\nroutes:\n  route: {primary: one, fallbacks: [other]}\n";
  }

  void ask() {
    const Cell& cell = GetParam();
    const std::string model = cell.setup == Setup::alone         ? "one"
                              : cell.setup == Setup::among_three ? "equals"
                                                                 : "route";
    std::string body = chat_body(model, cell.stream);
    if (cell.fault.large_request) body.insert(body.find("hello"), large_size, 'x');
    client_.send(post("/v1/chat/completions", body));
  }

  Answer answer() {
    if (stage_waits()) {
      EXPECT_TRUE(client_.socket().receive_until(client_.rest(), half_said));
      stage_.client_has_content();
    }
    return client_.read_answer();
  }
  static bool stage_waits() { return GetParam().stream && GetParam().fault.stream.awaits_client; }

  /// The one line that the request has left in the access log.
  nlohmann::json record() {
    client_.socket().close();
    // The answer is out, so its request is over: there is nothing to drain.
    for (int i = 0; i < 2; ++i) gateway_.gateway().request_stop();
    gateway_.join();
    stage_.stop();
    const std::string log = gateway_.access_log();
    EXPECT_EQ(count(log, "\n"), 1u) << log;
    return nlohmann::json::parse(log.substr(0, log.find('\n')));
  }

  void expect_body(const Answer& got);
  void expect_hints(const Answer& got);
  void expect_asked();
  void expect_record(const Answer& got);
  static bool ends_well() { return GetParam().ending.status == 200; }
  static bool of_another() { return GetParam().ending.kind == Kind::by_another; }

  TemporaryFolder folder_;
  std::optional<DeafPort> deaf_;
  std::optional<SilentAddress> silent_;
  FaultStage stage_;
  GatewayUnderTest gateway_;
  RawClient client_;
};

std::string code_of(const std::string& body) {
  const auto error = nlohmann::json::parse(body, nullptr, false);
  return error.is_object() && error.contains("error") ? error["error"].value("code", "") : "no error: " + body;
}

/// The data of a stream's last event.
std::string last_data(const std::string& body) {
  const std::size_t begin = body.rfind("data: ");
  return begin == body.npos ? body : body.substr(begin + 6, body.find('\n', begin) - begin - 6);
}

void FaultMatrix::expect_body(const Answer& got) {
  const Cell& cell = GetParam();
  EXPECT_LE(count(got.body, half_said), 1u) << "content sent twice: " << got.body;
  EXPECT_LE(count(got.body, half_said) + count(got.body, whole_said), 1u) << "content of two: " << got.body;
  const bool streamed = got.fields.at("content-type") == "text/event-stream";
  switch (cell.ending.kind) {
    case Kind::own_error: EXPECT_EQ(code_of(got.body), cell.ending.code) << got.body; break;
    case Kind::passed_on:
    case Kind::is_answer: EXPECT_EQ(got.body, cell.fault.words); break;
    case Kind::by_itself:
      EXPECT_EQ(got.body, cell.stream ? role_event + token(half_said) + finish_event + done_event : cell.fault.words);
      break;
    case Kind::by_another: EXPECT_EQ(got.body, cell.stream ? whole_stream() : whole_json()); break;
    case Kind::cut_off:
      EXPECT_EQ(got.body.find(role_event + token(half_said)), 0u) << got.body;
      EXPECT_EQ(code_of(last_data(got.body)), cell.ending.code) << got.body;
      break;
    case Kind::told_by_peer:
      EXPECT_EQ(got.body, role_event + token(half_said) + event(json_error("server_error")));
      break;
  }
  EXPECT_EQ(streamed, cell.stream && ends_well());
}

void FaultMatrix::expect_hints(const Answer& got) {
  const Cell& cell = GetParam();
  const bool plan_is_over = cell.ending.kind == Kind::own_error || cell.ending.kind == Kind::passed_on;
  EXPECT_EQ(got.fields.contains("x-should-retry"), plan_is_over);
  if (plan_is_over) {
    EXPECT_EQ(got.fields.at("x-should-retry"), "false");
  }
  // When it can be asked again is for the client too.
  for (const std::string name : {"Retry-After: ", "Retry-After-Ms: "}) {
    const std::string& said = cell.fault.json.says;
    const std::size_t at = said.find(name);
    const std::string field = name == "Retry-After: " ? "retry-after" : "retry-after-ms";
    const bool crosses = at != said.npos && cell.ending.kind == Kind::passed_on;
    ASSERT_EQ(got.fields.contains(field), crosses) << got.head;
    if (crosses) {
      EXPECT_EQ(got.fields.at(field), said.substr(at + name.size(), said.find("\r\n", at) - at - name.size()));
    }
  }
  EXPECT_EQ(got.fields.at("x-tollgate-attempts"), std::to_string(cell.ending.asked + (of_another() ? 1 : 0)));
  const bool was_drawn = cell.setup == Setup::among_three && cell.ending.reason == "primary";
  EXPECT_EQ(got.fields.at("x-tollgate-reason"), was_drawn ? "weighted" : cell.ending.reason);
  EXPECT_EQ(got.fields.at("x-tollgate-provider"), of_another() ? "second" : "first");
}

void FaultMatrix::expect_asked() {
  const Place place = GetParam().fault.place;
  const bool is_seen = place != Place::refuses && place != Place::is_silent && place != Place::has_no_address;
  EXPECT_EQ(stage_.asked(0), is_seen ? GetParam().ending.asked : 0u);
  EXPECT_EQ(stage_.asked(1), of_another() ? 1u : 0u);
  EXPECT_EQ(stage_.asked(2), 0u);
}

void FaultMatrix::expect_record(const Answer& got) {
  const Cell& cell = GetParam();
  const nlohmann::json line = record();
  EXPECT_EQ(line.at("request_id"), got.fields.at("x-request-id"));
  EXPECT_EQ(line.at("status"), cell.ending.status);
  EXPECT_EQ(line.at("outcome"), cell.ending.outcome);
  EXPECT_EQ(line.at("stream"), cell.stream);
  EXPECT_EQ(line.at("attempts"), cell.ending.asked + (of_another() ? 1 : 0));
  EXPECT_LE(line.at("attempts"), most_attempts);
  const auto duration = line.at("duration_ms").get<double>();
  RecordProperty("duration_ms", std::to_string(duration));
  EXPECT_LE(duration, static_cast<double>(cell.fault.deadline.count()) + slack_ms);
}

TEST_P(FaultMatrix, ends) {
  ask();
  const Answer got = answer();
  EXPECT_EQ(got.status, GetParam().ending.status) << got.body;
  ASSERT_TRUE(got.complete) << got.head << got.body;
  expect_body(got);
  expect_hints(got);
  expect_record(got);
  expect_asked();
}

std::string name_of(const testing::TestParamInfo<Cell>& info) { return info.param.name; }
void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.name; }

INSTANTIATE_TEST_SUITE_P(Every, FaultMatrix, testing::ValuesIn(cells()), name_of);

TEST(FaultMatrixTable, holds_all_the_cells_that_were_asked_for) { EXPECT_GE(cells().size(), 250u); }

}  // namespace
}  // namespace tollgate::test
