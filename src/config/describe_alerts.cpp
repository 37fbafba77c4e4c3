#include "tollgate/config/web_address.hpp"

#include "config/addresses.hpp"
#include "config/document.hpp"

namespace tollgate::config {

namespace {

// Short enough to be guessed, a secret signs nothing.
constexpr std::size_t shortest_secret = 16;

/// A secret, since whoever knows a webhook may post to it.
Scalar webhook(Secret& value) {
  Scalar scalar = secret(value, true);
  scalar.read = [&value](const std::string& text, const Place&) -> std::optional<Problem> {
    if (!text.empty()) {
      const auto address = parse_web_address(text);
      if (!address) return Problem{address.error().message};
    }
    value = Secret(text);
    return std::nullopt;
  };
  return scalar;
}

Scalar format(AlertFormat& value) {
  return choice(
      {"json", "slack"}, [&value](std::size_t index) { value = static_cast<AlertFormat>(index); },
      [&value] { return static_cast<std::size_t>(value); });
}

}  // namespace

void describe(Keys& keys, AlertEntry& entry) {
  AlertChannel& channel = entry.channel;
  keys.key("webhook", "http or https URL to post to, best by reference; empty: the log only", webhook(channel.webhook));
  keys.key("format", "json: every field; slack: a text for an incoming webhook", format(channel.format));
  keys.key("secret", "what posts are signed with (x-tollgate-signature), best by reference",
           secret(channel.secret, true));
  if (!channel.secret.empty() && channel.secret.reveal().size() < shortest_secret)
    keys.fault("secret", {"a signing secret has at least 16 bytes", "make one with: openssl rand -hex 32"});
  const auto address = parse_web_address(channel.webhook.reveal());
  if (address && !address->tls && !is_loopback(address->host))
    keys.note("webhook", "alerts go over the network unencrypted, because this URL begins with http://");
}

Dictionary alerts_of(Document& document) {
  return entries_of(document.alerts, Star::refused,
                    [](AlertEntry& entry) -> std::string& { return entry.channel.name; });
}

}  // namespace tollgate::config
