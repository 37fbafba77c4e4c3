#include "protocol/anthropic/answer/chunk_writer.hpp"

namespace tollgate::protocol::anthropic::answer {

ChunkWriter::ChunkWriter(bool with_usage, const AnswerNames& names) : with_usage_(with_usage), head_("data: ") {
  json::Writer writer(head_);
  writer.open_object();
  write_head(writer, "chat.completion.chunk", names);
  head_ += ',';
}

template <class WriteDelta>
void ChunkWriter::chunk(std::string& out, std::string_view reason, WriteDelta write_delta) const {
  out += head_;
  json::Writer writer(out);
  writer.key("choices").open_array().open_object().key("index").number(0).key("delta").open_object();
  write_delta(writer);
  writer.close_object().key("finish_reason");
  if (reason.empty())
    writer.null();
  else
    writer.text(reason);
  writer.close_object().close_array();
  if (with_usage_) writer.key("usage").null();
  writer.close_object();
  out += "\n\n";
}

void ChunkWriter::role(std::string& out) const {
  chunk(out, {}, [](json::Writer& delta) { delta.key("role").text("assistant").key("content").text(""); });
}

void ChunkWriter::text(std::string& out, std::string_view member, std::string_view inside) const {
  chunk(out, {}, [&](json::Writer& delta) { delta.key(member).escaped(inside); });
}

void ChunkWriter::annotations(std::string& out, std::string_view elements) const {
  chunk(out, {}, [&](json::Writer& delta) { delta.key("annotations").open_array().raw(elements).close_array(); });
}

void ChunkWriter::call(std::string& out, std::uint64_t index, const Call& call) const {
  chunk(out, {}, [&](json::Writer& delta) {
    delta.key("tool_calls").open_array().open_object().key("index").number(index);
    write_call(delta, call, {});
    delta.close_object().close_array();
  });
}

void ChunkWriter::call_input(std::string& out, std::uint64_t index, bool is_custom, std::string_view inside) const {
  chunk(out, {}, [&](json::Writer& delta) {
    delta.key("tool_calls").open_array().open_object().key("index").number(index);
    delta.key(is_custom ? "custom" : "function").open_object().key(is_custom ? "input" : "arguments").escaped(inside);
    delta.close_object().close_object().close_array();
  });
}

void ChunkWriter::finish(std::string& out, std::string_view reason) const {
  chunk(out, reason, [](json::Writer&) {});
}

void ChunkWriter::usage(std::string& out, const Usage& usage) const {
  out += head_;
  json::Writer writer(out);
  writer.key("choices").open_array().close_array().key("usage");
  write_usage(writer, usage);
  writer.close_object();
  out += "\n\n";
}

}  // namespace tollgate::protocol::anthropic::answer
