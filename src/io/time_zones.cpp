#include "tollgate/io/time_zones.hpp"

#include <date/tz.h>

#include <exception>

namespace tollgate::io {

namespace {

constexpr date::sys_seconds first_moment = date::sys_days(date::year(1970) / 1 / 1);
constexpr date::sys_seconds last_moment = date::sys_days(date::year(2262) / 1 / 1);  // where SystemTime ends

std::int32_t seconds_of(const date::sys_info& info) { return static_cast<std::int32_t>(info.offset.count()); }

policy::TimeZone table_of(const std::string& name, const date::time_zone& zone) {
  date::sys_info info = zone.get_info(first_moment);
  const std::int32_t first_offset = seconds_of(info);
  std::int32_t offset = first_offset;
  std::vector<policy::TimeZone::Change> changes;
  while (info.end < last_moment) {
    const date::sys_seconds at = info.end;
    info = zone.get_info(at);
    // A change of the name alone changes no clock.
    if (seconds_of(info) != offset) changes.push_back({at.time_since_epoch().count(), seconds_of(info)});
    offset = seconds_of(info);
  }
  return {name, first_offset, std::move(changes)};
}

}  // namespace

Result<std::shared_ptr<const policy::TimeZone>> read_time_zone(const std::string& name) {
  try {
    return std::make_shared<const policy::TimeZone>(table_of(name, *date::locate_zone(name)));
  } catch (const std::exception& fault) {  // how the library says that there is no such zone, or no database
    return Failure{.kind = FailureKind::internal, .source = Source::gateway, .message = fault.what()};
  }
}

std::vector<std::string> time_zone_names() {
  std::vector<std::string> names;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::exception&) {
    names.clear();
  }
  return names;
}

}  // namespace tollgate::io
