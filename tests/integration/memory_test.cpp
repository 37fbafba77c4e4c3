// What one slow reader, one large request and many idle connections cost, measured on the real program from outside.
// The bounds hold for an ordinary build: under a sanitizer memory is the sanitizer's, so there the figures are printed
// and the behaviour alone judged.
#include "stream_parts.hpp"
#include "support/paths.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/tollgate_process.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>

#include <iostream>
#include <memory>
#include <thread>
#include <vector>

namespace tollgate::test {
namespace {

constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool own_memory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool own_memory = false;
#else
constexpr bool own_memory = true;
#endif
#else
constexpr bool own_memory = true;
#endif

void report(const std::string& what, std::uint64_t bytes, std::uint64_t bound) {
  std::cout << what << ": " << bytes / KiB << " KiB (bound " << bound / KiB << " KiB)\n";
  testing::Test::RecordProperty(what, std::to_string(bytes));
  if (own_memory) {
    EXPECT_LE(bytes, bound) << what;
  }
}

std::uint64_t growth(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

/// SHA-256 over pieces.
class Checksum {
 public:
  Checksum() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size);
    digest.resize(size);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

/// Sends as much as goes until nothing has gone for `silence`; how much that was.
std::size_t send_until_stuck(RawSocket& socket, std::string_view bytes, std::chrono::milliseconds silence) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    pollfd entry{socket.descriptor(), POLLOUT, 0};
    if (::poll(&entry, 1, static_cast<int>(silence.count())) <= 0) break;
    const ssize_t count = ::send(socket.descriptor(), bytes.data() + sent,
                                 std::min<std::size_t>(bytes.size() - sent, 64 * KiB), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN) break;
  }
  return sent;
}

/// Takes the chunked framing off as it comes, so that a large body need not be held.
class ChunkedSum {
 public:
  explicit ChunkedSum(RawClient& client) : client_(client), text_(std::move(client.rest())) {}
  bool read_to_end(Checksum& sum) {
    for (;;) {
      std::size_t line_end;
      while ((line_end = text_.find("\r\n", at_)) == std::string::npos)
        if (!more()) return false;
      std::size_t left = std::stoul(text_.substr(at_, line_end - at_), nullptr, 16);
      at_ = line_end + 2;
      if (left == 0) return true;
      for (left += 2; left > 0;) {
        if (at_ == text_.size() && !more()) return false;
        const std::size_t step = std::min(left, text_.size() - at_);
        sum.add(std::string_view(text_).substr(at_, left <= 2 ? 0 : std::min(step, left - 2)));
        at_ += step;
        left -= step;
      }
    }
  }

 private:
  bool more() {
    text_.erase(0, at_);
    at_ = 0;
    const auto piece = client_.socket().receive();
    if (!piece || piece->empty()) return false;
    text_ += *piece;
    return true;
  }
  RawClient& client_;
  std::string text_;
  std::size_t at_ = 0;
};

// --- a slow reader ---

/// A megabyte of events about as large as providers make them, and the chunks that carry it, which cut them anywhere.
struct Flood {
  std::string events, chunks;
  Flood() {
    while (events.size() < MiB) events += token(std::string(200 + events.size() % 700, 'x'));
    for (std::size_t at = 0; at < events.size(); at += 3001) chunks += chunk(events.substr(at, 3001));
  }
};

/// A stream whose client has read its beginning and then reads no more, while the upstream sends what goes.
class SlowStream {
 public:
  SlowStream(const TollgateProcess& gateway, RawUpstream& upstream, const Flood& flood)
      : client_(gateway.address()), flood_(flood) {
    client_.socket().set_receive_buffer(64 * KiB);
    client_.send(post("/v1/chat/completions", chat_body("m", true)));
    connection_ = upstream.accept();
    const int small = 64 * KiB;
    ::setsockopt(connection_.descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    RawUpstream::read_request(connection_);
    connection_.send(stream_head + chunk(token("first")));
    EXPECT_EQ(client_.read_head().status, 200);
    send_until_held_up();
  }

  std::uint64_t sent() const { return whole_ * flood_.chunks.size() + part_; }

  /// Goes on to `floods` of them in all, and reads: true where every byte arrived.
  bool finish(std::size_t floods) {
    std::thread pusher([&] {
      EXPECT_TRUE(connection_.send(std::string_view(flood_.chunks).substr(part_)));
      for (std::size_t i = whole_ + 1; i < floods; ++i) EXPECT_TRUE(connection_.send(flood_.chunks));
      EXPECT_TRUE(connection_.send(chunk(finish_event + done_event) + last_chunk));
    });
    Checksum wanted, got;
    wanted.add(token("first"));
    for (std::size_t i = 0; i < floods; ++i) wanted.add(flood_.events);
    wanted.add(finish_event + done_event);
    const bool complete = ChunkedSum(client_).read_to_end(got);
    pusher.join();
    return complete && got.finish() == wanted.finish();
  }

 private:
  void send_until_held_up() {
    constexpr std::size_t far_too_many = 200;
    while (whole_ < far_too_many) {
      part_ = send_until_stuck(connection_, flood_.chunks, std::chrono::milliseconds(700));
      if (part_ < flood_.chunks.size()) return;
      ++whole_;
    }
    ADD_FAILURE() << "the gateway took everything though its client read nothing";
  }

  RawClient client_;
  RawSocket connection_;
  const Flood& flood_;
  std::size_t whole_ = 0, part_ = 0;
};

TEST(Memory, of_a_stream_whose_client_does_not_read_is_256_KiB_at_most) {
  constexpr std::size_t loops = 2, more = 4, floods = 200;
  const Flood flood;
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()), "write_timeout: 10m");
  const std::uint64_t at_rest = gateway.memory("VmRSS");
  // The first stream of each event loop also pays for what the loop has only once.
  std::vector<std::unique_ptr<SlowStream>> streams;
  for (std::size_t i = 0; i < loops; ++i) streams.push_back(std::make_unique<SlowStream>(gateway, upstream, flood));
  const std::uint64_t before = gateway.anonymous_memory();
  for (std::size_t i = 0; i < more; ++i) streams.push_back(std::make_unique<SlowStream>(gateway, upstream, flood));
  report("slow_reader", growth(gateway.anonymous_memory(), before) / more, 256 * KiB);

  // What the upstream could send beyond that lies in the kernel's buffers, and those end too.
  const std::uint64_t sent = streams.front()->sent();
  std::cout << "the upstream could send " << sent / KiB << " KiB before it was held up\n";
  RecordProperty("sent_before_held_up", std::to_string(sent));
  EXPECT_LT(sent, 64 * MiB);

  EXPECT_TRUE(streams.front()->finish(floods));
  report("peak_with_6_slow_readers_and_200_MiB", growth(gateway.memory("VmHWM"), at_rest), 2 * MiB);
}

// --- a large request ---

enum class Framing { length, chunked };

/// Sends a large request through and gives the peak of the gateway's memory above its rest.
void expect_peak(const std::string& what, const std::string& path, const std::string& body, Framing framing) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()), "max_body: 64MiB");
  RawClient client(gateway.address());
  client.send(get("/health/live"));
  EXPECT_EQ(client.read_answer().status, 200);
  gateway.reset_peak();
  const std::uint64_t before = gateway.memory("VmRSS");
  if (framing == Framing::length) {
    ASSERT_TRUE(client.send(post(path, body)));
  } else {
    ASSERT_TRUE(client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (std::size_t at = 0; at < body.size(); at += MiB) ASSERT_TRUE(client.send(chunk(body.substr(at, MiB))));
    ASSERT_TRUE(client.send(last_chunk));
  }
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  // Behind the model, which was replaced. Not EXPECT_EQ: it would print both.
  EXPECT_TRUE(request.body.substr(request.body.find(',')) == body.substr(body.find(',')));
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);
  const std::uint64_t peak = growth(gateway.memory("VmHWM"), before);
  std::cout << what << ": peak is " << static_cast<double>(peak) / static_cast<double>(body.size())
            << " times the body\n";
  report(what, peak, body.size() * 3 / 2);
}

std::string prose(std::size_t size) {
  std::string text = R"({"model":"up/q","messages":[{"role":"user","content":")";
  while (text.size() < size)
    text += "The quick brown fox says \\\"gr\\u00fc\xC3\x9F dich\\\" and\\nwalks on, 1234567890 times. ";
  return text + "\"}]}";
}

std::string token_arrays(std::size_t size) {
  std::string text = R"({"model":"up/q","input":[)";
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += i == 0 ? "[" : "],[";
    for (std::size_t j = 0; j < 8192; ++j)
      text += (j == 0 ? "" : ",") + std::to_string((i * 8192 + j * 7919) % 100'000);
  }
  return text + "]]}";
}

TEST(Memory, of_a_50_MB_request_is_one_and_a_half_times_its_body_at_most) {
  expect_peak("prose_50_MB", "/v1/chat/completions", prose(50'000'000), Framing::length);
  expect_peak("token_arrays_50_MB", "/v1/embeddings", token_arrays(50'000'000), Framing::length);
  expect_peak("prose_50_MB_chunked", "/v1/chat/completions", prose(50'000'000), Framing::chunked);
}

// --- an endless event ---

TEST(Memory, of_an_event_that_never_ends_stays_small_and_the_stream_fails_at_its_cap) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  const std::uint64_t before = gateway.memory("VmRSS");
  std::uint64_t sent = 0;
  std::thread pusher([&] {
    const std::string piece = chunk("data: " + std::string(MiB, 'x'));
    if (!connection.send(stream_head)) return;
    for (sent = 0; sent < 256 * MiB && connection.send(piece);) sent += piece.size();
  });
  Answer answer = client.read_answer();
  pusher.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  EXPECT_GE(answer.body.size(), 15 * MiB);
  EXPECT_LE(answer.body.size(), 17 * MiB);
  EXPECT_NE(answer.body.find("\n\ndata: {\"error\":{"), std::string::npos)
      << answer.body.substr(answer.body.size() - 300);
  EXPECT_LT(sent, 256 * MiB);
  report("endless_event_growth", growth(gateway.memory("VmHWM"), before), 8 * MiB);
}

TEST(Memory, of_a_head_that_never_ends_stays_small) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  const std::uint64_t before = gateway.memory("VmRSS");
  const std::string field = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  connection.send("HTTP/1.1 200 OK\r\n");
  while (connection.send(field)) {
  }
  EXPECT_EQ(client.read_answer().status, 502);
  report("endless_head_growth", growth(gateway.memory("VmHWM"), before), MiB);
}

TEST(Memory, of_a_client_that_asks_without_reading_stays_small_and_all_is_answered) {
  constexpr std::size_t requests = 100'000;
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()));
  RawClient client(gateway.address());
  client.socket().set_receive_buffer(64 * KiB);
  const std::string one = get("/health/live", "X-Padding: " + std::string(400, 'x') + "\r\n");
  std::string all;
  for (std::size_t i = 0; i < requests; ++i) all += one;
  const std::uint64_t before = gateway.memory("VmRSS");
  const std::size_t sent = send_until_stuck(client.socket(), all, std::chrono::milliseconds(700));
  EXPECT_LT(sent, all.size());
  report("unread_answers_growth", growth(gateway.memory("VmHWM"), before), MiB);

  std::thread pusher([&] { EXPECT_TRUE(client.socket().send(std::string_view(all).substr(sent))); });
  std::size_t answered = 0;
  while (answered < requests && client.read_answer().status == 200) ++answered;
  pusher.join();
  EXPECT_EQ(answered, requests);
}

// --- at rest ---

TEST(Memory, of_idle_connections_is_printed) {
  constexpr std::size_t connections = 1000;
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()));
  std::vector<RawClient> clients;
  const auto add = [&] {
    clients.emplace_back(gateway.address());
    clients.back().send(get("/health/live"));
    EXPECT_EQ(clients.back().read_answer().status, 200);
  };
  for (int i = 0; i < 20; ++i) add();
  const std::uint64_t before = gateway.memory("VmRSS");
  while (clients.size() < connections + 20) add();
  const std::uint64_t each = growth(gateway.memory("VmRSS"), before) / connections;
  std::cout << "an idle keep-alive connection: " << each << " bytes\n";
  RecordProperty("idle_connection_bytes", std::to_string(each));
}

}  // namespace
}  // namespace tollgate::test
