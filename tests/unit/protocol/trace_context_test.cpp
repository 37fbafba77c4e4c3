#include "tollgate/protocol/trace_context.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";

template <std::size_t size>
std::string text(const std::array<char, size>& id) {
  return {id.data(), id.size()};
}

TEST(TraceContext, a_traceparent_is_taken_apart_and_put_together_again) {
  const auto context = parse_traceparent("00-" + trace + "-" + parent + "-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(text(context->trace_id), trace);
  EXPECT_EQ(text(context->parent_id), parent);
  EXPECT_TRUE(context->sampled());
  EXPECT_TRUE(context->has_parent());
  EXPECT_FALSE(TraceContext{}.has_parent());
  EXPECT_EQ(show_traceparent(*context, context->parent_id), "00-" + trace + "-" + parent + "-01");
  EXPECT_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-02")->sampled());
}

TEST(TraceContext, unknown_flags_are_not_passed_on) {
  const auto context = *parse_traceparent("00-" + trace + "-" + parent + "-ff");
  EXPECT_EQ(context.flags, 3);
  EXPECT_EQ(show_traceparent(context, context.parent_id).substr(53), "03");
}

TEST(TraceContext, what_is_not_exactly_a_traceparent_is_none) {
  const std::string good = "00-" + trace + "-" + parent + "-01";
  ASSERT_TRUE(parse_traceparent(good));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_traceparent(good.substr(0, size))) << size;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char wrong : {'g', 'A', ' ', '\0', '_'}) {
      std::string bad = good;
      bad[at] = wrong;
      EXPECT_FALSE(parse_traceparent(bad)) << bad;
    }
  }
  for (const std::string& bad :
       {good + "-", good + "0", " " + good, good + " ", "ff" + good.substr(2),
        "00-" + std::string(32, '0') + "-" + parent + "-01", "00-" + trace + "-" + std::string(16, '0') + "-01"})
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
}

TEST(TraceContext, a_later_version_counts_as_far_as_it_is_known) {
  EXPECT_TRUE(parse_traceparent("01-" + trace + "-" + parent + "-01"));
  EXPECT_TRUE(parse_traceparent("cc-" + trace + "-" + parent + "-01-what-the-future-will-be-like"));
  EXPECT_FALSE(parse_traceparent("cc-" + trace + "-" + parent + "-01.what"));
}

TEST(TraceContext, a_tracestate_is_passed_on_unless_it_could_do_harm) {
  EXPECT_TRUE(is_passable_tracestate(""));
  EXPECT_TRUE(is_passable_tracestate("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"));
  EXPECT_TRUE(is_passable_tracestate(std::string(512, 'a')));
  EXPECT_FALSE(is_passable_tracestate(std::string(513, 'a')));
  EXPECT_FALSE(is_passable_tracestate("a=b\r\nx: y"));
  EXPECT_FALSE(is_passable_tracestate("a=\xC3\xA4"));
}

TEST(TraceContext, ids_come_from_a_uuid) {
  EXPECT_EQ(text(trace_id_of("0190f3c2-0abc-7def-8012-3456789abcde")), "0190f3c20abc7def80123456789abcde");
  EXPECT_EQ(text(span_id_of("0190f3c2-0abc-7def-8012-3456789abcde")), "80123456789abcde");
}

}  // namespace
}  // namespace tollgate::protocol
