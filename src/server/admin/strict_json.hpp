#pragma once
// JSON as operators send it: read strictly, so that a slip is told and never guessed at. What is wrong is told with the
// member's path ("limits.burst", "addresses[2]") and with what is right.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::server::admin {

using Json = nlohmann::ordered_json;

/// One JSON value that nests at most 16 deep and names no member of an object twice.
Result<Json> parse_json(std::string_view text);
/// As text for an answer. Bytes that are no UTF-8 are replaced.
std::string to_text(const Json& json);

/// A bad_request whose envelope names the member.
Failure bad_member(std::string path, std::string message);

/// The first thing that was found wrong.
class Fault {
 public:
  void add(std::string path, std::string message) {
    if (!first_) first_ = bad_member(std::move(path), std::move(message));
  }
  explicit operator bool() const { return first_.has_value(); }
  const Failure& failure() const { return *first_; }

 private:
  std::optional<Failure> first_;
};

/// The members of one object, each asked for once by the functions below. A member that is not there leaves what it is
/// read into as it was; so does null, where that can be unset.
class Members {
 public:
  /// `path` is the object's own, empty for the body. All references outlive this.
  Members(const Json& value, std::string path, Fault& fault);
  /// The member, or null where it is not there.
  const Json* find(std::string_view name);
  std::string path_of(std::string_view name) const;
  void fault(std::string_view name, std::string message) { fault_.add(path_of(name), std::move(message)); }
  Fault& faults() { return fault_; }
  /// After all others: a member that was never asked for is a fault.
  void refuse_others();

 private:
  const Json& value_;
  std::string path_;
  Fault& fault_;
  std::vector<std::string> known_;
};

/// What is wrong with a text, or nothing. Says what is right: "expected ...".
using Check = std::optional<std::string> (*)(std::string_view);

struct Times {
  Millis least, most;
};

void read_text(Members& members, std::string_view name, std::string& into);
void read_texts(Members& members, std::string_view name, std::vector<std::string>& into, Check check);
void read_flag(Members& members, std::string_view name, bool& into);
void read_count(Members& members, std::string_view name, std::optional<std::uint64_t>& into, std::uint64_t most);
void read_time(Members& members, std::string_view name, Millis& into, Times bounds);
void read_time(Members& members, std::string_view name, std::optional<Millis>& into, Times bounds);
/// The index of the word in `words`, or nothing.
std::optional<std::size_t> read_choice(Members& members, std::string_view name, const std::vector<std::string>& words);

/// "60s": the largest unit that divides it, in the file's own spelling.
std::string show_time(Millis time);
/// "60s", "250ms", "90d"; nothing where the text is anything else.
std::optional<Millis> parse_time(std::string_view text);

}  // namespace tollgate::server::admin
