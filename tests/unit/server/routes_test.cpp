#include "server/routes.hpp"

#include <gtest/gtest.h>

namespace tollgate::server {
namespace {

using protocol::openai::StreamKind;

TEST(Routes, chat_goes_to_the_pipeline_below_the_providers_base_path) {
  const auto match = match_route(Plane::data, "POST", "/v1/chat/completions");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->endpoint, Endpoint::forward);
  EXPECT_EQ(match->upstream_path, "/chat/completions");
  EXPECT_EQ(match->stream_kind, StreamKind::chat);
  EXPECT_TRUE(match->method_fits && match->knows_usage_option);
}

TEST(Routes, a_missing_version_prefix_is_forgiven_for_known_paths_only) {
  const auto chat = match_route(Plane::data, "POST", "/chat/completions");
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->name, "/v1/chat/completions");
  EXPECT_FALSE(match_route(Plane::data, "POST", "/images/generations"));
}

TEST(Routes, a_wrong_method_still_finds_the_path) {
  const auto match = match_route(Plane::data, "GET", "/v1/chat/completions");
  ASSERT_TRUE(match);
  EXPECT_FALSE(match->method_fits);
  EXPECT_EQ(match->allow, "POST, OPTIONS");
}

TEST(Routes, other_posts_below_the_version_pass_through) {
  const auto match = match_route(Plane::data, "POST", "/v1/images/generations");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->upstream_path, "/images/generations");
  EXPECT_EQ(match->name, "/v1/*");
  EXPECT_EQ(match->stream_kind, StreamKind::opaque);
  EXPECT_FALSE(match_route(Plane::data, "POST", "/v1/"));
}

TEST(Routes, a_model_id_may_hold_slashes) {
  const auto match = match_route(Plane::data, "GET", "/v1/models/openai/gpt-5.5");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->endpoint, Endpoint::models);
  EXPECT_EQ(match->model_id, "openai/gpt-5.5");
}

TEST(Routes, planes_do_not_show_each_others_paths) {
  EXPECT_FALSE(match_route(Plane::data, "POST", "/admin/v1/reload"));
  EXPECT_FALSE(match_route(Plane::data, "GET", "/metrics"));
  EXPECT_FALSE(match_route(Plane::metrics, "GET", "/admin/v1/config"));
  EXPECT_FALSE(match_route(Plane::admin, "POST", "/v1/chat/completions"));
  EXPECT_TRUE(match_route(Plane::metrics, "GET", "/metrics"));
  EXPECT_TRUE(match_route(Plane::admin, "GET", "/metrics"));
}

TEST(Routes, health_is_on_every_plane) {
  for (const Plane plane : {Plane::data, Plane::admin, Plane::metrics})
    for (const char* path : {"/health/live", "/health/ready"}) EXPECT_TRUE(match_route(plane, "GET", path)) << path;
}

}  // namespace
}  // namespace tollgate::server
