#include "fault_matrix.hpp"
#include "stream_parts.hpp"
#include "support/raw_upstream.hpp"

namespace tollgate::test {

namespace {

std::string reason_after(std::size_t asked) { return asked > 1 ? "retry_exhausted" : "primary"; }

}  // namespace

const Ending& Endings::of(Setup setup) const {
  switch (setup) {
    case Setup::alone: return alone;
    case Setup::among_three: return among_three;
    case Setup::with_a_fallback: break;
  }
  return with_a_fallback;
}

Ending own_error(int status, const std::string& code, std::size_t asked) {
  return {Ending::Kind::own_error, asked, status, code, status == 504 ? "timeout" : "upstream_error",
          reason_after(asked)};
}

Ending passed_on(int status, std::size_t asked, const std::string& reason) {
  const bool of_client = status < 500 && status != 429;
  return {Ending::Kind::passed_on,
          asked,
          status,
          {},
          of_client ? "client_error" : "upstream_error",
          reason.empty() ? reason_after(asked) : reason};
}

Ending is_answer(int status) { return {Ending::Kind::is_answer, 1, status, {}, "client_error", "primary"}; }

Ending by_itself() { return {Ending::Kind::by_itself, 1, 200, {}, "ok", "primary"}; }

Ending by_another(std::size_t asked, const std::string& reason) {
  return {Ending::Kind::by_another, asked, 200, {}, "ok", reason};
}

Ending cut_off(const std::string& code) { return {Ending::Kind::cut_off, 1, 200, code, "truncated", "primary"}; }

Ending told_by_peer() { return {Ending::Kind::told_by_peer, 1, 200, {}, "upstream_error", "primary"}; }

Endings always(const Ending& ending) { return {ending, ending, ending}; }

std::string stream_opening() { return stream_head + chunk(role_event); }
std::string stream_begun() { return stream_opening() + chunk(token(half_said)); }

std::string json_error(const std::string& type, const std::string& code) {
  return R"({"error":{"message":"this is what the provider says","type":")" + type + R"(","param":null,"code":)" +
         (code.empty() ? "null" : "\"" + code + "\"") + "}}";
}

std::vector<Row> fault_matrix() {
  std::vector<Row> rows = connection_faults();
  for (auto part : {status_faults, body_faults})
    for (Row& row : part()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace tollgate::test
