#include "io/storage/ledger/files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>

namespace tollgate::io::ledger {

namespace {

constexpr std::string_view prefix = "ledger-", suffix = ".db";

}  // namespace

Month month_of(SystemTime time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  return {date.year(), date.month()};
}

SystemTime begin_of(Month month) { return std::chrono::sys_days(month / 1); }

std::string file_name(Month month) {
  std::array<char, 48> text{};
  const int size = std::snprintf(text.data(), text.size(), "ledger-%04d-%02u.db", static_cast<int>(month.year()),
                                 static_cast<unsigned>(month.month()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<Month> month_named(std::string_view file_name) {
  if (!file_name.starts_with(prefix) || !file_name.ends_with(suffix)) return std::nullopt;
  const std::string_view date = file_name.substr(prefix.size(), file_name.size() - prefix.size() - suffix.size());
  int year = 0;
  unsigned month = 0;
  if (date.size() != 7 || date[4] != '-') return std::nullopt;
  std::from_chars(date.data(), date.data() + 4, year);
  std::from_chars(date.data() + 5, date.data() + 7, month);
  const Month found{std::chrono::year(year), std::chrono::month(month)};
  // Only what file_name() makes: "+123-1x" is some other file.
  if (!found.ok() || ledger::file_name(found) != file_name) return std::nullopt;
  return found;
}

std::vector<Month> months_in(const std::string& folder) {
  std::vector<Month> months;
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(folder, failed);
       !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (const auto month = month_named(entry->path().filename().string())) months.push_back(*month);
  }
  std::sort(months.begin(), months.end());
  return months;
}

std::string path_of(const std::string& folder, Month month) { return folder + "/" + file_name(month); }

}  // namespace tollgate::io::ledger
