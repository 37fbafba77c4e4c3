#pragma once
#include "tollgate/base/task.hpp"
#include "tollgate/pipeline/exchange.hpp"

namespace tollgate::pipeline {

/// The request's path from its body to the end of its answer: docs/life-of-a-request.md in code. When it returns, the
/// client has had one whole answer, one visibly broken one, or has left; the record is complete but for the times that
/// its owner knows.
Task<void> serve(Exchange& exchange);

/// Answers with a failure in OpenAI's envelope, or, where the answer has begun, with an error event, and marks the
/// record. The one place where a Failure becomes HTTP. Sending is begun, not finished.
void rescue(Exchange& exchange, const Failure& failure);

/// Puts the header lines that every answer of this request carries, whatever its status, behind those in `fields`.
void add_answer_fields(const Exchange& exchange, ByteBuffer& fields);
/// The same behind `more`.
ByteBuffer answer_fields(const Exchange& exchange, std::string_view more = {});

}  // namespace tollgate::pipeline
