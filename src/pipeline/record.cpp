#include "tollgate/pipeline/record.hpp"

namespace tollgate::pipeline {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::client_error: return "client_error";
    case Outcome::limited: return "limited";
    case Outcome::upstream_error: return "upstream_error";
    case Outcome::timeout: return "timeout";
    case Outcome::truncated: return "truncated";
    case Outcome::cancelled: return "cancelled";
    case Outcome::internal: return "internal";
  }
  return "internal";  // GCOVR_EXCL_LINE: every outcome has returned
}

std::string_view name_of(EndedBy side) {
  switch (side) {
    case EndedBy::nobody: return "nobody";
    case EndedBy::client: return "client";
    case EndedBy::upstream: return "upstream";
    case EndedBy::gateway: return "gateway";
  }
  return "nobody";  // GCOVR_EXCL_LINE: every side has returned
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::head: return "head";
    case Phase::body: return "body";
    case Phase::route: return "route";
    case Phase::queue: return "queue";
    case Phase::connect: return "connect";
    case Phase::send: return "send";
    case Phase::first_byte: return "first_byte";
    case Phase::first_token: return "first_token";
    case Phase::relay: return "relay";
    case Phase::done: return "done";
  }
  return "done";  // GCOVR_EXCL_LINE: every phase has returned
}

std::string_view name_of(Waste waste) {
  switch (waste) {
    case Waste::none: return "none";
    case Waste::retry: return "retry";
    case Waste::fallback: return "fallback";
    case Waste::hedge: return "hedge";
    case Waste::truncated: return "truncated";
    case Waste::abandoned: return "abandoned";
  }
  return "none";  // GCOVR_EXCL_LINE: every reason has returned
}

}  // namespace tollgate::pipeline
