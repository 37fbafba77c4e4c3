#include "tollgate/config/web_address.hpp"

#include "config/addresses.hpp"

#include <algorithm>

namespace tollgate::config {

Result<WebAddress> parse_web_address(std::string_view text) {
  const auto question = std::min(text.find('?'), text.size());
  const std::string_view query = text.substr(question);
  const auto refused = [](std::string why) {
    return Failure{FailureKind::bad_request, Source::gateway, std::move(why)};
  };
  if (!std::all_of(query.begin(), query.end(), [](char c) { return c > ' ' && c < 0x7F && c != '#'; }))
    return refused("the query of the URL holds a byte that needs escaping");
  const auto base = parse_base_url(text.substr(0, question));
  if (!base) return refused(base.error().message);
  // A slash at the end is another resource, unlike with a base URL.
  const bool slash = question > 0 && text[question - 1] == '/';
  return WebAddress{base->tls, base->host, base->port,
                    base->path + (slash || base->path.empty() ? "/" : "") + std::string(query)};
}

}  // namespace tollgate::config
