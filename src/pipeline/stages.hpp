#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/base/task.hpp"
#include "tollgate/pipeline/exchange.hpp"

/// The steps of serve(), in their order.
namespace tollgate::pipeline {

/// Turns away whoever has no request left, before a large body is read. Takes nothing.
Result<void> may_begin(Exchange& exchange);

/// Scans the body once: model, stream, and the places that may be spliced.
Result<void> parse(Exchange& exchange);

/// Finds what the requested name means, and how long it may take.
Result<void> route(Exchange& exchange);

/// Tokens of the request, before anybody has counted them.
std::uint64_t expected_input_tokens(const Exchange& exchange);
/// The same and those of the longest answer that it asks for.
std::uint64_t expected_tokens(const Exchange& exchange);
/// More than that it cannot be, and neither can its answers together at this model.
std::uint64_t most_input_tokens(const Exchange& exchange, const config::Model& model);
std::uint64_t most_output_tokens(const Exchange& exchange, const config::Model& model);
/// Of text of which only the size is known.
std::uint64_t tokens_of_bytes(std::uint64_t bytes);

/// Whom the request is made for, as it says; empty: it does not.
std::string_view end_user_of(const Exchange& exchange);
/// What that one is known by.
std::uint64_t end_user_hash_of(const Exchange& exchange);

/// Who says what kind of task a request is.
enum class TaskSource : std::uint8_t { nobody, header, model_name, metadata, classifier };
struct NamedTask {
  std::string_view name;  ///< empty: the request itself does not say
  TaskSource source = TaskSource::nobody;
};
/// What the request says itself, in the order of precedence. After the name in `model` was resolved.
NamedTask named_task(const Exchange& exchange);
/// What its words say. The configuration has a classifier.
policy::Classification classify(const Exchange& exchange);

/// Makes the request ready for the choice: the body's splices, the record's names, nothing left of an attempt before.
void aim(Exchange& exchange, const Choice& choice);

/// Why the one at hand is asked, as the client is told.
std::string_view reason_of(const Exchange& exchange);

/// Only a number of tokens is asked for, and who would be asked first does not count them.
bool counts_here(const Exchange& exchange);
/// Answers such a request by an estimate.
void answer_count(Exchange& exchange);

/// Notes what form the answer is to have, where the route wants it looked at.
void expect_structure(Exchange& exchange);
/// An answer of another form than it was asked for: keeps it for ask_again() and gives true, or only notes it in the
/// warning to the client.
bool keep_unfit(Exchange& exchange, std::uint16_t status, std::string_view fields, std::string_view body);
/// An answer was kept: turns the exchange into a request for a better one.
bool ask_again(Exchange& exchange);
/// There is no better one: the one kept is the answer. False: nothing is kept.
bool send_kept(Exchange& exchange);

/// Makes attempts until one is answered, nobody is left to ask, or nobody wants to know: what it ended by, or null
/// where the client has its answer or at least all of it that can be had.
Task<std::unique_ptr<Failure>> dispatch(Exchange& exchange);

/// Judges whether the caller may call what the name was resolved to.
Result<void> authorize(Exchange& exchange);

/// For a request with an Idempotency-Key: waits until it is clear whether it is the one to call the upstream, and
/// answers it where it is not.
Task<Result<void>> take_turn(Exchange& exchange);

/// Gives those that wait for this request its answer, where it lasts, or the next one its turn. `failed`: the answer is
/// none of the upstream's, or broken.
void share_answer(Exchange& exchange, bool failed);

/// Takes what the request needs of every limit that it meets, or nothing. settle() gives it back.
Result<void> admit(Exchange& exchange);

/// Puts right what admit() has taken, by what the request has used. Always called once it is over.
void settle(Exchange& exchange);

}  // namespace tollgate::pipeline
