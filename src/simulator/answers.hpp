#pragma once
#include "tollgate/base/result.hpp"

#include "simulator/call.hpp"
#include "simulator/plan.hpp"
#include "simulator/words.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::simulator {

struct Grant;

/// The events of one streamed answer, made while they are sent: an answer of any length needs no more memory than one
/// event. Every call appends whole events, blank line included. Order: opening, token until false, finish, usage, done.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual void opening(std::string& out) = 0;
  /// Appends the event of one token; false: there is none left.
  virtual bool token(std::string& out) = 0;
  virtual void finish(std::string& out) = 0;  ///< the finish_reason
  virtual void usage(std::string& out) = 0;   ///< nothing unless asked for
  virtual void done(std::string& out) = 0;    ///< what tells the client that the stream is whole
  virtual void error(std::string& out) = 0;   ///< a server error in place of what would follow
  /// An event that is not JSON.
  virtual void malformed(std::string& out) const = 0;
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t completion_tokens = 0;    ///< in `body`
  std::unique_ptr<EventSource> events;  ///< set: a stream, and `body` is empty
};

/// What every object of one answer repeats.
struct Identity {
  std::string suffix;        ///< of ids; from the plan, so as deterministic as it is
  std::string model;         ///< "<base model>-sim"
  std::int64_t created = 0;  ///< seconds since 1970
};

/// In whose words an answer is given, and to which request.
struct Voice {
  Dialect dialect = Dialect::openai;
  std::string request_id;
};

/// The text of one choice, token by token; a tool's arguments are a JSON object around the text, and parallel calls
/// follow each other.
class ChoiceText {
 public:
  ChoiceText(const Call& call, const Plan& plan, std::size_t index);
  bool at_end() const { return given_ == total_; }
  /// Which of the parallel calls the next token belongs to, and whether it is that call's first.
  std::size_t part() const { return each_ == 0 ? 0 : given_ / each_; }
  bool begins_part() const { return each_ > 0 && given_ % each_ == 0; }
  /// Appends the next token, unescaped.
  void next(std::string& out);
  /// The rest of the current part.
  std::string rest();

 private:
  TokenText text_;
  std::uint64_t seed_;
  std::size_t given_ = 0;
  std::size_t each_;  ///< tokens of a part
  std::size_t total_;
  bool tool_;
};

/// The seed of a part's words, for the whole answer and for the stream alike.
std::uint64_t part_seed(std::uint64_t text_seed, std::size_t choice, std::size_t part);

bool is_cut(const Call& call, const Plan& plan);
/// "stop", "length" or "tool_calls".
std::string_view finish_reason(const Call& call, const Plan& plan);

/// The answer to a valid call: the endpoint's own, whole or as a stream.
Answer answer_to(const Call& call, Plan& plan, std::int64_t created);

/// The id of one of the calls of one choice.
std::string chat_call_id(const Identity& identity, std::size_t choice, std::size_t part);
Answer chat_answer(const Call& call, const Plan& plan, const Identity& identity);
Answer completion_answer(const Call& call, const Plan& plan, const Identity& identity);
std::unique_ptr<EventSource> chunk_stream(const Call& call, const Plan& plan, const Identity& identity);
Answer responses_answer(const Call& call, const Plan& plan, const Identity& identity);
std::unique_ptr<EventSource> responses_stream(const Call& call, const Plan& plan, const Identity& identity);
Answer embeddings_answer(const Call& call, const Plan& plan, const Identity& identity);
Answer moderation_answer(const Call& call, const Identity& identity);
Answer messages_answer(const Call& call, const Plan& plan, const Identity& identity);
std::unique_ptr<EventSource> messages_stream(const Call& call, const Plan& plan, const Identity& identity);
Answer count_tokens_answer(const Call& call);

/// GET /v1/models and GET /v1/models/{id}. Known are the listed ones and every name that starts with "sim". `query` is
/// what follows the question mark: Anthropic's list comes in pages.
Answer models_answer(const Voice& voice, const std::vector<std::string>& models, std::string_view query);
Answer model_answer(const Voice& voice, const std::vector<std::string>& models, const std::string& id);

Answer error_answer(unsigned status, std::string_view message, std::string_view type, std::string_view param,
                    std::string_view code);
Answer refusal_answer(const Voice& voice, const Failure& failure);
Answer unknown_url_answer(const Voice& voice, const std::string& method, const std::string& path);
Answer wrong_method_answer(const Voice& voice, const std::string& method, const std::string& path);
/// A 502 as an edge in front of any provider answers.
Answer edge_page_answer();
/// An error under 200.
Answer late_error_answer(const Voice& voice);
/// True for the faults that are an HTTP answer of their own.
bool is_status_fault(Fault fault);
/// The answer of a status fault. `now` dates what it says on when to come back.
Answer fault_answer(const Voice& voice, Fault fault, const Plan& plan, SystemTime now);

/// How much of what is limited is left: x-ratelimit-* or anthropic-ratelimit-*.
void add_limit_fields(Answer& answer, const Voice& voice, const Grant& grant, SystemTime now);
/// The 429 of a grant that was refused, those fields and the wait included; a request that is larger than its limit is
/// told no wait.
Answer over_limit_answer(const Voice& voice, const std::string& model, const Grant& grant, SystemTime now);
/// The 401 for a key that is not known, or for none.
Answer wrong_credential_answer(const Voice& voice, bool given);

}  // namespace tollgate::simulator
