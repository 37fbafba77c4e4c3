// Each variable with what it means, what it refuses and what is told of that: nothing of it can be seen at start-up
// otherwise, since a gateway starts whatever they say.
#include "tollgate/io/tracing_settings.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>

namespace tollgate::io {
namespace {

using Variables = std::map<std::string, std::string>;

TracingSettings settings_of(Variables variables) {
  return tracing_settings([variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

const std::string endpoint = "http://collector:4318";

/// The same with an endpoint, which everything else needs.
TracingSettings with(Variables variables) {
  variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
  return settings_of(std::move(variables));
}

TEST(TracingSettings, without_an_endpoint_there_are_no_traces) {
  EXPECT_FALSE(settings_of({}).endpoint);
  EXPECT_FALSE(settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "  "}}).endpoint);
  EXPECT_FALSE(settings_of({{"OTEL_TRACES_SAMPLER", "always_on"}, {"OTEL_SERVICE_NAME", "x"}}).endpoint);
}

TEST(TracingSettings, a_base_gets_the_path_of_traces_and_an_own_endpoint_is_taken_as_it_is) {
  EXPECT_EQ(with({}).endpoint->target, "/v1/traces");
  EXPECT_EQ(settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example/in/"}}).endpoint->target,
            "/in/v1/traces");
  const auto own = with({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/"}});
  EXPECT_EQ(*own.endpoint, (config::WebAddress{true, "traces.example", 443, "/"}));
}

TEST(TracingSettings, the_switches_turn_it_off) {
  EXPECT_FALSE(with({{"OTEL_SDK_DISABLED", "TRUE"}}).endpoint);
  EXPECT_FALSE(with({{"OTEL_TRACES_EXPORTER", "none"}}).endpoint);
  EXPECT_TRUE(with({{"OTEL_SDK_DISABLED", "1"}}).endpoint) << "only true is true";
}

TEST(TracingSettings, headers_are_decoded_and_checked) {
  const auto good = with({{"OTEL_EXPORTER_OTLP_HEADERS", " api-key = a%20b%3D ,x=,"}});
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(good.headers, (Pairs{{"api-key", "a b="}, {"x", ""}}));
  EXPECT_TRUE(good.ignored.empty());
  for (const char* bad : {"a", "=b", "a=%", "a=%2", "a=%zz", "a=b%0d%0ax: y", "a b=c", "Content-Length=3", "host=x"}) {
    const auto settings = with({{"OTEL_EXPORTER_OTLP_HEADERS", bad}});
    EXPECT_TRUE(settings.headers.empty()) << bad;
    ASSERT_EQ(settings.ignored.size(), 1u) << bad;
    EXPECT_EQ(settings.ignored[0].first, "OTEL_EXPORTER_OTLP_HEADERS");
  }
  EXPECT_EQ(with({{"OTEL_EXPORTER_OTLP_HEADERS", "a=1"}, {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"}}).headers,
            (Pairs{{"b", "2"}}));
}

TEST(TracingSettings, the_service_has_a_name) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(with({}).resource, (Pairs{{"service.name", "tollgate"}}));
  EXPECT_EQ(with({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=x%2Cy"}}).resource,
            (Pairs{{"service.name", "a"}, {"team", "x,y"}}));
  EXPECT_EQ(with({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}, {"OTEL_SERVICE_NAME", "b"}}).resource,
            (Pairs{{"service.name", "b"}}));
  EXPECT_EQ(with({{"OTEL_RESOURCE_ATTRIBUTES", "broken"}}).ignored.size(), 1u);
}

TEST(TracingSettings, the_timeout_is_in_milliseconds) {
  EXPECT_EQ(with({}).timeout, seconds(10));
  EXPECT_EQ(with({{"OTEL_EXPORTER_OTLP_TIMEOUT", "250"}}).timeout, Millis(250));
  for (const char* bad : {"0", "-1", "1.5", "10s", "9999999999"}) {
    const auto settings = with({{"OTEL_EXPORTER_OTLP_TIMEOUT", bad}});
    EXPECT_EQ(settings.timeout, seconds(10)) << bad;
    EXPECT_EQ(settings.ignored.size(), 1u) << bad;
  }
}

TEST(TracingSettings, another_encoding_is_told_of) {
  EXPECT_TRUE(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}}).ignored.empty());
  EXPECT_EQ(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}).ignored.size(), 1u);
}

TEST(TracingSettings, samplers_have_their_standard_names) {
  struct Row {
    const char *name, *argument;
    double share;
    bool follows;
  };
  for (const Row& row : {Row{"", "", 1, true}, Row{"always_on", "", 1, false}, Row{"always_off", "", 0, false},
                         Row{"traceidratio", "0.25", 0.25, false}, Row{"traceidratio", "", 1, false},
                         Row{"parentbased_always_on", "", 1, true}, Row{"parentbased_always_off", "", 0, true},
                         Row{"parentbased_traceidratio", "0.1", 0.1, true}}) {
    const auto settings = with({{"OTEL_TRACES_SAMPLER", row.name}, {"OTEL_TRACES_SAMPLER_ARG", row.argument}});
    EXPECT_EQ(settings.sampler.share, row.share) << row.name;
    EXPECT_EQ(settings.sampler.follows_caller, row.follows) << row.name;
    EXPECT_TRUE(settings.ignored.empty()) << row.name;
  }
  EXPECT_EQ(with({{"OTEL_TRACES_SAMPLER", "jaeger_remote"}}).ignored.size(), 1u);
  for (const char* bad : {"2", "-0.1", "half", "nan", "0.5x"}) {
    const auto settings = with({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", bad}});
    EXPECT_EQ(settings.sampler.share, 1) << bad;
    EXPECT_EQ(settings.ignored.size(), 1u) << bad;
  }
}

TEST(TracingSettings, an_endpoint_that_is_none_is_told_of_without_quoting_it) {
  const auto settings = settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hidden@collector"}});
  EXPECT_FALSE(settings.endpoint);
  ASSERT_EQ(settings.ignored.size(), 1u);
  EXPECT_EQ(settings.ignored[0].second.find("hidden"), std::string::npos);
}

protocol::TraceId trace_with_end(std::uint64_t last_56_bits) {
  char text[33];
  std::snprintf(text, sizeof text, "4bf92f3577b34da6ff%014llx", static_cast<unsigned long long>(last_56_bits));
  protocol::TraceId id;
  std::copy_n(text, id.size(), id.begin());
  return id;
}

TEST(Sampler, takes_its_share_by_the_last_56_bits_of_the_id) {
  const std::uint64_t end = std::uint64_t{1} << 56;
  const Sampler quarter{0.25};
  EXPECT_FALSE(quarter.decides_for(trace_with_end(0)));
  EXPECT_FALSE(quarter.decides_for(trace_with_end(end / 4 * 3 - 1024)));
  EXPECT_TRUE(quarter.decides_for(trace_with_end(end / 4 * 3)));
  EXPECT_TRUE(quarter.decides_for(trace_with_end(end - 1)));
  EXPECT_FALSE(Sampler{0}.decides_for(trace_with_end(end - 1)));
  EXPECT_TRUE(Sampler{1}.decides_for(trace_with_end(0)));
}

}  // namespace
}  // namespace tollgate::io
