#include "config/units.hpp"
// Numbers with units, both ways. What is printed parses again to the same value, so the effective configuration can be
// compared with the file.

#include "tollgate/base/ascii.hpp"
#include "tollgate/base/money.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace tollgate::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: printing takes the first that divides the value.
constexpr std::array<Unit, 5> time_units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 3> short_time_units{{{"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};
constexpr std::array<Unit, 7> size_units{{{"GiB", 1ull << 30},
                                          {"MiB", 1ull << 20},
                                          {"KiB", 1ull << 10},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1'000},
                                          {"B", 1}}};
constexpr std::uint64_t largest = 1ull << 53;  // far above every bound, far below an overflow

struct Split {
  std::string_view digits, unit;
};
Split split(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  return {text.substr(0, end), text.substr(end)};
}

struct Wording {
  std::string_view what, units, example, bare_unit;
};

template <std::size_t N>
Parsed<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units, const Wording& wording) {
  const auto [digits, unit_name] = split(text);
  const std::string what(wording.what);
  if (digits.empty()) return Problem{"expected " + what, "write it like " + std::string(wording.example)};
  const auto number = parse_count(digits);
  if (!number) return number.error();
  if (unit_name.empty()) {
    return Problem{what + " needs a unit", "did you mean '" + std::string(digits) + std::string(wording.bare_unit) +
                                               "'? Units are " + std::string(wording.units)};
  }
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    if (*number > largest / unit.factor) return Problem{"the value is too large"};
    return *number * unit.factor;
  }
  return Problem{"unknown unit in " + what, "write a whole number and a unit; units are " + std::string(wording.units)};
}

template <std::size_t N>
std::string show_with_unit(std::uint64_t value, const std::array<Unit, N>& units, std::string_view unit_of_zero) {
  if (value == 0) return "0" + std::string(unit_of_zero);
  for (const Unit& unit : units) {
    const bool decimal_size = unit.factor >= 1'000 && unit.factor % 1'000 == 0 && unit.name.ends_with('B');
    if (!decimal_size && value % unit.factor == 0) return std::to_string(value / unit.factor) + std::string(unit.name);
  }
  return {};  // the last unit's factor is 1
}

}  // namespace

Parsed<Millis> parse_duration(std::string_view text) {
  const auto millis = parse_with_unit(text, time_units, {"a duration", "ms, s, m, h, d", "10s", "s"});
  if (!millis) return millis.error();
  return Millis(static_cast<Millis::rep>(*millis));
}

std::string show_duration(Millis value) {
  return show_with_unit(static_cast<std::uint64_t>(value.count()), time_units, "s");
}

Parsed<Micros> parse_short_duration(std::string_view text) {
  const auto micros = parse_with_unit(text, short_time_units, {"a short duration", "us, ms, s", "50us", "us"});
  if (!micros) return micros.error();
  return Micros(static_cast<Micros::rep>(*micros));
}

std::string show_short_duration(Micros value) {
  return show_with_unit(static_cast<std::uint64_t>(value.count()), short_time_units, "us");
}

Parsed<std::size_t> parse_size(std::string_view text) {
  return parse_with_unit(text, size_units, {"a size", "B, KiB, MiB, GiB, KB, MB, GB", "32KiB", "B"});
}

std::string show_size(std::size_t bytes) { return show_with_unit(bytes, size_units, "B"); }

Parsed<double> parse_share(std::string_view text) {
  if (!text.ends_with('%')) {
    const auto bare = parse_number(text);
    if (!bare) return Problem{"expected a percentage", "write it like 25%"};
    return Problem{"a percentage needs its sign",
                   "did you mean '" + show_share(*bare <= 1 ? *bare : *bare / 100) + "'?"};
  }
  const auto percent = parse_number(text.substr(0, text.size() - 1));
  if (!percent) return Problem{"expected a percentage", "write it like 25%"};
  if (*percent > 100) return Problem{"a percentage must be from 0% to 100%"};
  return *percent / 100;
}

std::string show_share(double share) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), share * 100, std::chars_format::general, 10);
  return std::string(text.data(), end.ptr) + "%";
}

Parsed<std::int64_t> parse_millionths(std::string_view text) {
  constexpr std::int64_t nanos_per_millionth = 100'000;  // of a percentage read as money: 1 % is 10,000 millionths
  if (!text.ends_with('%')) return Problem{"expected a percentage", "write it like 25%"};
  const auto percent = parse_money(text.substr(0, text.size() - 1));
  if (!percent || percent->nanos % nanos_per_millionth != 0)
    return Problem{"expected a percentage with at most four places", "write it like 12.5%"};
  return percent->nanos / nanos_per_millionth;
}

std::string show_millionths(std::int64_t share) {
  constexpr std::int64_t nanos_per_millionth = 100'000;
  return std::string(MoneyText(Money{share * nanos_per_millionth}).text()) + "%";
}

Parsed<Money> parse_usd(std::string_view text) {
  constexpr std::string_view currency = " USD";
  if (text.ends_with(currency)) {
    if (const auto amount = parse_money(text.substr(0, text.size() - currency.size()))) return *amount;
  }
  return Problem{"expected an amount in US dollars", "write it like 500 USD or 0.05 USD"};
}

std::string show_usd(Money amount) { return std::string(MoneyText(amount).text()) + " USD"; }

Parsed<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return Problem{"the value is too large"};
  if (error != std::errc() || end != text.data() + text.size()) return Problem{"expected a whole number"};
  return value;
}

Parsed<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return Problem{"expected a number"};
  if (std::signbit(value)) return Problem{"the value must not be negative"};
  return value;
}

}  // namespace tollgate::config
