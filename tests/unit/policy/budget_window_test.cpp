// Where windows begin and end, to the second, in zones that make it hard. The changes of the zones are those of the
// IANA database, written down by hand.
#include "tollgate/policy/budget_window.hpp"

#include "unit/policy/budget_helpers.hpp"

#include <stdexcept>

namespace tollgate::policy {
namespace {

using namespace budget_test;

std::string shown(Window window, const Zone& zone, std::string_view now) {
  const WindowSpan span = window_at(window, *zone, at(now));
  EXPECT_TRUE(span.contains(at(now)));
  return show_instant(span.begin) + " " + show_instant(span.end);
}
std::string utc(Window window, std::string_view now) { return shown(window, TimeZone::utc(), now); }

Zone new_york() {
  return zone("America/New_York", -5 * 3600,
              {{"2026-03-08T07:00:00Z", -4 * 3600}, {"2026-11-01T06:00:00Z", -5 * 3600}});
}
Zone berlin() {
  return zone("Europe/Berlin", 3600, {{"2026-03-29T01:00:00Z", 2 * 3600}, {"2026-10-25T01:00:00Z", 3600}});
}

TEST(BudgetWindow, follows_the_calendar_in_utc) {
  EXPECT_EQ(utc(Window::hour, "2026-11-22T10:59:59Z"), "2026-11-22T10:00:00Z 2026-11-22T11:00:00Z");
  EXPECT_EQ(utc(Window::day, "2026-11-22T23:59:59Z"), "2026-11-22T00:00:00Z 2026-11-23T00:00:00Z");
  EXPECT_EQ(utc(Window::month, "2028-02-29T12:00:00Z"), "2028-02-01T00:00:00Z 2028-03-01T00:00:00Z");
  EXPECT_EQ(utc(Window::month, "2026-12-31T23:59:59Z"), "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(utc(Window::year, "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z");
}

TEST(BudgetWindow, begins_weeks_on_monday_and_quarters_with_their_first_month) {
  EXPECT_EQ(utc(Window::week, "2026-11-22T23:59:59Z"), "2026-11-16T00:00:00Z 2026-11-23T00:00:00Z");  // a Sunday
  EXPECT_EQ(utc(Window::week, "2026-11-23T00:00:00Z"), "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z");
  EXPECT_EQ(utc(Window::week, "2027-01-01T00:00:00Z"), "2026-12-28T00:00:00Z 2027-01-04T00:00:00Z");
  EXPECT_EQ(utc(Window::quarter, "2026-03-31T23:59:59Z"), "2026-01-01T00:00:00Z 2026-04-01T00:00:00Z");
  EXPECT_EQ(utc(Window::quarter, "2026-04-01T00:00:00Z"), "2026-04-01T00:00:00Z 2026-07-01T00:00:00Z");
  EXPECT_EQ(utc(Window::quarter, "2026-11-22T00:00:00Z"), "2026-10-01T00:00:00Z 2027-01-01T00:00:00Z");
}

TEST(BudgetWindow, has_one_window_of_all_time) {
  const WindowSpan span = window_at(Window::total, *TimeZone::utc(), start);
  EXPECT_EQ(span.key(), 0);
  EXPECT_EQ(span.end, SystemTime::max());
  EXPECT_EQ(span, window_at(Window::total, *fixed("Asia/Tokyo", 9 * 3600), start + hours(1'000'000)));
}

TEST(BudgetWindow, resets_at_the_exact_instant_of_local_midnight) {
  const Zone tokyo = fixed("Asia/Tokyo", 9 * 3600);
  EXPECT_EQ(shown(Window::day, tokyo, "2026-11-22T14:59:59Z"), "2026-11-21T15:00:00Z 2026-11-22T15:00:00Z");
  EXPECT_EQ(shown(Window::day, tokyo, "2026-11-22T15:00:00Z"), "2026-11-22T15:00:00Z 2026-11-23T15:00:00Z");
  const Zone bogota = fixed("America/Bogota", -5 * 3600);
  EXPECT_EQ(shown(Window::day, bogota, "2026-11-22T04:59:59Z"), "2026-11-21T05:00:00Z 2026-11-22T05:00:00Z");
  EXPECT_EQ(shown(Window::day, bogota, "2026-11-22T05:00:00Z"), "2026-11-22T05:00:00Z 2026-11-23T05:00:00Z");
  EXPECT_EQ(shown(Window::month, tokyo, "2026-10-31T15:00:00Z"), "2026-10-31T15:00:00Z 2026-11-30T15:00:00Z");
  const SystemTime midnight = at("2026-11-22T15:00:00Z");
  EXPECT_EQ(window_at(Window::day, *tokyo, midnight - nanoseconds(1)).end, midnight);
  EXPECT_EQ(window_at(Window::day, *tokyo, midnight).begin, midnight);
}

TEST(BudgetWindow, is_23_and_25_hours_long_on_the_days_when_clocks_change) {
  EXPECT_EQ(shown(Window::day, new_york(), "2026-03-08T12:00:00Z"), "2026-03-08T05:00:00Z 2026-03-09T04:00:00Z");
  EXPECT_EQ(shown(Window::day, new_york(), "2026-11-01T12:00:00Z"), "2026-11-01T04:00:00Z 2026-11-02T05:00:00Z");
  EXPECT_EQ(shown(Window::day, berlin(), "2026-03-29T12:00:00Z"), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");
  EXPECT_EQ(shown(Window::day, berlin(), "2026-10-25T12:00:00Z"), "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
  EXPECT_EQ(shown(Window::month, berlin(), "2026-10-25T12:00:00Z"), "2026-09-30T22:00:00Z 2026-10-31T23:00:00Z");
  EXPECT_EQ(shown(Window::year, new_york(), "2026-07-01T00:00:00Z"), "2026-01-01T05:00:00Z 2027-01-01T05:00:00Z");
}

TEST(BudgetWindow, has_hours_of_60_minutes_also_where_the_clock_shows_one_twice) {
  EXPECT_EQ(shown(Window::hour, berlin(), "2026-10-25T00:59:59Z"), "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z");
  EXPECT_EQ(shown(Window::hour, berlin(), "2026-10-25T01:00:00Z"), "2026-10-25T01:00:00Z 2026-10-25T02:00:00Z");
  // The clock is set back at one minute past midnight.
  const Zone st_johns = zone("America/St_Johns", -9000, {{"2010-11-07T02:31:00Z", -12600}});
  EXPECT_EQ(shown(Window::hour, st_johns, "2010-11-07T02:30:30Z"), "2010-11-07T02:30:00Z 2010-11-07T03:30:00Z");
  EXPECT_EQ(shown(Window::hour, st_johns, "2010-11-07T02:31:00Z"), "2010-11-07T02:30:00Z 2010-11-07T03:30:00Z");
}

TEST(BudgetWindow, begins_hours_with_the_clock_in_zones_with_half_hours) {
  const Zone kolkata = fixed("Asia/Kolkata", 5 * 3600 + 1800);
  EXPECT_EQ(shown(Window::hour, kolkata, "2026-11-22T10:29:59Z"), "2026-11-22T09:30:00Z 2026-11-22T10:30:00Z");
  EXPECT_EQ(shown(Window::day, kolkata, "2026-11-22T18:30:00Z"), "2026-11-22T18:30:00Z 2026-11-23T18:30:00Z");
  const Zone kathmandu = fixed("Asia/Kathmandu", 5 * 3600 + 2700);
  EXPECT_EQ(shown(Window::hour, kathmandu, "2026-11-22T10:15:00Z"), "2026-11-22T10:15:00Z 2026-11-22T11:15:00Z");
}

TEST(BudgetWindow, cuts_an_hour_where_clocks_change_by_half_of_one) {
  const Zone lord_howe = zone("Australia/Lord_Howe", 11 * 3600, {{"2026-04-04T15:00:00Z", 10 * 3600 + 1800}});
  EXPECT_EQ(shown(Window::hour, lord_howe, "2026-04-04T14:59:59Z"), "2026-04-04T14:00:00Z 2026-04-04T15:00:00Z");
  EXPECT_EQ(shown(Window::hour, lord_howe, "2026-04-04T15:10:00Z"), "2026-04-04T15:00:00Z 2026-04-04T15:30:00Z");
  EXPECT_EQ(shown(Window::hour, lord_howe, "2026-04-04T15:30:00Z"), "2026-04-04T15:30:00Z 2026-04-04T16:30:00Z");
}

TEST(BudgetWindow, begins_a_day_whose_midnight_does_not_exist_when_the_clock_jumps_over_it) {
  const Zone sao_paulo = zone("America/Sao_Paulo", -3 * 3600, {{"2018-11-04T03:00:00Z", -2 * 3600}});
  EXPECT_EQ(shown(Window::day, sao_paulo, "2018-11-04T02:59:59Z"), "2018-11-03T03:00:00Z 2018-11-04T03:00:00Z");
  EXPECT_EQ(shown(Window::day, sao_paulo, "2018-11-04T03:00:00Z"), "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z");
}

TEST(BudgetWindow, begins_a_day_at_the_first_of_two_midnights) {
  const Zone havana = zone("America/Havana", -4 * 3600, {{"2026-11-01T05:00:00Z", -5 * 3600}});  // 01:00 is 00:00 again
  EXPECT_EQ(shown(Window::day, havana, "2026-11-01T05:10:00Z"), "2026-11-01T04:00:00Z 2026-11-02T05:00:00Z");
  const Zone sao_paulo = zone("America/Sao_Paulo", -2 * 3600, {{"2018-02-18T02:00:00Z", -3 * 3600}});
  EXPECT_EQ(shown(Window::day, sao_paulo, "2018-02-18T02:30:00Z"), "2018-02-17T02:00:00Z 2018-02-18T03:00:00Z");
  // 00:01 is 23:01 of the day before again, whose window does not come back.
  const Zone st_johns = zone("America/St_Johns", -9000, {{"2010-11-07T02:31:00Z", -12600}});
  EXPECT_EQ(shown(Window::day, st_johns, "2010-11-07T02:30:30Z"), "2010-11-07T02:30:00Z 2010-11-08T03:30:00Z");
  EXPECT_EQ(shown(Window::day, st_johns, "2010-11-07T02:45:00Z"), "2010-11-07T02:30:00Z 2010-11-08T03:30:00Z");
}

TEST(BudgetWindow, leaves_out_a_day_that_a_zone_never_had) {
  const Zone apia = zone("Pacific/Apia", -10 * 3600, {{"2011-12-30T10:00:00Z", 14 * 3600}});
  EXPECT_EQ(shown(Window::day, apia, "2011-12-30T09:59:59Z"), "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z");
  EXPECT_EQ(shown(Window::day, apia, "2011-12-30T10:00:00Z"), "2011-12-30T10:00:00Z 2011-12-31T10:00:00Z");
}

TEST(BudgetWindow, finds_windows_by_their_names) {
  for (const std::string_view name : window_names) EXPECT_EQ(name_of(window_of(name).value()), name);
  EXPECT_FALSE(window_of("fortnight"));
}

TEST(TimeZone, refuses_a_table_that_no_clock_follows) {
  EXPECT_THROW(TimeZone("x", 0, {{5, 0}, {5, 3600}}), std::invalid_argument);
  EXPECT_THROW(TimeZone("x", 27 * 3600, {}), std::invalid_argument);
  EXPECT_THROW(TimeZone("x", 0, {{5, -27 * 3600}}), std::invalid_argument);
}

}  // namespace
}  // namespace tollgate::policy
