#pragma once
// What a provider may do wrong, and how a request that meets it is documented to end (docs/routing.md, "How each fault
// ends"). The rows are in fault_matrix_table.cpp, the gateway that is held to them in fault_matrix_test.cpp.
#include "fault_stage.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::test {

/// Where the gateway finds the provider that is at fault.
enum class Place : std::uint8_t {
  there,
  refuses,    ///< nobody listens
  is_silent,  ///< connecting never comes to an end
  has_no_address,
  speaks_tls,    ///< is asked for by TLS
  speaks_plain,  ///< the same, but does not speak it
};

struct Fault {
  std::string name;
  Play json{}, stream{};  ///< by the form of answer that was asked for
  std::string words{};    ///< the body of its answer where that goes to the client
  Place place = Place::there;
  std::string timers{};  ///< its own, of config's `timeouts`
  std::chrono::milliseconds deadline{5'000};
  bool large_request = false;  ///< more than fits between gateway and provider
};

/// How a request ends, and how often the provider at fault was asked until then.
struct Ending {
  enum class Kind : std::uint8_t {
    own_error,    ///< the gateway's, with `status` and `code`
    passed_on,    ///< the last answer as it came, and a word that the client need not try
    is_answer,    ///< the same without that word: it is for the client to mend
    by_itself,    ///< the faulty one's answer is good all the same
    by_another,   ///< the second provider's answer, byte for byte
    cut_off,      ///< content, then the gateway's error event with `code`
    told_by_peer  ///< content, then the provider's own error event
  };
  Kind kind;
  std::size_t asked;
  int status = 200;
  std::string code{};
  std::string outcome{};  ///< in the record
  std::string reason{};   ///< x-tollgate-reason
};

/// A model with one target; one with three equal ones, the first at fault; a route with a fallback.
enum class Setup : std::uint8_t { alone, among_three, with_a_fallback };

struct Endings {
  Ending alone, among_three, with_a_fallback;
  const Ending& of(Setup setup) const;
};

struct Row {
  Fault fault;
  std::optional<Endings> json, stream;  ///< nothing: no such fault in this form
};

/// Signs what the gateway trusts.
const Identity& fault_authority();

/// All faults. Connecting and breaking off; what answers say; what answers hold.
std::vector<Row> fault_matrix();
std::vector<Row> connection_faults();
std::vector<Row> status_faults();
std::vector<Row> body_faults();

/// What is streamed by the provider at fault before the fault, once; and what the others say instead.
inline const std::string half_said = "half of it";
inline const std::string whole_said = "all of it";

// How endings are written in the tables.

/// The gateway's own error.
Ending own_error(int status, const std::string& code, std::size_t asked);
/// The last answer as it came. Without a reason: the usual one after so many attempts.
Ending passed_on(int status, std::size_t asked, const std::string& reason = {});
Ending is_answer(int status);
Ending by_itself();
/// The second provider, after the first was asked so often.
Ending by_another(std::size_t asked, const std::string& reason = "retry_exhausted");
Ending cut_off(const std::string& code);
Ending told_by_peer();
/// Whoever else is there.
Endings always(const Ending& ending);

// How bytes are.

/// A stream's opening, and its beginning with content.
std::string stream_opening();
std::string stream_begun();
std::string json_error(const std::string& type, const std::string& code = {});

}  // namespace tollgate::test
