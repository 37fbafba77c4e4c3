// The pairs of APIs that are translated. What they become stands in protocol/anthropic; here is what the translation
// has to know of the request at hand.
#include "adapter.hpp"

#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/protocol/anthropic/chat_answer.hpp"
#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include "candidates.hpp"

namespace tollgate::pipeline {

namespace {

using protocol::Surface;
using protocol::openai::StreamKind;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ",").append(name);
  return text;
}

std::string_view upstream_model(const Exchange& exchange) {
  const std::string& name = exchange.choice.target->upstream_model;
  return name == "*" ? exchange.choice.part : std::string_view(name);
}

/// A chat completion, answered by Claude.
class ChatOverMessages final : public Adapter, private protocol::ThoughtSource {
 public:
  ChatOverMessages(Exchange& exchange, protocol::anthropic::Version version) : Adapter(exchange), version_(version) {}

  Result<std::string> request() override {
    protocol::anthropic::ToMessages terms;
    terms.model = upstream_model(exchange_);
    terms.version = version_;
    terms.max_tokens = exchange_.choice.model->default_max_output;
    terms.strict = effort_of(exchange_).refuses_untranslated;
    terms.thoughts = this;
    auto translated = protocol::anthropic::to_messages(exchange_.body.view(), terms);
    if (!translated) return translated.error();
    shape_ = std::move(translated->shape);
    const bool tells_cost = exchange_.inbound.money && exchange_.inbound.money->include_cost;
    shape_.include_usage = shape_.include_usage || (tells_cost && exchange_.scan.stream);
    exchange_.dropped = joined(translated->dropped);
    return std::move(translated->body);
  }
  std::string_view path() const override { return "/messages"; }

  Result<protocol::TranslatedReply> reply(std::string_view body) override {
    return protocol::anthropic::to_chat_reply(body, shape_, names());
  }
  std::unique_ptr<protocol::StreamTranslator> stream() override {
    return protocol::anthropic::make_chat_stream(shape_, names());
  }
  protocol::TranslatedError error(std::uint16_t status, std::string_view body) override {
    const bool own = exchange_.caller.tenant && exchange_.caller.tenant->passes_credentials;
    return protocol::anthropic::to_chat_error(status, body, own);
  }
  std::string limit_fields(const protocol::http::Fields& fields) override {
    return protocol::anthropic::to_chat_rate_fields(fields, exchange_.now());
  }

 private:
  std::string find(std::string_view call) const override { return store().find(owner(), call); }

  protocol::anthropic::Version version_;
  protocol::anthropic::ChatShape shape_;
};

/// A message, answered by a provider of the chat API.
class MessagesOverChat final : public Adapter {
 public:
  explicit MessagesOverChat(Exchange& exchange) : Adapter(exchange) {}

  Result<std::string> request() override {
    protocol::anthropic::ToChat terms;
    terms.model = upstream_model(exchange_);
    terms.strict = effort_of(exchange_).refuses_untranslated;
    auto translated = protocol::anthropic::to_chat(exchange_.body.view(), terms);
    if (!translated) return translated.error();
    exchange_.dropped = joined(translated->dropped);
    return std::move(translated->body);
  }
  std::string_view path() const override { return "/chat/completions"; }

  Result<protocol::TranslatedReply> reply(std::string_view body) override {
    return protocol::anthropic::to_message(body, names());
  }
  std::unique_ptr<protocol::StreamTranslator> stream() override {
    return protocol::anthropic::make_message_stream(names());
  }
  protocol::TranslatedError error(std::uint16_t status, std::string_view body) override {
    return protocol::anthropic::to_message_error(status, body, exchange_.record.request_id);
  }
  std::string limit_fields(const protocol::http::Fields&) override { return {}; }
};

}  // namespace

Fit fit_of(const Inbound& inbound, config::Protocol protocol) {
  const bool is_same = (inbound.surface == Surface::anthropic) == (protocol == config::Protocol::anthropic);
  if (is_same) return Fit::same;
  const bool is_known = inbound.stream_kind == StreamKind::chat || inbound.stream_kind == StreamKind::messages;
  return is_known ? Fit::adapted : Fit::impossible;
}

std::unique_ptr<Adapter> Adapter::make(Exchange& exchange, const config::Provider& provider) {
  if (provider.protocol == config::Protocol::anthropic)
    return std::make_unique<ChatOverMessages>(exchange,
                                              provider.version.value_or(protocol::anthropic::Version::v2023_06_01));
  return std::make_unique<MessagesOverChat>(exchange);
}

protocol::AnswerNames Adapter::names() const {
  const auto since_epoch = exchange_.began_at.time_since_epoch();
  return {exchange_.record.request_id, exchange_.scan.model,
          std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count()};
}

policy::ThoughtStore& Adapter::store() const { return exchange_.world->limits->live->thoughts; }

/// Nobody continues another tenant's conversation.
std::string_view Adapter::owner() const {
  return exchange_.caller.tenant ? std::string_view(exchange_.caller.tenant->name) : std::string_view();
}

void Adapter::keep(const std::optional<protocol::Thoughts>& thoughts) {
  if (thoughts) store().keep(owner(), *thoughts);
}

}  // namespace tollgate::pipeline
