#include "tollgate/simulator/truth.hpp"

#include <nlohmann/json.hpp>

namespace tollgate::simulator {

namespace {

std::int64_t micros_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Micros>(to - from).count();
}

}  // namespace

std::string to_json_line(const TruthEntry& entry) {
  nlohmann::ordered_json line;
  line["ordinal"] = entry.ordinal;
  line["client_request_id"] = entry.client_request_id;
  line["credential"] = entry.credential;
  line["method"] = entry.method;
  line["endpoint"] = entry.endpoint;
  line["model"] = entry.model;
  line["stream"] = entry.stream;
  line["prompt_tokens"] = entry.prompt_tokens;
  line["completion_tokens"] = entry.completion_tokens;
  line["reasoning_tokens"] = entry.reasoning_tokens;
  line["cache_read_tokens"] = entry.cache_read_tokens;
  line["cache_write_5m_tokens"] = entry.cache_write_5m_tokens;
  line["cache_write_1h_tokens"] = entry.cache_write_1h_tokens;
  line["bytes_sent"] = entry.bytes_sent;
  line["status"] = entry.status;
  line["fault"] = entry.fault;
  line["ended"] = entry.ended;
  line["at_us"] = std::chrono::duration_cast<Micros>(entry.at.time_since_epoch()).count();
  line["first_byte_us"] = nullptr;
  if (entry.first_byte != SteadyTime{}) line["first_byte_us"] = micros_between(entry.received, entry.first_byte);
  line["finished_us"] = micros_between(entry.received, entry.finished);
  // Ids and paths are a peer's bytes and need not be UTF-8.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tollgate::simulator
