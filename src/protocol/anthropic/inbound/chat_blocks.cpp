// Blocks that both a user's turn and a tool's result can hold, as parts of a chat message. Texts and data are handed on
// as they are written, escapes and all: only their frames change.
#include "protocol/anthropic/inbound/chat_blocks.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"
#include "protocol/same.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::anthropic::inbound {
namespace {

using json::Kind;
using json::pick;
using json::Value;

std::string text_of(const Value& value) {
  return value.kind == Kind::string ? json::decode_lossy(value.inside()) : std::string();
}

bool refuse(const Block& block, std::string_view reason, Notes& notes) {
  return notes.refuse(block.place + ": " + std::string(reason), block.place);
}

bool is_link(std::string_view url) { return url.starts_with("https://") || url.starts_with("http://"); }

void add_image_link(std::string_view url, ChatParts& parts) {
  std::string part;
  json::Writer out(part);
  out.open_object().key("type").raw("\"image_url\"").key("image_url");
  out.open_object().key("url").raw(url).close_object().close_object();
  parts.add_part(part);
}

/// A string that joins insides of others.
std::string joined(std::initializer_list<std::string_view> insides) {
  std::string value = "\"";
  for (const std::string_view inside : insides) value += inside;
  value += '"';
  return value;
}

struct SourceParts {
  std::string type;
  Value media_type, data, url, content;
};

SourceParts read_source(const Block& block) {
  const auto [type, media_type, data, url, content] =
      pick<5>(pick(block.whole.text, "source").text, {"type", "media_type", "data", "url", "content"});
  return {text_of(type), media_type, data, url, content};
}

bool add_image(const Block& block, ChatParts& parts, Notes& notes) {
  const SourceParts source = read_source(block);
  if (source.type == "base64") {
    constexpr std::array<std::string_view, 4> known{"image/jpeg", "image/png", "image/gif", "image/webp"};
    const std::string media = text_of(source.media_type);
    if (std::ranges::find(known, media) == known.end() || source.data.kind != Kind::string)
      return refuse(block, "an image of base64 needs 'data' and a 'media_type' of jpeg, png, gif or webp", notes);
    add_image_link(joined({"data:", media, ";base64,", source.data.inside()}), parts);
    return true;
  }
  if (source.type == "url") {
    if (!is_link(text_of(source.url))) return refuse(block, "the 'url' of an image must be of http or https", notes);
    add_image_link(source.url.text, parts);
    return true;
  }
  return refuse(block, "an image must be given as base64 or by a link: what lies at Anthropic cannot be sent", notes);
}

/// What stands before a document's text, each in a line of its own.
std::string heading(const Block& block) {
  const auto [title, context] = pick<2>(block.whole.text, {"title", "context"});
  std::string lines;
  for (const Value& line : {title, context}) {
    if (line.kind != Kind::string || line.inside().empty()) continue;
    lines += line.inside();
    lines += "\\n";
  }
  return lines;
}

bool add_pdf(const Block& block, const SourceParts& source, ChatParts& parts, Notes& notes) {
  if (text_of(source.media_type) != "application/pdf" || source.data.kind != Kind::string)
    return refuse(block, "a document of base64 needs 'data' and the 'media_type' application/pdf", notes);
  const auto [title, context] = pick<2>(block.whole.text, {"title", "context"});
  if (context.kind == Kind::string && !context.inside().empty()) parts.add_text(context.inside());
  const bool named = title.kind == Kind::string && !title.inside().empty();
  std::string part;
  json::Writer out(part);
  out.open_object().key("type").raw("\"file\"").key("file").open_object();
  out.key("filename").escaped(named ? title.inside() : "document.pdf");
  out.key("file_data").raw(joined({"data:application/pdf;base64,", source.data.inside()}));
  out.close_object().close_object();
  parts.add_part(part);
  return true;
}

bool add_document(const Block& block, ChatParts& parts, Notes& notes) {
  const SourceParts source = read_source(block);
  if (source.type == "base64") return add_pdf(block, source, parts, notes);
  if (source.type == "text") {
    if (source.data.kind != Kind::string) return refuse(block, "a document of text needs 'data'", notes);
    parts.add_text(heading(block) + std::string(source.data.inside()));
    return true;
  }
  if (source.type == "content") {
    if (std::string lines = heading(block); !lines.empty()) {
      lines.resize(lines.size() - 2);
      parts.add_text(lines);
    }
    if (source.content.kind == Kind::string) return parts.add_text(source.content.inside()), true;
    return each_element(source.content, [&](const Value& value, std::size_t at) {
      const Block inner = read_block(value, block.place + ".source.content." + std::to_string(at), notes);
      if (inner.kind != "text" && inner.kind != "image") return refuse(inner, "must be a text or an image", notes);
      return add_block(inner, parts, notes);
    });
  }
  return refuse(block, "a document must hold its text or its data: links and what lies at Anthropic cannot be sent",
                notes);
}

bool add_search_result(const Block& block, ChatParts& parts) {
  const auto [title, source, content] = pick<3>(block.whole.text, {"title", "source", "content"});
  std::string text;
  const auto add = [&](const Value& value) {
    if (value.kind != Kind::string || value.inside().empty()) return;
    if (!text.empty()) text += "\\n";
    text += value.inside();
  };
  add(title);
  add(source);
  each_element(content, [&](const Value& part, std::size_t) { return add(pick(part.text, "text")), true; });
  parts.add_text(text);
  return true;
}

/// A block of one string.
bool add_text_of(const Block& block, std::string_view name, ChatParts& parts, Notes& notes) {
  const Value text = pick(block.whole.text, name);
  if (text.kind != Kind::string) return refuse(block, "'" + std::string(name) + "' must be a string", notes);
  parts.add_text(text.inside());
  return true;
}

}  // namespace

Block read_block(const Value& value, std::string place, Notes& notes) {
  const auto [type, cache_control, citations] = pick<3>(value.text, {"type", "cache_control", "citations"});
  if (cache_control.is_given()) notes.leave_out(message_field("cache_control"));
  if (citations.truthy()) notes.leave_out(message_field("content.citations"));
  return {value, type, text_of(type), std::move(place)};
}

bool add_block(const Block& block, ChatParts& parts, Notes& notes) {
  const std::string_view kind = block.kind;
  if (same(kind, "text")) return add_text_of(block, "text", parts, notes);
  if (same(kind, "image")) return add_image(block, parts, notes);
  if (same(kind, "document")) return add_document(block, parts, notes);
  if (same(kind, "search_result")) return add_search_result(block, parts);
  if (same(kind, "tool_reference")) return add_text_of(block, "tool_name", parts, notes);
  if (kind.empty()) return refuse(block, "a block must be an object with a 'type'", notes);
  return refuse(block, "a block of this type cannot be sent to the provider of this model", notes);
}

bool add_content(const Value& content, std::string_view place, ChatParts& parts, Notes& notes) {
  if (!content.is_given()) return true;
  if (content.kind == Kind::string) {
    if (!content.inside().empty()) parts.add_text(content.inside());
    return true;
  }
  if (content.kind != Kind::array)
    return notes.refuse(std::string(place) + " must be a string or a list of blocks", place);
  return each_element(content, [&](const Value& value, std::size_t at) {
    return add_block(read_block(value, std::string(place) + "." + std::to_string(at), notes), parts, notes);
  });
}

}  // namespace tollgate::protocol::anthropic::inbound
