// Names to outbound channels, over reloads: a channel that goes is let go, and its counts are kept until all it had has
// come to an end.
#include "tollgate/io/alerts.hpp"

#include "tollgate/base/ids.hpp"
#include "tollgate/base/instant.hpp"
#include "tollgate/io/diagnostics.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace tollgate::io {
namespace {

// Some thirty repeats, an hour or so together: long enough for a receiver to be mended.
constexpr unsigned tries = 30;
constexpr int longest_backoff = 300;
constexpr std::size_t most_posts = 256;

struct Open {
  config::AlertChannel settings;
  std::shared_ptr<OutboundChannel> channel;  ///< null: no address
  std::uint64_t handed_on = 0;

  bool has_ended() const {
    const OutboundCounts counts = channel->counts();
    return counts.sent + counts.failed + counts.dropped == handed_on;
  }
};

}  // namespace

struct Alerts::State {
  State(Diagnostics& log, std::function<Outbound&()> out, Options wanted)
      : diagnostics(log), outbound(std::move(out)), options(std::move(wanted)), random(options.seed) {}

  std::shared_ptr<OutboundChannel> open(const config::AlertChannel& settings) const;
  void forget_ended();
  void log(std::string_view channel, const AlertEvent& event) const;

  Diagnostics& diagnostics;
  const std::function<Outbound&()> outbound;
  const Options options;
  std::mutex mutex;  // over all below
  Random random;
  std::map<std::string, Open, std::less<>> channels;
  std::vector<Open> leaving;
  OutboundCounts gone;  ///< of those that have ended
  std::uint64_t logged = 0;
};

std::shared_ptr<OutboundChannel> Alerts::State::open(const config::AlertChannel& settings) const {
  if (settings.webhook.empty()) return nullptr;
  const auto address = config::parse_web_address(settings.webhook.reveal());
  if (!address) return nullptr;  // the configuration has looked at it
  OutboundSettings to;
  to.address = *address;
  to.fields = "Content-Type: application/json\r\nUser-Agent: tollgate/" + options.version + "\r\n";
  to.more_fields = [secret = settings.secret](const OutboundPost& post, SystemTime now) {
    std::string fields = "X-Tollgate-Event: " + post.id + "\r\n";
    if (!secret.empty()) fields += "X-Tollgate-Signature: " + alert_signature(secret.reveal(), post.body, now) + "\r\n";
    return fields;
  };
  to.most_posts = most_posts;
  to.tries = tries;
  to.backoff_base = options.backoff_base;
  to.backoff_most = options.backoff_base * longest_backoff;
  to.on_failure = [&log = diagnostics, name = settings.name](const OutboundPost& post, const std::string& why) {
    log.error("alert_not_delivered", {{"channel", name}, {"id", post.id}, {"why", why}});
  };
  auto opened = outbound().open(std::move(to));
  if (opened) return std::move(*opened);
  diagnostics.error("alert_channel_not_opened", {{"channel", settings.name}, {"why", opened.error().message}});
  return nullptr;
}

void Alerts::State::forget_ended() {
  std::erase_if(leaving, [this](const Open& one) {
    const bool ended = one.has_ended();
    if (ended) gone += one.channel->counts();
    return ended;
  });
}

void Alerts::State::log(std::string_view channel, const AlertEvent& event) const {
  const auto dollars = [](const std::optional<Money>& amount) {
    return amount ? std::string(MoneyText(*amount).text()) : std::string();
  };
  diagnostics.warning("alert", {{"channel", std::string(channel)},
                                {"id", event.id},
                                {"kind", std::string(name_of(event.kind))},
                                {"tenant", event.tenant},
                                {"budget", event.budget},
                                {"window_start", event.window_start ? show_instant(*event.window_start) : ""},
                                {"threshold", event.threshold},
                                {"spent_usd", dollars(event.spent)},
                                {"limit_usd", dollars(event.limit)},
                                {"message", event.message}});
}

Alerts::Alerts(Diagnostics& diagnostics, std::function<Outbound&()> outbound, Options options)
    : state_(std::make_unique<State>(diagnostics, std::move(outbound), std::move(options))) {}
Alerts::~Alerts() = default;

void Alerts::adopt(const std::vector<config::AlertChannel>& channels) {
  std::map<std::string, Open, std::less<>> next;
  std::vector<const config::AlertChannel*> to_open;
  {
    const std::lock_guard lock(state_->mutex);
    for (const config::AlertChannel& wanted : channels) {
      const auto known = state_->channels.find(wanted.name);
      if (known == state_->channels.end() || known->second.settings != wanted) to_open.push_back(&wanted);
    }
  }
  // Certificates are read meanwhile: nobody who sends has to wait for that.
  for (const config::AlertChannel* wanted : to_open) next[wanted->name] = {*wanted, state_->open(*wanted)};
  const std::lock_guard lock(state_->mutex);
  for (auto& [name, open] : state_->channels) {
    const auto stays = std::find(channels.begin(), channels.end(), open.settings);
    if (stays != channels.end())
      next.emplace(name, std::move(open));
    else if (open.channel)
      state_->leaving.push_back(std::move(open));
  }
  state_->channels = std::move(next);
  state_->forget_ended();
}

void Alerts::send(std::string_view channel, AlertEvent event) {
  const SystemTime now = std::chrono::system_clock::now();
  const std::lock_guard lock(state_->mutex);
  if (event.id.empty()) event.id = Uuid::v7(now, state_->random).text();
  state_->log(channel, event);
  const auto found = state_->channels.find(channel);
  if (found == state_->channels.end() || !found->second.channel) {
    ++state_->logged;
    return;
  }
  Open& open = found->second;
  OutboundPost post;
  post.id = event.id;
  post.body = alert_body(open.settings.format, event, now);
  ++open.handed_on;
  if (!open.channel->send(std::move(post)))
    state_->diagnostics.error("alert_not_delivered",
                              {{"channel", open.settings.name}, {"id", event.id}, {"why", "too many wait to be sent"}});
}

AlertCounts Alerts::counts() const {
  const std::lock_guard lock(state_->mutex);
  state_->forget_ended();
  AlertCounts counts{state_->gone, state_->logged};
  for (const Open& open : state_->leaving) counts.posts += open.channel->counts();
  for (const auto& [name, open] : state_->channels)
    if (open.channel) counts.posts += open.channel->counts();
  return counts;
}

}  // namespace tollgate::io
