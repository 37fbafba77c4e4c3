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

/// The text of one choice, token by token; a tool's arguments are a JSON object around the text.
class ChoiceText {
 public:
  ChoiceText(const Call& call, const Plan& plan, std::size_t index);
  bool at_end() const { return given_ == total_; }
  /// Appends the next token, unescaped.
  void next(std::string& out);
  std::string rest();

 private:
  Words words_;
  std::size_t given_ = 0;
  std::size_t total_;
  bool whole_;  ///< not cut by the request's cap
  bool tool_;
};

/// Tokens of each choice, after the request's cap.
std::size_t answer_length(const Call& call, const Plan& plan);
bool is_cut(const Call& call, const Plan& plan);
/// "stop", "length" or "tool_calls".
std::string_view finish_reason(const Call& call, const Plan& plan);

/// The answer to a valid call: the endpoint's own, whole or as a stream.
Answer answer_to(const Call& call, Plan& plan, std::int64_t created);

Answer chat_answer(const Call& call, const Plan& plan, const Identity& identity);
Answer completion_answer(const Call& call, const Plan& plan, const Identity& identity);
std::unique_ptr<EventSource> chunk_stream(const Call& call, const Plan& plan, const Identity& identity);
Answer responses_answer(const Call& call, const Plan& plan, const Identity& identity);
std::unique_ptr<EventSource> responses_stream(const Call& call, const Plan& plan, const Identity& identity);
Answer embeddings_answer(const Call& call, const Plan& plan, const Identity& identity);
Answer moderation_answer(const Call& call, const Identity& identity);

/// GET /v1/models and GET /v1/models/{id}. Known are the listed ones and every name that starts with "sim".
Answer models_answer(const std::vector<std::string>& models);
Answer model_answer(const std::vector<std::string>& models, const std::string& id);

Answer error_answer(unsigned status, std::string_view message, std::string_view type, std::string_view param,
                    std::string_view code);
Answer refusal_answer(const Failure& failure);
Answer unknown_url_answer(const std::string& method, const std::string& path);
/// True for the faults that are an HTTP answer of their own.
bool is_status_fault(Fault fault);
/// The answer of a status fault. `now` dates the retry-after of rate_limit_date.
Answer fault_answer(Fault fault, const Plan& plan, SystemTime now);

/// x-ratelimit-limit-, -remaining- and -reset- of what is limited.
void add_limit_fields(Answer& answer, const Grant& grant);
/// The 429 of a grant that was refused, those fields and the wait included; a request that is larger than its limit is
/// told no wait.
Answer over_limit_answer(const std::string& model, const Grant& grant);
/// The 401 for a key that is not known, or for none.
Answer wrong_credential_answer(bool given);

}  // namespace tollgate::simulator
