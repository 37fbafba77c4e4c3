#pragma once
// What GET /v1/models and /v1/models/{id} answer to clients of Anthropic's API.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic {

struct ListedModel {
  std::string_view id;
  std::string_view display_name;  ///< empty: the id
  std::int64_t created = 0;       ///< Unix time in seconds
};

/// What the client asks for in the query.
struct PageWish {
  std::string_view after_id;   ///< the page begins with the model after this one; empty: with the first
  std::string_view before_id;  ///< the page ends with the model before this one; counts where `after_id` is empty
  std::size_t limit = 20;      ///< models at most; 0 counts as 1
};
inline constexpr std::size_t most_models_a_page = 1000;

/// The page, `has_more` telling whether there are models beyond it in the direction that was asked for. An id that no
/// model has gives an empty page, so that a client who turns pages comes to an end.
std::string models_page(std::span<const ListedModel> models, const PageWish& wish);

std::string model_body(const ListedModel& model);

}  // namespace tollgate::protocol::anthropic
