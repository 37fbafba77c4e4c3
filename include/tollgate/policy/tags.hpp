#pragma once
// What a request's cost is put down to beside who and what: "project=apollo,stage=test".
#include "tollgate/base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::policy {

using Tag = std::pair<std::string, std::string>;

inline constexpr std::size_t most_tags = 16;        ///< of one request
inline constexpr std::size_t longest_tag_key = 64;  ///< bytes
inline constexpr std::size_t longest_tag_value = 256;

/// The tags as one text, "k=v,k=v" by key, each key and value percent-encoded but for letters, digits, '-', '.', '_'
/// and '~'.
std::string tag_text(std::vector<Tag> tags);

/// Reads x-tollgate-tags (product.md, section 5) and puts the tenant's own tags beside them, which it cannot replace.
/// Refused with bad_request: what is no such list, holds a key twice, one that is not among `allowed`, or one of the
/// tenant's, an empty key, more or longer ones than may be, a broken escape, or a control character.
Result<std::string> read_tags(std::string_view text, const std::vector<std::string>& allowed,
                              const std::vector<Tag>& tenant);

}  // namespace tollgate::policy
