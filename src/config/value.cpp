#include "config/value.hpp"
// The scalars that most keys are made of. Each knows how it is read, shown and described, so that the tables only have
// to name it.

#include "tollgate/base/instant.hpp"

#include "config/words.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

namespace tollgate::config {

namespace {

constexpr std::size_t longest_name = 128;

template <class T, class Show>
std::optional<Problem> out_of(const T& value, const Bounds<T>& bounds, Show show) {
  if (value >= bounds.least && value <= bounds.most) return std::nullopt;
  return Problem{"the value must be from " + show(bounds.least) + " to " + show(bounds.most)};
}

std::string show_plain(std::size_t value) { return std::to_string(value); }
std::string show_decimal(double value) { return Json(value).dump(); }

/// A scalar that `parse` understands, held within bounds.
template <class T, class Parse, class Show, class Put>
std::function<std::optional<Problem>(const std::string&, const Place&)> reader(Parse parse, Bounds<T> bounds, Show show,
                                                                               Put put) {
  return [=](const std::string& text, const Place&) -> std::optional<Problem> {
    const auto value = parse(text);
    if (!value) return value.error();
    if (auto problem = out_of<T>(*value, bounds, show)) return problem;
    put(*value);
    return std::nullopt;
  };
}

Json text_schema(const std::string& pattern) {
  return pattern.empty() ? Json{{"type", "string"}} : Json{{"type", "string"}, {"pattern", pattern}};
}

const std::string duration_pattern = "^[0-9]+(ms|s|m|h|d)$";

}  // namespace

Scalar duration(Millis& value, Bounds<Millis> bounds) {
  return {text_schema(duration_pattern),
          reader(parse_duration, bounds, show_duration, [&value](Millis read) { value = read; }),
          [&value] { return Json(show_duration(value)); }};
}

Scalar duration(std::optional<Millis>& value, Bounds<Millis> bounds) {
  return {text_schema(duration_pattern),
          reader(parse_duration, bounds, show_duration, [&value](Millis read) { value = read; }),
          [&value] { return value ? Json(show_duration(*value)) : Json(); }};
}

Scalar short_duration(Micros& value, Bounds<Micros> bounds) {
  return {text_schema("^[0-9]+(us|ms|s)$"),
          reader(parse_short_duration, bounds, show_short_duration, [&value](Micros read) { value = read; }),
          [&value] { return Json(show_short_duration(value)); }};
}

Scalar size(std::size_t& bytes, Bounds<std::size_t> bounds) {
  return {text_schema("^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$"),
          reader(parse_size, bounds, show_size, [&bytes](std::size_t read) { bytes = read; }),
          [&bytes] { return Json(show_size(bytes)); }};
}

Scalar count(std::size_t& value, Bounds<std::size_t> bounds) {
  return {{{"type", "integer"}, {"minimum", bounds.least}, {"maximum", bounds.most}},
          reader(parse_count, bounds, show_plain, [&value](std::size_t read) { value = read; }),
          [&value] { return Json(value); }};
}

Scalar count(std::optional<std::uint64_t>& value, Bounds<std::size_t> bounds) {
  return {{{"type", "integer"}, {"minimum", bounds.least}, {"maximum", bounds.most}},
          reader(parse_count, bounds, show_plain, [&value](std::size_t read) { value = read; }),
          [&value] { return value ? Json(*value) : Json(); }};
}

Scalar flag(bool& value) {
  return {{{"type", "boolean"}},
          [&value](const std::string& read, const Place&) -> std::optional<Problem> {
            if (read != "true" && read != "false") return Problem{"expected true or false"};
            value = read == "true";
            return std::nullopt;
          },
          [&value] { return Json(value); }};
}

Scalar instant(std::optional<SystemTime>& value) {
  return {text_schema("^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?Z)?$"),
          [&value](const std::string& read, const Place&) -> std::optional<Problem> {
            value = parse_instant(read);
            if (value) return std::nullopt;
            return Problem{"expected a date or a moment in UTC", "write it like 2027-01-31 or 2027-01-31T18:00:00Z"};
          },
          [&value] { return value ? Json(show_instant(*value)) : Json(); }};
}

Scalar number(double& value, Bounds<double> bounds) {
  return {{{"type", "number"}, {"minimum", bounds.least}, {"maximum", bounds.most}},
          reader(parse_number, bounds, show_decimal, [&value](double read) { value = read; }),
          [&value] { return Json(value); }};
}

Scalar share(double& value) {
  return {text_schema("^[0-9]+([.][0-9]+)?%$"),
          reader(parse_share, Bounds<double>{0, 1}, show_share, [&value](double read) { value = read; }),
          [&value] { return Json(show_share(value)); }};
}

Scalar money(Money& value, Bounds<Money> bounds) {
  return {text_schema("^[0-9]+([.][0-9]{1,9})? USD$"),
          reader(parse_usd, bounds, show_usd, [&value](Money read) { value = read; }),
          [&value] { return Json(show_usd(value)); }};
}

Scalar text(std::string& value, Check check, std::string pattern) {
  return {text_schema(pattern),
          [&value, check](const std::string& read, const Place&) {
            auto problem = check(read);
            if (!problem) value = read;
            return problem;
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

Scalar secret(Secret& value, bool may_be_empty) {
  return {text_schema(""),
          [&value, may_be_empty](const std::string& read, const Place&) -> std::optional<Problem> {
            if (read.empty() && !may_be_empty) return Problem{"the secret is empty"};
            const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
            if (!std::all_of(read.begin(), read.end(), visible))
              return Problem{"the secret holds a blank, a line break or a byte outside ASCII"};
            value = Secret(read);
            return std::nullopt;
          },
          [&value] { return value.empty() ? Json() : Json("***"); }, true};
}

Scalar choice(std::vector<std::string> words, std::function<void(std::size_t)> set, std::function<std::size_t()> get) {
  return {{{"enum", words}},
          [words, set](const std::string& read, const Place&) -> std::optional<Problem> {
            const auto found = std::find(words.begin(), words.end(), read);
            if (found == words.end())
              return Problem{"expected " + joined(words, ", ", " or "), did_you_mean(read, words)};
            set(static_cast<std::size_t>(found - words.begin()));
            return std::nullopt;
          },
          [words, get] { return Json(words[get()]); }};
}

Scalar readable_file(std::string& path) {
  return {text_schema(""),
          [&path](const std::string& read, const Place& place) -> std::optional<Problem> {
            if (read.empty()) return Problem{"expected the path of a file"};
            path = resolved_path(read, place.folder);
            const auto content = place.world.read(path);
            if (content) return std::nullopt;
            return Problem{"cannot read the file: " + printable(content.error().message), "", true};
          },
          [&path] { return path.empty() ? Json() : Json(path); }};
}

std::optional<Problem> check_name(std::string_view name, Star star) {
  if (name.empty()) return Problem{"a name must not be empty"};
  if (name.size() > longest_name) return Problem{"a name is at most 128 bytes"};
  const auto first_star = name.find('*');
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("._:/@-*").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!std::all_of(name.begin(), name.end(), allowed))
    return Problem{"a name holds letters, digits and . _ : / @ - only"};
  if (first_star != name.npos && star == Star::refused) return Problem{"a '*' is not possible in this name"};
  if (first_star != name.npos && first_star + 1 != name.size())
    return Problem{"a '*' is only possible at the end of a name"};
  return std::nullopt;
}

std::string name_pattern(Star star) {
  return star == Star::refused ? "^[A-Za-z0-9._:/@-]{1,128}$" : "^[A-Za-z0-9._:/@-]*[*A-Za-z0-9._:/@-]$";
}

}  // namespace tollgate::config
