#pragma once
#include "tollgate/base/clock.hpp"

#include "simulator/allowance.hpp"
#include "simulator/answers.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

/// Answers in Anthropic's shape. Errors are `{"type":"error","error":{"type","message"},"request_id"}`; `error_code`,
/// where it is not empty, goes into `error.details`.
Answer messages_error(const Voice& voice, unsigned status, std::string_view type, const std::string& message,
                      std::string_view error_code = "");
Answer messages_fault_answer(const Voice& voice, Fault fault, const Plan& plan, SystemTime now);
Answer messages_over_limit(const Voice& voice, const Grant& grant, SystemTime now);
void add_messages_limit_fields(Answer& answer, const Grant& grant, SystemTime now);

/// GET /v1/models in pages (`limit`, `after_id`, `before_id`), and one model.
Answer messages_models(const Voice& voice, const std::vector<std::string>& models, std::string_view query);
Answer messages_model(const std::string& id);

}  // namespace tollgate::simulator
