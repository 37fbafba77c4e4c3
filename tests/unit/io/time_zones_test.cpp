// Every zone of the machine's database, taken into a table of ours, against the library that knows the database.
#include "tollgate/io/time_zones.hpp"

#include "tollgate/policy/budget_window.hpp"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tollgate::io {
namespace {

using date::days;
using date::local_days;
using date::sys_seconds;

const sys_seconds first = date::sys_days(date::year(1971) / 1 / 1);
const sys_seconds last = date::sys_days(date::year(2036) / 1 / 1);

/// When a date begins: the first moment at which a clock shows it, or what is after it.
sys_seconds begin_of(const date::time_zone& zone, local_days date) {
  return date::floor<seconds>(zone.to_sys(date, date::choose::earliest));
}

/// Moments by chance, and those around the zone's changes, where faults would hide.
std::vector<sys_seconds> moments(const date::time_zone& zone, std::mt19937& random) {
  std::vector<sys_seconds> all;
  std::uniform_int_distribution<std::int64_t> any(first.time_since_epoch().count(), last.time_since_epoch().count());
  for (int i = 0; i < 40; ++i) all.emplace_back(seconds(any(random)));
  for (date::sys_info info = zone.get_info(first); info.end < last; info = zone.get_info(info.end)) {
    for (const int around : {-7200, -1801, -1, 0, 1, 59, 1800, 3600, 86'400}) all.push_back(info.end + seconds(around));
  }
  return all;
}

TEST(TimeZones, show_the_same_time_and_begin_days_at_the_same_moments_as_the_database) {
  std::mt19937 random(1);
  const auto names = time_zone_names();
  ASSERT_GT(names.size(), 300u) << "the package tzdata is missing";
  std::size_t compared = 0;
  for (const std::string& name : names) {
    const date::time_zone& expected = *date::locate_zone(name);
    const auto zone = read_time_zone(name);
    ASSERT_TRUE(zone) << name;
    for (const sys_seconds now : moments(expected, random)) {
      ++compared;
      const std::int64_t at = now.time_since_epoch().count();
      ASSERT_EQ((*zone)->local(at), expected.to_local(now).time_since_epoch().count()) << name << " " << at;
      local_days date = date::floor<days>(expected.to_local(now));
      while (begin_of(expected, date + days(1)) <= now) date += days(1);
      const auto day = policy::window_at(policy::Window::day, **zone, SystemTime(seconds(at)));
      ASSERT_EQ(day.key(), begin_of(expected, date).time_since_epoch().count()) << name << " " << at;
      ASSERT_TRUE(day.contains(SystemTime(seconds(at)))) << name << " " << at;
    }
  }
  EXPECT_GT(compared, 100'000u);
}

TEST(TimeZones, know_the_two_days_of_the_year_when_clocks_change) {
  const auto berlin = read_time_zone("Europe/Berlin").value();
  EXPECT_EQ(berlin->name(), "Europe/Berlin");
  const auto length = [&](date::sys_days noon) {
    const auto day = policy::window_at(policy::Window::day, *berlin, SystemTime(noon + std::chrono::hours(12)));
    return std::chrono::duration_cast<std::chrono::hours>(day.end - day.begin).count();
  };
  EXPECT_EQ(length(date::year(2026) / 3 / 29), 23);
  EXPECT_EQ(length(date::year(2026) / 10 / 25), 25);
  EXPECT_EQ(length(date::year(2026) / 10 / 26), 24);
}

TEST(TimeZones, say_which_one_there_is_not) {
  const auto unknown = read_time_zone("Mars/Olympus");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("Mars/Olympus"), std::string::npos);
  for (const char* path : {"../../../etc/passwd", "/etc/passwd", ""}) EXPECT_FALSE(read_time_zone(path)) << path;
}

}  // namespace
}  // namespace tollgate::io
