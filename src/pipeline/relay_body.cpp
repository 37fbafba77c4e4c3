#include "relay_body.hpp"

#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/openai/reply.hpp"

#include "adapter.hpp"
#include "error_status.hpp"
#include "relay_error.hpp"
#include "stages.hpp"

#include <algorithm>

namespace tollgate::pipeline {

using protocol::openai::StreamKind;

namespace {

// What is held whole: beyond it memory counts for more than knowing the end before the beginning.
constexpr std::size_t whole_limit = 1024 * 1024;

// What is translated is held whole, so it needs a bound of its own: far above the longest answer there is.
constexpr std::size_t translated_limit = 32 * 1024 * 1024;

constexpr std::size_t longest_tail = 4096;

/// The usage of an answer of which only the end was kept, where it is among the last members of the whole: what is told
/// then is read as an object of its own, which it is not where it stands deeper.
std::optional<protocol::Usage> usage_at_the_end(std::string_view tail) {
  const std::size_t at = tail.rfind("\"usage\"");
  if (at == tail.npos) return std::nullopt;
  return protocol::openai::read_usage(std::string("{").append(tail.substr(at)));
}

}  // namespace

void BodyRelay::head(std::uint16_t status, ByteBuffer fields, const protocol::http::ResponseHead& upstream) {
  status_ = status;
  fields_ = std::move(fields);
  length_known_ = upstream.framing == protocol::http::Framing::length;
  length_ = upstream.content_length;
}

void BodyRelay::begin(BodyForm form) {
  exchange_.record.status = status_;
  add_answer_fields(exchange_, fields_);
  exchange_.client.begin(status_, fields_.view(), form);
}

void BodyRelay::take(std::string_view bytes) {
  if (adapter_) {
    if (held_.size() + bytes.size() <= translated_limit) return held_.append(bytes);
    fault_ = "its answer is larger than 32 MiB";
    return;
  }
  exchange_.record.bytes_out += bytes.size();
  if (exchange_.client.begun()) return pass_on(bytes);
  if (held_.empty() && length_known_ && bytes.size() == length_) {
    // The common case: all of it in one read, sent from where it lies.
    send_whole(bytes);
    return;
  }
  held_.append(bytes);
  if (held_.size() <= whole_limit && (!length_known_ || length_ <= whole_limit)) return;
  begin({.streamed = !length_known_, .length = length_});
  pass_on(held_.view());
  held_.release();
}

void BodyRelay::pass_on(std::string_view bytes) {
  exchange_.client.write({&bytes, 1});
  tail_.append(bytes.substr(bytes.size() - std::min(bytes.size(), longest_tail)));
  if (tail_.size() > longest_tail) tail_.erase(0, tail_.size() - longest_tail);
}

void BodyRelay::ended() {
  if (adapter_) return send_translated();
  if (!exchange_.client.begun() && !settled_) send_whole(held_.view());
  if (!exchange_.client.begun()) return;
  if (!settled_) exchange_.record.usage = usage_at_the_end(tail_);
  charge_.settle_answered();
  exchange_.client.end();
}

void BodyRelay::send_whole(std::string_view body) {
  settled_ = true;
  read(body);
  if (!fault_.empty()) return;
  if (status_ >= 400) {
    exchange_.held = std::make_unique<HeldAnswer>(HeldAnswer{
        status_, std::string(fields_.view()), without_secrets(exchange_, body).value_or(std::string(body)), {}});
    return;
  }
  kept_ = status_ == 200 && keep_unfit(exchange_, status_, fields_.view(), body);
  if (kept_) return;
  exchange_.record.status = status_;
  charge_.settle_answered();
  begin({.length = body.size()});
  exchange_.client.write({&body, 1});
}

void BodyRelay::send_translated() {
  settled_ = true;
  if (!fault_.empty()) return;
  auto reply = adapter_->reply(held_.view());
  if (!reply && protocol::openai::read_reply(held_.view()).error) return hold_translated_error();
  if (!reply) {
    fault_ = reply.error().message;
    return;
  }
  exchange_.record.usage = reply->usage;
  if (!reply->usage) charge_.answer_came(reply->body);
  adapter_->keep(reply->thoughts);
  kept_ = keep_unfit(exchange_, status_, fields_.view(), reply->body);
  if (kept_) return;
  exchange_.record.status = status_;
  exchange_.record.bytes_out += reply->body.size();
  charge_.settle_answered();
  begin({.length = reply->body.size()});
  const std::string_view piece = reply->body;
  exchange_.client.write({&piece, 1});
  exchange_.client.end();
}

/// An error under a 200, whose provider has not worked.
void BodyRelay::hold_translated_error() {
  std::string said = without_secrets(exchange_, held_.view()).value_or(std::string(held_.view()));
  auto [status, body] = adapter_->error(status_of(said), said);
  exchange_.held =
      std::make_unique<HeldAnswer>(HeldAnswer{status, std::string(fields_.view()), std::move(body), std::move(said)});
}

void BodyRelay::read(std::string_view body) {
  const StreamKind kind = exchange_.inbound.stream_kind;
  const bool is_answer = kind == StreamKind::chat || kind == StreamKind::completions || kind == StreamKind::messages;
  // Some providers pad with white space while they work.
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  if (status_ == 200 && is_answer && body.empty()) fault_ = "it answered 200 without an answer";
  if (status_ != 200 || !body.starts_with('{')) return;
  const auto meaning = protocol::openai::read_reply(body);
  exchange_.record.usage = meaning.usage;
  if (!is_answer) return;
  if (!meaning.usage && !meaning.error) charge_.answer_came(body);
  if (meaning.broken) fault_ = "its answer is not valid JSON";
  if (meaning.no_choices && !meaning.error) fault_ = "it answered 200 without an answer";
  if (!meaning.error) return;
  // An error under a 200 would pass for an answer without words.
  status_ = status_of(body);
}

}  // namespace tollgate::pipeline
