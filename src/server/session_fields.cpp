// The header fields that a client means for the gateway (product.md, section 5). They are never passed on, and one that
// cannot be understood ends the request: what it asked for would be missing without a word.
#include "tollgate/base/money.hpp"
#include "tollgate/policy/tags.hpp"

#include "session.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::server {

using protocol::http::equals_ignoring_case;

bool Session::refuse_field(std::string_view field, std::string_view what) {
  refuse({FailureKind::bad_request,
          Source::client,
          std::string(field).append(" must be ").append(what),
          {},
          std::string(field)});
  return false;
}

bool Session::read_priority(const Head& head) {
  const auto* field = head.fields.find("x-tollgate-priority");
  if (!field) return true;
  auto priority = policy::priority_of(field->value);
  if (!priority) return refuse_field("x-tollgate-priority", "low, normal or high");
  if (const auto& key = request_->caller.key) priority = std::min(*priority, key->key.settings.max_priority);
  request_->inbound.priority = priority;
  return true;
}

bool Session::read_own_fields(const Head& head) {
  Request& request = *request_;
  if (const auto* timeout = head.fields.find("x-tollgate-timeout-ms")) {
    std::uint32_t millis = 0;
    const char* end = timeout->value.data() + timeout->value.size();
    const auto parsed = std::from_chars(timeout->value.data(), end, millis);
    if (parsed.ec != std::errc{} || parsed.ptr != end || millis == 0) {
      return refuse_field("x-tollgate-timeout-ms", "a whole number of milliseconds above 0");
    }
    request.inbound.timeout = Millis(millis);
  }
  request.inbound.end_user = head.fields.value("x-tollgate-user");
  request.inbound.task = head.fields.value("x-tollgate-task");
  return read_priority(head) && read_money_fields(head);
}

bool Session::read_money_fields(const Head& head) {
  const auto wishes = [&money = request_->inbound.money]() -> pipeline::MoneyWishes& {
    if (!money) money = std::make_unique<pipeline::MoneyWishes>();
    return *money;
  };
  if (const auto* max_cost = head.fields.find("x-tollgate-max-cost")) {
    const auto amount = parse_money(max_cost->value);
    if (!amount) return refuse_field("x-tollgate-max-cost", "an amount in USD, such as 0.05");
    wishes().max_cost = amount;
  }
  if (const auto* tags = head.fields.find("x-tollgate-tags")) {
    const config::Tenant* tenant = request_->caller.tenant;
    auto read = policy::read_tags(tags->value, world().snapshot->request_tags,
                                  tenant ? tenant->tags : std::vector<policy::Tag>());
    if (!read) {
      refuse(read.error());
      return false;
    }
    wishes().tags = std::move(*read);
  }
  if (const std::string_view id = head.fields.value("x-tollgate-task-id"); !id.empty()) {
    if (!is_plain_id(id))
      return refuse_field("x-tollgate-task-id", "1 to 128 visible ASCII characters without quotes and backslashes");
    wishes().task_id = id;
  }
  if (equals_ignoring_case(head.fields.value("x-tollgate-include"), "cost")) wishes().include_cost = true;
  return true;
}

}  // namespace tollgate::server
