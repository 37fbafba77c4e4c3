// The rows: every fault with how it ends for a JSON answer and for a stream. A column is one of few, named below by
// what it promises, so that a row reads as a sentence.
#include "fault_matrix.hpp"
#include "stream_parts.hpp"
#include "support/raw_upstream.hpp"

#include <ctime>

namespace tollgate::test {

namespace {

using Cue = Play::Cue;
using Then = Play::Then;
using std::chrono::milliseconds;

// --- columns ---

/// Nothing that could be passed on: asked again, then the next one.
const Endings no_answer{own_error(502, "upstream_error", 3), by_another(1), by_another(2)};
/// One that took too long to connect comes after somebody else; nobody was billed.
const Endings never_connected{own_error(504, "upstream_timeout", 3), by_another(1), by_another(1)};
/// One that took too long to answer is asked once more only as well.
const Endings timed_out{own_error(504, "upstream_timeout", 2), by_another(1), by_another(1)};
const Endings no_use_in_asking_again{own_error(502, "upstream_error", 1), by_another(1), by_another(1)};
const Endings deadline_passed = always(own_error(504, "upstream_timeout", 1));
const Endings truncated = always(cut_off("upstream_error"));
const Endings truncated_by_timer = always(cut_off("upstream_timeout"));
const Endings good = always(by_itself());

Endings asked_again(int status) { return {passed_on(status, 3), by_another(1), by_another(2)}; }
Endings asked_once(int status, const std::string& reason) {
  return {passed_on(status, 1), by_another(1, reason), by_another(1, reason)};
}

// --- faults ---

const std::string before_head = "first_token: 60ms, attempt: 80ms";
const std::string after_head = "idle: 60ms";
const std::string json_head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

Fault says(const std::string& name, const std::string& bytes, Then then = Then::stay) {
  const Play play{.says = bytes, .then = then};
  return {.name = name, .json = play, .stream = play};
}

Fault with_certificate(const std::string& name, const Identity& identity) {
  const Play play{.cue = Cue::connection, .certificate = identity};
  return {.name = name, .json = play, .stream = play, .place = Place::speaks_tls};
}

Fault at(const std::string& name, Place place, const std::string& timers = {}) {
  return {.name = name, .place = place, .timers = timers};
}

Fault acts_on(const std::string& name, Cue cue, Then then, const std::string& timers = {}) {
  const Play play{.cue = cue, .then = then};
  return {.name = name, .json = play, .stream = play, .timers = timers};
}

Fault of_large_request(const std::string& name, Then then, const std::string& timers = {}) {
  Fault fault = acts_on(name, Cue::first_bytes, then, timers);
  fault.large_request = true;
  return fault;
}

/// One that shows after some of an answer has come.
Fault behind(const std::string& name, const std::string& json, const std::string& stream, Then then) {
  Fault fault{.name = name, .json = {.says = json, .then = then}, .stream = {.says = stream, .then = then}};
  if (then == Then::stay) fault.timers = after_head;
  // What a reset overtakes is lost: the client must have it first.
  fault.stream.awaits_client = then == Then::reset;
  return fault;
}

Fault one_byte_at_a_time(const std::string& name, milliseconds pause, const std::string& timers = {}) {
  Fault fault{.name = name, .timers = timers};
  fault.words = R"({"id":"slow","choices":[{"index":0,"message":{"role":"assistant","content":"s"}}]})";
  fault.json = {.says = json_answer(fault.words), .byte_pause = pause, .byte_by_byte = true};
  fault.stream = fault.json;
  fault.stream.says = stream_begun() + chunk(finish_event + done_event) + last_chunk;
  return fault;
}

Fault status(int status, const std::string& fields = {}, const std::string& type = "server_error",
             const std::string& code = {}) {
  const std::string words = json_error(type, code);
  std::string answer = json_answer(words, status);
  answer.insert(answer.find("\r\n") + 2, fields);
  Fault fault = says("status_" + std::to_string(status), answer);
  fault.words = words;
  return fault;
}

Fault named(const std::string& name, Fault fault) {
  fault.name = name;
  return fault;
}

Fault within(milliseconds deadline, Fault fault) {
  fault.deadline = deadline;
  return fault;
}

Fault body(const std::string& name, const std::string& json) {
  Fault fault = says(name, json_answer(json));
  fault.words = json;
  return fault;
}

Fault stream_only(const std::string& name, const std::string& bytes, Then then = Then::stay,
                  const std::string& timers = {}) {
  return {.name = name, .stream = {.says = bytes, .then = then}, .timers = timers};
}

std::string date_after(std::time_t wait) {
  const std::time_t when = std::time(nullptr) + wait;
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

const CertificateSpec trusted_name{.dns_names = {"upstream.test"}};

Identity expired() {
  CertificateSpec spec = trusted_name;
  spec.valid_from_days = -10;
  spec.valid_until_days = -1;
  return issued_by(fault_authority(), spec);
}

// What providers cool for where they do not say: a request with less time than that has its answer at once.
constexpr milliseconds less_than_cooling{900};

}  // namespace

const Identity& fault_authority() {
  static const Identity one = self_signed({.common_name = "test authority", .authority = true});
  return one;
}

std::vector<Row> connection_faults() {
  const std::string half_head = "HTTP/1.1 200 OK\r\nContent-Ty";
  const std::string json_piece = json_head + chunk("{\"id\":");
  const std::string json_half_chunk = json_head + "20\r\n{\"id\":";
  const std::string stream_half_chunk = stream_begun() + "40\r\ndata: {\"id\"";
  return {
      {at("connection_refused", Place::refuses), no_answer, no_answer},
      {at("black_hole", Place::is_silent, "connect: 60ms"), never_connected, never_connected},
      {at("name_without_address", Place::has_no_address), no_answer, no_answer},
      {with_certificate("tls_expired", expired()), no_answer, no_answer},
      {with_certificate("tls_self_signed", self_signed(trusted_name)), no_answer, no_answer},
      {with_certificate("tls_wrong_name", issued_by(fault_authority(), {.dns_names = {"other.test"}})), no_answer,
       no_answer},
      {{.name = "plain_where_tls_is_spoken",
        .json = {.cue = Cue::first_bytes, .says = "HTTP/1.1 400 Bad Request\r\n\r\n", .then = Then::end},
        .stream = {.cue = Cue::first_bytes, .says = "HTTP/1.1 400 Bad Request\r\n\r\n", .then = Then::end},
        .place = Place::speaks_plain},
       no_answer,
       no_answer},
      {acts_on("closed_once_accepted", Cue::connection, Then::end), no_answer, no_answer},
      {acts_on("stopped_process", Cue::connection, Then::stay, before_head), timed_out, timed_out},

      {of_large_request("reset_before_the_requests_end", Then::reset), no_answer, no_answer},
      {of_large_request("end_before_the_requests_end", Then::end), no_answer, no_answer},
      {of_large_request("stall_before_the_requests_end", Then::stay, before_head), timed_out, timed_out},
      {acts_on("reset_before_the_head", Cue::request, Then::reset), no_answer, no_answer},
      {acts_on("end_before_the_head", Cue::request, Then::end), no_answer, no_answer},
      {acts_on("stall_before_the_head", Cue::request, Then::stay, before_head), timed_out, timed_out},
      {says("reset_within_the_head", half_head, Then::reset), no_answer, no_answer},
      {says("end_within_the_head", half_head, Then::end), no_answer, no_answer},
      {{.name = "stall_within_the_head",
        .json = {.says = half_head},
        .stream = {.says = half_head},
        .timers = before_head},
       timed_out,
       timed_out},
      {behind("reset_after_the_first_event", json_piece, stream_begun(), Then::reset), no_answer, truncated},
      {behind("end_after_the_first_event", json_piece, stream_begun(), Then::end), no_answer, truncated},
      {behind("stall_after_the_first_event", json_piece, stream_begun(), Then::stay), timed_out, truncated_by_timer},
      {behind("reset_within_a_chunk", json_half_chunk, stream_half_chunk, Then::reset), no_answer, truncated},
      {behind("end_within_a_chunk", json_half_chunk, stream_half_chunk, Then::end), no_answer, truncated},
      {behind("stall_within_a_chunk", json_half_chunk, stream_half_chunk, Then::stay), timed_out, truncated_by_timer},
      {stream_only("reset_after_the_opening", stream_opening(), Then::reset), {}, no_answer},
      {stream_only("end_after_the_opening", stream_opening(), Then::end), {}, no_answer},
      {stream_only("stall_after_the_opening", stream_opening(), Then::stay, "first_token: 60ms"), {}, timed_out},

      {within(milliseconds(300), acts_on("stall_before_the_head_until_the_deadline", Cue::request, Then::stay)),
       deadline_passed, deadline_passed},
      {within(milliseconds(300), {.name = "stall_after_the_first_event_until_the_deadline",
                                  .json = {.says = json_piece},
                                  .stream = {.says = stream_begun()}}),
       deadline_passed, truncated_by_timer},

      {says("garbage", "SSH-2.0-OpenSSH_9.2p1\r\n"), no_answer, no_answer},
      {one_byte_at_a_time("one_byte_at_a_time", milliseconds(0)), good, good},
      {one_byte_at_a_time("one_byte_at_a_time_too_slowly", milliseconds(5), "attempt: 100ms"), timed_out, timed_out},
  };
}

std::vector<Row> status_faults() {
  const std::string invalid = "invalid_request_error";
  const auto both = [](Fault fault, const Endings& endings) { return Row{std::move(fault), endings, endings}; };
  const Endings refused{own_error(502, "upstream_auth_failed", 1), by_another(1, "credential_refused"),
                        by_another(1, "credential_refused")};
  return {
      both(status(301, "Location: http://127.0.0.1:9/\r\n"), no_use_in_asking_again),
      both(status(400, {}, invalid), always(is_answer(400))),
      both(named("status_400_context_too_long", status(400, {}, invalid, "context_length_exceeded")),
           asked_once(400, "context_window")),
      both(status(401, {}, invalid), refused),
      both(status(402), asked_once(402, "credential_refused")),
      both(status(403, {}, invalid), refused),
      both(status(404, {}, invalid), asked_once(404, "retry_exhausted")),
      both(status(408), asked_again(408)),
      both(status(409), asked_again(409)),
      both(status(413, {}, invalid), asked_once(413, "context_window")),
      both(status(422, {}, invalid), always(is_answer(422))),
      both(within(less_than_cooling, status(429, {}, "requests")), asked_once(429, "rate_limited")),
      both(named("status_429_back_within_the_deadline", within(milliseconds(1'500), status(429, {}, "requests"))),
           {passed_on(429, 2, "rate_limited"), by_another(1, "rate_limited"), by_another(1, "rate_limited")}),
      both(named("status_429_retry_after_seconds", status(429, "Retry-After: 100\r\n", "requests")),
           asked_once(429, "rate_limited")),
      both(named("status_429_retry_after_date", status(429, "Retry-After: " + date_after(100) + "\r\n", "requests")),
           asked_once(429, "rate_limited")),
      both(named("status_429_retry_after_ms", status(429, "Retry-After-Ms: 100000\r\n", "requests")),
           asked_once(429, "rate_limited")),
      both(named("status_429_insufficient_quota", status(429, {}, "insufficient_quota", "insufficient_quota")),
           asked_once(429, "credential_refused")),
      both(status(500), asked_again(500)),
      both(status(501), asked_once(501, "retry_exhausted")),
      both(status(502), asked_again(502)),
      both(status(503), asked_again(503)),
      both(named("status_503_back_later_than_a_fallback", status(503, "Retry-After-Ms: 20\r\n")),
           {passed_on(503, 3), by_another(1), by_another(1)}),
      both(named("status_503_back_after_the_deadline", status(503, "Retry-After: 100\r\n")),
           asked_once(503, "retry_exhausted")),
      both(status(504), asked_again(504)),
      both(status(529), asked_again(529)),
  };
}

std::vector<Row> body_faults() {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: ";
  const std::string json = "application/json\r\nContent-Length: ", events = "text/event-stream\r\nContent-Length: ";
  const std::string begun = role_event + token(half_said), broken = event("{\"choices\":[");
  const std::string error_event = event(json_error("server_error"));
  Fault first_event = stream_only("error_as_first_event", stream_head + chunk(error_event) + last_chunk);
  first_event.words = json_error("server_error");
  Fault shorter{.name = "length_shorter_than_the_body",
                .json = {.says = head + json + "9\r\n\r\n{\"choices\":[]}"},
                .stream = {.says = head + events + std::to_string(begun.size() + 9) + "\r\n\r\n" + begun + begun}};
  return {
      {{.name = "length_longer_than_the_body",
        .json = {.says = head + json + "99\r\n\r\n{\"choices\":[", .then = Then::end},
        .stream = {.says = head + events + "9999\r\n\r\n" + begun, .then = Then::end}},
       no_answer,
       truncated},
      {shorter, no_answer, truncated},
      {{.name = "no_body", .json = {.says = head + json + "0\r\n\r\n"}, .stream = {.says = stream_head + last_chunk}},
       no_answer,
       no_answer},
      {body("error_under_200", json_error("server_error")), asked_again(502), asked_again(502)},
      {within(less_than_cooling, body("rate_limit_under_200", json_error("rate_limit_error"))),
       asked_once(429, "rate_limited"), asked_once(429, "rate_limited")},
      {body("no_choices", R"({"id":"x","object":"chat.completion","choices":[]})"), no_answer, no_answer},
      {first_event, {}, asked_again(502)},
      {stream_only("end_mark_without_an_answer", stream_head + chunk(role_event + done_event) + last_chunk),
       {},
       no_answer},
      {stream_only("broken_event_first", stream_head + chunk(broken)), {}, no_answer},
      {stream_only("broken_event_later", stream_begun() + chunk(broken)), {}, truncated},
      {stream_only("error_event_later", stream_begun() + chunk(error_event) + last_chunk), {}, always(told_by_peer())},
      {stream_only("in_order_without_an_end", stream_begun() + last_chunk), {}, truncated},
  };
}

}  // namespace tollgate::test
