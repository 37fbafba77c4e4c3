#include "outgoing.hpp"

#include "version.hpp"

#include <random>
#include <utility>

namespace tollgate::app {
namespace {

constexpr Millis last_posts{2000};
// A collector that is gone is told of now and then, not once a second.
constexpr seconds between_words{60};

}  // namespace

Outgoing::Outgoing(io::Diagnostics& diagnostics, std::uint64_t seed, io::Lookup lookup)
    : diagnostics_(diagnostics),
      seed_(seed != 0 ? seed : std::random_device{}()),
      lookup_(std::move(lookup)),
      alerts_(diagnostics, [this]() -> io::Outbound& { return outbound(); }, {.version = version, .seed = seed_}) {}

io::Outbound& Outgoing::outbound() {
  if (!outbound_) outbound_ = std::make_unique<io::Outbound>(seed_, lookup_);
  return *outbound_;
}

void Outgoing::begin_tracing(const std::function<std::optional<std::string>(const std::string& name)>& variable) {
  const io::TracingSettings settings =
      io::tracing_settings([&](const char* name) { return variable(name).value_or(std::string()); });
  for (const auto& [name, why] : settings.ignored)
    diagnostics_.warning("tracing_setting_ignored", {{"variable", name}, {"why", why}});
  if (!settings.endpoint) return;
  io::Tracer::Options options;
  options.version = version;
  options.on_loss = [this](std::uint64_t spans, const std::string& why) { tell_loss(spans, why); };
  auto tracer = io::Tracer::open(settings, outbound(), std::move(options));
  if (!tracer) return diagnostics_.error("tracing_off", {{"why", tracer.error().message}});
  tracer_ = std::move(*tracer);
  diagnostics_.info("tracing", {{"host", settings.endpoint->host}, {"port", std::to_string(settings.endpoint->port)}});
}

void Outgoing::tell_loss(std::uint64_t spans, const std::string& why) {
  lost_untold_ += spans;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (told_at_ != SteadyTime{} && now - told_at_ < between_words) return;
  told_at_ = now;
  diagnostics_.warning("spans_lost", {{"spans", std::to_string(std::exchange(lost_untold_, 0))}, {"why", why}});
}

void Outgoing::stop() {
  if (outbound_) outbound_->stop(last_posts);
}

}  // namespace tollgate::app
