#include "tollgate/protocol/anthropic/models_list.hpp"

#include "tollgate/base/instant.hpp"

#include "protocol/json_write.hpp"

#include <algorithm>
#include <chrono>

namespace tollgate::protocol::anthropic {
namespace {

using json::Writer;

void write_model(Writer& out, const ListedModel& model) {
  out.open_object().key("type").raw("\"model\"").key("id").text(model.id);
  out.key("display_name").text(model.display_name.empty() ? model.id : model.display_name);
  out.key("created_at").text(show_instant(SystemTime(std::chrono::seconds(model.created)))).close_object();
}

}  // namespace

std::string models_page(std::span<const ListedModel> models, const PageWish& wish) {
  const std::size_t limit = std::clamp<std::size_t>(wish.limit, 1, most_models_a_page);
  const bool backward = wish.after_id.empty() && !wish.before_id.empty();
  std::span<const ListedModel> rest = models;
  if (const std::string_view edge = backward ? wish.before_id : wish.after_id; !edge.empty()) {
    const auto at = std::ranges::find(models, edge, &ListedModel::id);
    const auto place = static_cast<std::size_t>(at - models.begin());
    rest = at == models.end() ? models.first(0) : backward ? models.first(place) : models.subspan(place + 1);
  }
  const std::size_t size = std::min(limit, rest.size());
  const std::span<const ListedModel> page = backward ? rest.last(size) : rest.first(size);
  std::string body;
  Writer out(body);
  out.open_object().key("data").open_array();
  for (const ListedModel& model : page) write_model(out, model);
  out.close_array().key("has_more").boolean(size < rest.size());
  if (page.empty()) {
    out.key("first_id").null().key("last_id").null();
  } else {
    out.key("first_id").text(page.front().id).key("last_id").text(page.back().id);
  }
  out.close_object();
  return body;
}

std::string model_body(const ListedModel& model) {
  std::string body;
  Writer out(body);
  write_model(out, model);
  return body;
}

}  // namespace tollgate::protocol::anthropic
