// Makes mutated request streams, parses each as the gateway does, and writes those that are accepted as JSON lines: the
// bytes of the request and what we understood. Usage: differential STREAMS SEED FILE [--spoil]
// With --spoil every hundredth record is changed to what we did not understand, so that comparers can be seen to
// notice.
#include "tollgate/protocol/http/chunked.hpp"
#include "tollgate/protocol/http/head.hpp"

#include "mutations.hpp"
#include "reading.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <unordered_set>

namespace tollgate::differential {
namespace {

using namespace protocol::http;

constexpr std::size_t spoil_every = 100;
constexpr int shown_disagreements = 20;

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xF];
  }
  return text;
}

/// Takes the body at the front of `bytes`; its size on the wire, or nothing where it is broken or not whole.
std::optional<std::size_t> read_body(const RequestHead& head, std::string_view bytes, std::string& body) {
  if (head.framing == Framing::none) return 0;
  if (head.framing == Framing::length) {
    if (head.content_length > bytes.size()) return std::nullopt;
    body = bytes.substr(0, head.content_length);
    return head.content_length;
  }
  ChunkedDecoder decoder(ChunkedDecoder::Side::request);
  std::size_t consumed = 0;
  while (decoder.state() == ChunkedDecoder::State::reading && consumed < bytes.size()) {
    const auto step = decoder.step(bytes.substr(consumed));
    body += step.content;
    consumed += step.consumed;
  }
  if (decoder.state() != ChunkedDecoder::State::complete) return std::nullopt;
  return consumed;
}

/// What the gateway understands of the first request of a stream, and how many bytes it takes for it.
std::optional<Reading> read(std::string_view stream, std::size_t& size) {
  RequestHead head;
  const ParseResult result = parse_request_head(stream, Limits{}, head);
  if (result.state != ParseState::complete) return std::nullopt;
  Reading reading;
  const auto body_size = read_body(head, stream.substr(result.size), reading.body);
  if (!body_size) return std::nullopt;
  size = result.size + *body_size;
  reading.method = head.method;
  reading.target = head.target;
  reading.http_1_0 = head.http_1_0;
  reading.framing = head.framing == Framing::chunked ? "chunked" : head.framing == Framing::length ? "length" : "none";
  reading.keep_alive = head.keep_alive;
  for (const Field& field : head.fields) reading.fields.emplace_back(field.name, field.value);
  return reading;
}

/// A misunderstanding of each kind in turn.
void spoil(Reading& reading, std::size_t number) {
  switch (number % 4) {
    case 0: reading.method += "X"; break;
    case 1: reading.target += "?"; break;
    case 2: reading.fields.emplace_back("X-Spoiled", "1"); break;
    default: reading.body += "x"; break;
  }
}

nlohmann::json to_json(const Reading& reading, std::string_view raw) {
  nlohmann::json fields = nlohmann::json::array();
  for (const auto& [name, value] : reading.fields) fields.push_back(nlohmann::json::array({name, value}));
  return {{"raw", to_hex(raw)},
          {"method", reading.method},
          {"target", reading.target},
          {"http_1_0", reading.http_1_0},
          {"fields", fields},
          {"framing", reading.framing},
          {"body", to_hex(reading.body)},
          {"keep_alive", reading.keep_alive}};
}

struct Counts {
  std::size_t accepted = 0;
  std::unordered_set<std::string> distinct;
  std::array<std::size_t, 3> beast{};  ///< by verdict
  std::vector<std::size_t> refused_records;
  std::vector<std::size_t> by_operator = std::vector<std::size_t>(Mutator::operators().size());
};

void report(std::size_t streams, std::uint32_t seed, const Counts& counts) {
  nlohmann::ordered_json by_operator;
  for (std::size_t i = 0; i < counts.by_operator.size(); ++i)
    by_operator[std::string(Mutator::operators()[i])] = counts.by_operator[i];
  const nlohmann::ordered_json line = {{"streams", streams},
                                       {"seed", seed},
                                       {"accepted", counts.accepted},
                                       {"distinct", counts.distinct.size()},
                                       {"peer", "Beast"},
                                       {"same", counts.beast[0]},
                                       {"refused", counts.beast[1]},
                                       {"disagree", counts.beast[2]},
                                       {"refused_records", counts.refused_records},
                                       {"accepted_by_operator", by_operator}};
  std::cout << line.dump() << '\n';
}

int run(std::size_t streams, std::uint32_t seed, const std::string& path, bool spoiled) {
  std::ofstream file(path, std::ios::binary);
  Mutator mutator(seed);
  Counts counts;
  for (std::size_t i = 0; i < streams; ++i) {
    const std::string stream = mutator.next();
    std::size_t size = 0;
    auto reading = read(stream, size);
    if (!reading) continue;
    ++counts.accepted;
    for (const std::size_t applied : mutator.applied()) ++counts.by_operator[applied];
    const std::string_view raw = std::string_view(stream).substr(0, size);
    counts.distinct.emplace(raw);
    if (spoiled && counts.accepted % spoil_every == 0) spoil(*reading, counts.accepted / spoil_every);
    file << to_json(*reading, raw).dump() << '\n';
    std::string why;
    const Verdict verdict = ask_beast(raw, *reading, why);
    ++counts.beast[static_cast<std::size_t>(verdict)];
    if (verdict == Verdict::refused) counts.refused_records.push_back(counts.accepted - 1);
    if (verdict == Verdict::disagree && counts.beast[2] <= shown_disagreements)
      std::cerr << "Beast disagrees (" << why << "): " << to_hex(raw) << '\n';
  }
  file.close();
  report(streams, seed, counts);
  if (!file) {
    std::cerr << path << ": cannot be written\n";
    return 1;
  }
  return counts.beast[2] == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tollgate::differential

int main(int count, char** arguments) {
  const bool spoiled = count == 5 && std::string_view(arguments[4]) == "--spoil";
  if (count != 4 && !spoiled) {
    std::cerr << "usage: differential STREAMS SEED FILE [--spoil]\n";
    return 2;
  }
  try {
    return tollgate::differential::run(std::stoul(arguments[1]), static_cast<std::uint32_t>(std::stoul(arguments[2])),
                                       arguments[3], spoiled);
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << '\n';
    return 2;
  }
}
