// Numbers of other people's files as they were written, exponents included: a price goes through no floating point on
// its way.
#include "config/exact_number.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace tollgate::config {

namespace {

constexpr std::size_t most_digits = 18;
constexpr std::size_t longest_number = 64;

/// Builds the value, with a string for each number. nlohmann calls it without recursion, so depth costs no stack.
class TextNumbers final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return put(text); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool key(string_t& name) override {
    keys_.back() = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

  Json result = Json(Json::value_t::discarded);

 private:
  bool put(Json value) {
    if (open_.empty()) {
      result = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().push_back(std::move(value));
    } else {
      open_.back()[keys_.back()] = std::move(value);
    }
    return true;
  }
  bool open(Json value) {
    constexpr std::size_t deepest = 64;
    open_.push_back(std::move(value));
    keys_.emplace_back();
    return open_.size() <= deepest;
  }
  bool close() {
    Json value = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return put(std::move(value));
  }

  std::vector<Json> open_;
  std::vector<std::string> keys_;
};

}  // namespace

std::optional<std::int64_t> exactly(std::string_view number, int shift) {
  if (number.empty() || number.size() > longest_number) return std::nullopt;
  std::string digits;
  bool part = false;
  const std::size_t mantissa = std::min(number.find_first_of("eE"), number.size());
  for (const char c : number.substr(0, mantissa)) {
    const bool point = c == '.' && !part;
    if (!point && (c < '0' || c > '9')) return std::nullopt;
    if (point) part = true;
    if (point) continue;
    digits += c;
    if (part) --shift;
  }
  if (digits.empty()) return std::nullopt;
  if (mantissa < number.size()) {
    std::string_view power = number.substr(mantissa + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    int exponent = 0;
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc() || end != power.data() + power.size() || exponent > 1000 || exponent < -1000)
      return std::nullopt;
    shift += exponent;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return 0;
  for (; digits.back() == '0'; digits.pop_back()) ++shift;
  if (shift < 0 || digits.size() + static_cast<std::size_t>(shift) > most_digits) return std::nullopt;
  digits.append(static_cast<std::size_t>(shift), '0');
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Json parse_with_exact_numbers(std::string_view json) {
  TextNumbers numbers;
  if (!Json::sax_parse(json, &numbers)) return Json(Json::value_t::discarded);
  return std::move(numbers.result);
}

}  // namespace tollgate::config
