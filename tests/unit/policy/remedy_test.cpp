#include "tollgate/policy/remedy.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tollgate::policy {
namespace {

struct Row {
  unsigned status;
  std::string type, code, message;
  Remedy remedy;
  Blame blame = Blame::none;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.status << " '" << row.type << "' '" << row.code << "' '" << row.message << "'";
}

class Diagnosing : public testing::TestWithParam<Row> {};

TEST_P(Diagnosing, gives_the_remedy_of_the_table) {
  const Row& row = GetParam();
  const Diagnosis got = diagnose(row.status, row.type, row.code, row.message);
  EXPECT_EQ(name_of(got.remedy), name_of(row.remedy));
  EXPECT_EQ(static_cast<int>(got.blame), static_cast<int>(row.blame));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Diagnosing,
    testing::Values(Row{400, "invalid_request_error", "", "bad", Remedy::nothing},
                    Row{400, "invalid_request_error", "content_policy_violation", "no", Remedy::nothing},
                    Row{400, "", "context_length_exceeded", "", Remedy::larger_context},
                    Row{400, "", "", "This model's Maximum Context Length is 8192 tokens", Remedy::larger_context},
                    Row{400, "", "", "Your input exceeds the context window of this model", Remedy::larger_context},
                    Row{400, "exceed_context_size_error", "", "", Remedy::larger_context},
                    Row{400, "", "", "prompt is too long: 210000 tokens > 200000 maximum", Remedy::larger_context},
                    Row{401, "", "invalid_api_key", "", Remedy::another_credential},
                    Row{402, "", "", "no credit", Remedy::another_credential},
                    Row{403, "", "unsupported_country_region_territory", "", Remedy::another_credential},
                    Row{404, "", "model_not_found", "", Remedy::another_target}, Row{405, "", "", "", Remedy::nothing},
                    Row{408, "", "", "", Remedy::repeat, Blame::failure}, Row{409, "", "conflict", "", Remedy::repeat},
                    Row{413, "", "request_too_large", "", Remedy::larger_context},
                    Row{415, "", "", "", Remedy::nothing}, Row{422, "", "", "", Remedy::nothing},
                    Row{429, "requests", "rate_limit_exceeded", "", Remedy::cool_down, Blame::rate},
                    Row{429, "", "", "", Remedy::cool_down, Blame::rate},
                    Row{429, "insufficient_quota", "insufficient_quota", "", Remedy::another_credential},
                    Row{429, "", "credit_balance_exhausted", "", Remedy::another_credential},
                    Row{429, "", "project_spend_limit_exceeded", "", Remedy::another_credential},
                    Row{429, "", "billing_not_active", "", Remedy::another_credential},
                    Row{500, "server_error", "", "", Remedy::repeat, Blame::failure},
                    Row{501, "", "", "", Remedy::another_target}, Row{502, "", "", "", Remedy::repeat, Blame::failure},
                    Row{503, "", "", "", Remedy::repeat, Blame::failure},
                    Row{504, "", "", "", Remedy::repeat, Blame::failure},
                    Row{529, "", "", "", Remedy::repeat, Blame::failure},
                    Row{599, "", "", "", Remedy::repeat, Blame::failure}));

TEST(RefusedContent, IsToldByTypeOrCodeOfA400) {
  EXPECT_TRUE(refuses_content(400, "invalid_request_error", "content_policy_violation"));
  EXPECT_TRUE(refuses_content(400, "", "content_filter"));
  EXPECT_TRUE(refuses_content(400, "", "ResponsibleAIPolicyViolation"));
  EXPECT_TRUE(refuses_content(400, "invalid_prompt", ""));
  EXPECT_FALSE(refuses_content(400, "invalid_request_error", "invalid_value"));
  EXPECT_FALSE(refuses_content(403, "", "content_policy_violation"));
}

}  // namespace
}  // namespace tollgate::policy
