#include "simulator/stats.hpp"

#include "simulator/json.hpp"

namespace tollgate::simulator {

namespace {

/// Whoever comes with still another key is counted together with all who came as late.
constexpr std::size_t most_credentials = 10'000;

OrderedJson tally_json(const Tally& tally) {
  OrderedJson json;
  json["requests"] = tally.requests;
  json["outcomes"] = tally.outcomes;
  json["faults"] = tally.faults;
  json["statuses"] = OrderedJson::object();
  for (const auto& [status, count] : tally.statuses) json["statuses"][std::to_string(status)] = count;
  json["prompt_tokens"] = tally.prompt_tokens;
  json["completion_tokens"] = tally.completion_tokens;
  return json;
}

}  // namespace

void Tally::add(const TruthEntry& entry) {
  ++requests;
  ++outcomes[entry.ended];
  if (!entry.fault.empty()) ++faults[entry.fault];
  ++statuses[entry.status];
  prompt_tokens += entry.prompt_tokens;
  completion_tokens += entry.completion_tokens;
}

void Stats::add(const TruthEntry& entry) {
  all.add(entry);
  const bool room = by_credential.size() < most_credentials || by_credential.contains(entry.credential);
  by_credential[room ? entry.credential : "others"].add(entry);
}

std::string stats_json(const Stats& stats, const Gauges& gauges, const std::optional<Moment>& moment) {
  OrderedJson json;
  json["schedule"] = nullptr;
  if (moment) {
    json["schedule"] = {{"since_first_request_ms", std::chrono::duration_cast<Millis>(moment->since_start).count()},
                        {"failure_rate", moment->conditions.failure_rate},
                        {"slow", moment->conditions.slow}};
  }
  json["connections"] = {{"accepted", gauges.connections_accepted}, {"open", gauges.connections_open}};
  json["requests"] = {{"received", gauges.requests_received}, {"active", gauges.requests_active}};
  json["finished"] = tally_json(stats.all);
  json["credentials"] = OrderedJson::object();
  for (const auto& [credential, tally] : stats.by_credential) json["credentials"][credential] = tally_json(tally);
  return text_of_json(json);
}

}  // namespace tollgate::simulator
