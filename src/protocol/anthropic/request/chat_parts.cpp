// Parts are read one by one and become blocks or a reason to refuse the request: nothing that a model was to see may
// get lost on the way unannounced.
#include "protocol/anthropic/request/chat_parts.hpp"

#include "protocol/anthropic/request/chat_text.hpp"
#include "protocol/anthropic/request/media.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

constexpr std::string_view pdf = "application/pdf";

bool is_picture(std::string_view media_type) {
  constexpr std::array<std::string_view, 4> known = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  return std::ranges::find(known, media_type) != known.end();
}

bool is_text(std::string_view media_type) {
  constexpr std::array<std::string_view, 8> others = {
      "application/json", "application/xml",        "application/yaml", "application/x-yaml",
      "application/toml", "application/javascript", "application/sql",  "application/x-ndjson"};
  return media_type.starts_with("text/") || std::ranges::find(others, media_type) != others.end();
}

bool is_https(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  return url.size() > scheme.size() && std::ranges::equal(url.substr(0, scheme.size()), scheme, {}, [](char byte) {
           return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
         });
}

class PartWriter {
 public:
  PartWriter(Blocks& blocks, const ContentPlace& place, std::size_t part, Findings& findings)
      : blocks_(blocks), place_(place), part_(part), findings_(findings) {}

  bool write(const Value& part);

 private:
  bool write_text(const Value& text);
  bool write_picture(const Value& picture);
  bool write_data_picture(const DataUrl& url);
  bool write_file(const Value& file);
  bool write_pdf(std::string_view data, std::string_view title);
  bool write_text_file(std::string_view data, std::string_view title);
  bool refuse(std::string message, std::string_view code = {}) {
    return findings_.refuse(param() + ": " + std::move(message), param(), code);
  }
  std::string param() const { return place_of("messages", place_.message, place_of("content", part_)); }

  Blocks& blocks_;
  const ContentPlace& place_;
  std::size_t part_;
  Findings& findings_;
};

bool PartWriter::write(const Value& part) {
  if (part.kind != Kind::object) return refuse("a part must be an object");
  const auto [type, text, refusal, picture, file] =
      json::pick<5>(part.text, {"type", "text", "refusal", "image_url", "file"});
  if (type.kind != Kind::string || type.inside().size() > 64) return refuse("a part needs a 'type'");
  const std::string name = json::decode_lossy(type.inside());
  if (name == "text") return write_text(text);
  if (name == "refusal" && place_.speaker == Speaker::assistant) return write_text(refusal);
  if (name == "input_audio") return findings_.refuse(Field::part_input_audio, param());
  const bool may_show = place_.speaker == Speaker::user || place_.speaker == Speaker::tool;
  if (name == "image_url" && may_show) return write_picture(picture);
  if (name == "file" && may_show) return write_file(file);
  return refuse("a part of this type cannot be handed on to Claude here", unsupported_value);
}

bool PartWriter::write_text(const Value& text) {
  if (text.kind != Kind::string) return refuse("the part's text must be a string");
  write_text_block(blocks_, text.inside());
  return true;
}

bool PartWriter::write_picture(const Value& picture) {
  Value url = picture, detail;
  if (picture.kind == Kind::object) {
    const auto members = json::pick<2>(picture.text, {"url", "detail"});
    url = members[0];
    detail = members[1];
  }
  if (url.kind != Kind::string) return refuse("'image_url.url' must be a string");
  if (detail.truthy() && detail.text != "\"auto\"" && !findings_.drop(Field::part_image_detail, param())) return false;
  std::string kept;
  const std::string_view address = plain_or_decoded(url.inside(), kept);
  if (const auto data = read_data_url(address)) return write_data_picture(*data);
  if (!is_https(address)) return refuse("an image must be an https URL or a data URL", unsupported_value);
  json::Writer writer = blocks_.next();
  writer.open_object().key("type").text("image").key("source").open_object();
  writer.key("type").text("url").key("url").text(address).close_object().close_object();
  return true;
}

bool PartWriter::write_data_picture(const DataUrl& url) {
  std::string kept;
  const auto data = url.base64 ? clean_base64(url.data, kept) : std::nullopt;
  if (!data) return refuse("the image's data URL must hold base64", unsupported_value);
  std::string_view type = sniff_media_type(*data);
  if (type.empty()) type = url.media_type == "image/jpg" ? "image/jpeg" : std::string_view(url.media_type);
  if (!is_picture(type)) return refuse("an image must be a JPEG, PNG, GIF or WebP", unsupported_value);
  json::Writer writer = blocks_.next();
  writer.open_object().key("type").text("image").key("source").open_object();
  writer.key("type").text("base64").key("media_type").text(type).key("data").escaped(*data);
  writer.close_object().close_object();
  return true;
}

bool PartWriter::write_file(const Value& file) {
  const auto [data, id, name] = json::pick<3>(file.text, {"file_data", "file_id", "filename"});
  if (data.kind != Kind::string && id.kind != Kind::none && !id.is_null())
    return findings_.refuse(Field::part_file_id, param());
  if (data.kind != Kind::string) return refuse("'file.file_data' must be a string");
  std::string kept, clean;
  const std::string_view text = plain_or_decoded(data.inside(), kept);
  const DataUrl url = read_data_url(text).value_or(DataUrl{.media_type = {}, .base64 = true, .data = text});
  const auto bytes = url.base64 ? clean_base64(url.data, clean) : std::nullopt;
  if (!bytes) return refuse("'file.file_data' must hold base64", unsupported_value);
  const std::string_view title = name.kind == Kind::string ? name.inside() : std::string_view();
  if (url.media_type == pdf || sniff_media_type(*bytes) == pdf) return write_pdf(*bytes, title);
  if (is_text(url.media_type)) return write_text_file(*bytes, title);
  return refuse("a file must be a PDF or text, as a data URL", unsupported_value);
}

void open_document(json::Writer& writer, std::string_view title) {
  writer.open_object().key("type").text("document");
  if (is_blank(title)) return;
  writer.key("title");
  write_text(writer, title);
}

bool PartWriter::write_pdf(std::string_view data, std::string_view title) {
  json::Writer writer = blocks_.next();
  open_document(writer, title);
  writer.key("source").open_object().key("type").text("base64").key("media_type").text(pdf);
  writer.key("data").escaped(data).close_object().close_object();
  return true;
}

bool PartWriter::write_text_file(std::string_view data, std::string_view title) {
  const std::string text = decode_base64(data);
  if (find_broken_utf8(text) != std::string_view::npos) return refuse("the file must be UTF-8 text", unsupported_value);
  if (without_end_blanks(text).empty()) return true;
  json::Writer writer = blocks_.next();
  open_document(writer, title);
  writer.key("source").open_object().key("type").text("text").key("media_type").text("text/plain");
  writer.key("data").text(text).close_object().close_object();
  return true;
}

}  // namespace

void write_text_block(Blocks& blocks, std::string_view inside) {
  if (is_blank(inside)) return;
  json::Writer writer = blocks.next();
  writer.open_object().key("type").text("text").key("text");
  write_text(writer, inside);
  writer.close_object();
}

bool write_content(Blocks& blocks, const Value& content, const ContentPlace& place, Findings& findings,
                   std::optional<CacheMark>* mark) {
  if (content.kind == Kind::none || content.is_null()) return true;
  if (content.kind == Kind::string) {
    write_text_block(blocks, content.inside());
    return true;
  }
  const std::string param = place_of("messages", place.message, "content");
  json::Reader reader(content.text);
  if (!reader.enter_array()) return findings.refuse("'" + param + "' must be a string or a list of parts", param);
  for (std::size_t part = 0; reader.next_element(); ++part) {
    const Value value = reader.take();
    const std::size_t before = blocks.written().text.size();
    if (!PartWriter(blocks, place, part, findings).write(value)) return false;
    const auto [control, breakpoint] = json::pick<2>(value.text, {"cache_control", "prompt_cache_breakpoint"});
    std::optional<CacheMark> here;
    if (!read_cache_mark(control, breakpoint, place.breakpoint_hour, here, findings)) return false;
    if (!here || blocks.written().text.size() == before) continue;
    if (mark != nullptr)
      *mark = here;
    else
      blocks.mark_last(*here);
  }
  return true;
}

}  // namespace tollgate::protocol::anthropic::request
