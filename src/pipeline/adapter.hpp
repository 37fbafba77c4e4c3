#pragma once
// What stands between the client's API and a provider that speaks another one. Where both speak the same there is none,
// and bytes pass as they are.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/protocol/translation.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tollgate::policy {
class ThoughtStore;
}

namespace tollgate::pipeline {

/// How a provider can answer a request.
enum class Fit : std::uint8_t {
  same,       ///< it speaks the client's API
  adapted,    ///< it speaks another one, and the request can be put into that
  impossible  ///< it has nothing like the endpoint
};
Fit fit_of(const Inbound& inbound, config::Protocol protocol);

/// Of one attempt. The exchange must outlive it.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// For a provider with Fit::adapted.
  static std::unique_ptr<Adapter> make(Exchange& exchange, const config::Provider& provider);

  /// The request in the provider's API, for the target at hand. What has no effect there is named in
  /// Exchange::dropped.
  virtual Result<std::string> request() = 0;
  /// Where it goes, below the version.
  virtual std::string_view path() const = 0;

  // What comes back, in the client's API; after request().
  virtual Result<protocol::TranslatedReply> reply(std::string_view body) = 0;
  virtual std::unique_ptr<protocol::StreamTranslator> stream() = 0;
  virtual protocol::TranslatedError error(std::uint16_t status, std::string_view body) = 0;
  /// The header lines that stand for the provider's own limits.
  virtual std::string limit_fields(const protocol::http::Fields& fields) = 0;

  /// For the turn in which the tools' results come.
  void keep(const std::optional<protocol::Thoughts>& thoughts);

 protected:
  explicit Adapter(Exchange& exchange) : exchange_(exchange) {}
  protocol::AnswerNames names() const;
  std::string_view owner() const;
  policy::ThoughtStore& store() const;

  Exchange& exchange_;
};

}  // namespace tollgate::pipeline
