// The models that a caller may name, in the words of the API that it speaks.
#include "tollgate/protocol/anthropic/models_list.hpp"
#include "tollgate/protocol/openai/request.hpp"

#include "admin/query.hpp"
#include "session.hpp"

#include <charconv>

namespace tollgate::server {

namespace {

constexpr std::string_view json = "application/json";

std::string model_object(const std::string& name) {
  return "{\"id\":" + protocol::openai::quote(name) + ",\"object\":\"model\",\"created\":0,\"owned_by\":\"tollgate\"}";
}

std::string model_list(const std::vector<std::string>& names) {
  std::string list = "{\"object\":\"list\",\"data\":[";
  for (const std::string& name : names) list.append(&name == names.data() ? "" : ",").append(model_object(name));
  return list + "]}";
}

/// A value of a query; empty: there is none.
std::string value_of(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
      return admin::unescaped(part.substr(name.size() + 1));
  }
  return {};
}

std::string model_page(const std::vector<std::string>& names, std::string_view query) {
  const std::string after = value_of(query, "after_id"), before = value_of(query, "before_id");
  const std::string limit = value_of(query, "limit");
  protocol::anthropic::PageWish wish{after, before, protocol::anthropic::most_models_a_page};
  std::from_chars(limit.data(), limit.data() + limit.size(), wish.limit);
  std::vector<protocol::anthropic::ListedModel> models(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) models[i].id = names[i];
  return protocol::anthropic::models_page(models, wish);
}

}  // namespace

void Session::answer_models() {
  const config::Snapshot& snapshot = *world().snapshot;
  const std::string& id = request_->route.model_id;
  const bool to_anthropic = request_->route.surface == protocol::Surface::anthropic;
  const auto may_call = [this, &snapshot](const config::Resolution& resolution) {
    return request_->caller.may_call(snapshot, resolution);
  };
  std::string body;
  if (id.empty()) {
    const std::vector<std::string> names = snapshot.listed_names(may_call);
    body = to_anthropic ? model_page(names, request_->inbound.query) : model_list(names);
  } else if (const auto named = snapshot.resolve(id); named.model && may_call(named)) {
    body = to_anthropic ? protocol::anthropic::model_body({.id = id, .display_name = {}}) : model_object(id);
  } else {
    return refuse({FailureKind::model_not_found,
                   Source::client,
                   "the model '" + id.substr(0, 128) + "' does not exist here",
                   {},
                   "model"});
  }
  pipeline::RequestRecord record;
  begin_record(record);
  record.status = 200;
  reply(200, json, body, id_fields());
  record.ended_by = pipeline::EndedBy::gateway;
  record.phase = pipeline::Phase::done;
  close_record(record);
}

}  // namespace tollgate::server
