// The line is read back with a JSON parser, since whoever reads the log will; the log itself writes into temporary
// files and into a pipe whose reader stops or leaves.
#include "tollgate/io/access_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace {

using namespace tollgate;
using io::AccessLog;
using io::format_access_line;
using nlohmann::json;
using pipeline::RequestRecord;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

RequestRecord small_record() {
  RequestRecord record;
  record.request_id = "0190f3c2-0000-7000-8000-000000000001";
  record.method = "POST";
  record.endpoint = "/v1/chat/completions";
  record.status = 200;
  return record;
}

RequestRecord full_record() {
  RequestRecord record = small_record();
  record.client_request_id = "client-1";
  record.upstream_request_id = "req_abc";
  record.route = "default";
  record.task = "chat";
  record.model = "small";
  record.target = "openai/gpt-small";
  record.outcome = pipeline::Outcome::truncated;
  record.ended_by = pipeline::EndedBy::upstream;
  record.phase = pipeline::Phase::relay;
  record.error_code = "upstream_error";
  record.stream = true;
  record.usage = {.input = 100, .cached_input = 40, .output = 20, .reasoning = 5};
  record.bytes_in = 1234;
  record.bytes_out = 56789;
  record.attempts.resize(2);
  record.attempts[0].replayed = true;
  record.attempts[1].credential = "main";
  record.attempts[1].reused = true;
  record.began_at = SystemTime(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + 13h + 4min + 5s + 6ms);
  record.duration = 1'234'567us;
  record.first_token = 200'040us;
  record.waited_for_upstream = 1'234'000us;
  return record;
}

TEST(AccessLine, holds_every_field_of_a_full_record) {
  const std::string line = format_access_line(full_record());
  EXPECT_EQ(line,
            R"({"time":"2024-02-29T13:04:05.006Z","request_id":"0190f3c2-0000-7000-8000-000000000001",)"
            R"("client_request_id":"client-1","upstream_request_id":"req_abc","method":"POST",)"
            R"("endpoint":"/v1/chat/completions","route":"default","task":"chat","model":"small",)"
            R"("target":"openai/gpt-small","credential":"main","attempts":2,"reused":true,"replayed":true,)"
            R"("status":200,"outcome":"truncated","ended_by":"upstream","phase":"relay","error_code":"upstream_error",)"
            R"("stream":true,"input_tokens":100,"cached_input_tokens":40,"output_tokens":20,"reasoning_tokens":5,)"
            R"("bytes_in":1234,"bytes_out":56789,"duration_ms":1234.567,"first_token_ms":200.040,)"
            R"("upstream_ms":1234.000,"overhead_us":567})"
            "\n");
}

TEST(AccessLine, tells_an_estimate_from_what_a_provider_has_counted) {
  auto record = full_record();
  record.estimated = true;
  EXPECT_EQ(json::parse(format_access_line(record)).at("estimated"), true);
}

TEST(AccessLine, leaves_out_what_does_not_apply) {
  const json line = json::parse(format_access_line(small_record()));
  for (const char* absent :
       {"client_request_id", "upstream_request_id", "route", "task", "model", "target", "credential", "reused",
        "replayed", "error_code", "input_tokens", "estimated", "first_token_ms"}) {
    EXPECT_FALSE(line.contains(absent)) << absent;
  }
  EXPECT_EQ(line.at("attempts"), 0);
  EXPECT_EQ(line.at("time"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(line.at("duration_ms"), 0);
}

/// The client's id as it stands in the line, escapes and all.
std::string written(const std::string& value) {
  auto record = small_record();
  record.client_request_id = value;
  const std::string line = format_access_line(record);
  EXPECT_TRUE(json::accept(line)) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const std::string key = R"("client_request_id":")";
  const auto start = line.find(key) + key.size();
  return line.substr(start, line.find(R"(","method")") - start);
}

TEST(AccessLine, escapes_what_would_break_the_line_or_a_terminal) {
  EXPECT_EQ(written("a\"b\\c/d"), R"(a\"b\\c/d)");
  EXPECT_EQ(written("\r\n\t\x1b[31m\x7f"), R"(\u000d\u000a\u0009\u001b[31m\u007f)");
  EXPECT_EQ(written(std::string("a\0b", 3)), R"(a\u0000b)");
  EXPECT_EQ(written("\xC2\x85|\xC2\xA0"), "\\u0085|\xC2\xA0");
  EXPECT_EQ(written("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA"), "\\u2028\\u2029\xE2\x80\xAA");
}

TEST(AccessLine, keeps_text_in_every_script) {
  const std::string text = "Grüße, мир, 世界, 🌍";
  EXPECT_EQ(written(text), text);
}

TEST(AccessLine, replaces_bytes_that_are_not_utf8) {
  EXPECT_EQ(written("a\xFFz"), R"(a\ufffdz)");
  EXPECT_EQ(written("\xC0\xAF"), R"(\ufffd\ufffd)") << "overlong";
  EXPECT_EQ(written("\xE0\x80\xAF"), R"(\ufffd\ufffd\ufffd)") << "overlong";
  EXPECT_EQ(written("\xED\xA0\x80"), R"(\ufffd\ufffd\ufffd)") << "surrogate";
  EXPECT_EQ(written("\xF4\x90\x80\x80"), R"(\ufffd\ufffd\ufffd\ufffd)") << "above the last code point";
  EXPECT_EQ(written("\xE4\xB8"), R"(\ufffd\ufffd)") << "cut short";
  EXPECT_EQ(written("\x80\xE4\xB8\x96"), "\\ufffd世");
}

TEST(AccessLine, is_one_valid_line_for_every_pair_of_bytes) {
  for (int pair = 0; pair < 256 * 256; ++pair) {
    auto record = small_record();
    const std::string id{static_cast<char>(pair >> 8), static_cast<char>(pair & 0xFF)};
    record.client_request_id = id;
    const std::string line = format_access_line(record);
    ASSERT_TRUE(json::accept(line)) << pair;
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << pair;
  }
}

TEST(AccessLine, bounds_every_string) {
  auto record = full_record();
  const std::string endless(100'000, '\x01');  // the longest escape
  record.upstream_request_id = record.error_code = endless;
  record.client_request_id = endless;
  // These hold no byte that would need an escape, and are written as they are.
  const std::string endless_name(100'000, 'a');
  for (std::string_view* field :
       {&record.request_id, &record.method, &record.endpoint, &record.tenant, &record.key, &record.task, &record.route,
        &record.model, &record.target, &record.attempts.back().credential})
    *field = endless_name;
  const std::string line = format_access_line(record);
  EXPECT_LT(line.size(), 24u * 1024);
  EXPECT_EQ(json::parse(line).at("error_code"), std::string(256, '\x01'));
  EXPECT_EQ(json::parse(line).at("endpoint"), std::string(256, 'a'));
}

TEST(AccessLine, negative_times_are_zero) {
  auto record = small_record();
  record.duration = -5us;
  record.waited_for_upstream = -7us;
  const json line = json::parse(format_access_line(record));
  EXPECT_EQ(line.at("duration_ms"), 0);
  EXPECT_EQ(line.at("upstream_ms"), 0);
}

class AccessLogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "access_log_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const char* name = "access.log") const { return (folder_ / name).string(); }
  static std::vector<json> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }
  static RequestRecord numbered(std::uint64_t number) {
    auto record = small_record();
    record.bytes_in = number;
    return record;
  }

  std::filesystem::path folder_;
};

TEST_F(AccessLogFile, holds_every_line_of_every_worker_in_its_order) {
  constexpr std::uint64_t count = 8'000;  // fits the buffer, should the disk be slow
  auto log = AccessLog::open(path()).value();
  std::vector<std::thread> threads;
  for (const std::uint16_t id : {1, 2, 3}) {
    threads.emplace_back([&worker = log->add_worker(), id] {
      for (std::uint64_t i = 0; i < count; ++i) {
        auto record = numbered(i);
        record.status = id;
        worker.write(record);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(log->flush(60s));
  EXPECT_EQ(log->dropped(), 0u);
  std::map<int, std::uint64_t> next;
  for (const auto& line : lines_of(path())) ASSERT_EQ(line.at("bytes_in"), next[line.at("status")]++);
  EXPECT_EQ(next, (std::map<int, std::uint64_t>{{1, count}, {2, count}, {3, count}}));
}

TEST_F(AccessLogFile, is_written_without_being_asked_and_at_the_end) {
  {
    auto log = AccessLog::open(path()).value();
    log->add_worker().write(numbered(1));
  }
  EXPECT_EQ(lines_of(path()).size(), 1u);
}

TEST_F(AccessLogFile, is_appended_to) {
  for (int i = 0; i < 2; ++i) AccessLog::open(path()).value()->add_worker().write(numbered(1));
  EXPECT_EQ(lines_of(path()).size(), 2u);
}

TEST_F(AccessLogFile, goes_on_in_a_new_file_after_rotation) {
  auto log = AccessLog::open(path()).value();
  auto& worker = log->add_worker();
  worker.write(numbered(1));
  ASSERT_TRUE(log->flush());
  std::filesystem::rename(path(), path("old.log"));
  worker.write(numbered(2));
  ASSERT_TRUE(log->flush());
  ASSERT_TRUE(log->reopen().has_value());
  worker.write(numbered(3));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(lines_of(path("old.log")).size(), 2u);
  ASSERT_EQ(lines_of(path()).size(), 1u);
  EXPECT_EQ(lines_of(path()).front().at("bytes_in"), 3);
}

TEST_F(AccessLogFile, stays_with_the_old_file_where_the_new_one_cannot_be_opened) {
  std::filesystem::create_directory(folder_ / "sub");
  auto log = AccessLog::open(path("sub/access.log")).value();
  auto& worker = log->add_worker();
  std::filesystem::rename(folder_ / "sub", folder_ / "moved");
  const auto reopened = log->reopen();
  ASSERT_TRUE(reopened.has_error());
  EXPECT_THAT(reopened.error().message, HasSubstr(path("sub/access.log")));
  worker.write(numbered(1));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(lines_of(path("moved/access.log")).size(), 1u);
}

TEST_F(AccessLogFile, a_destination_that_cannot_be_opened_is_named) {
  const auto log = AccessLog::open(path("none/access.log"));
  ASSERT_TRUE(log.has_error());
  EXPECT_THAT(log.error().message, HasSubstr(path("none/access.log")));
  EXPECT_THAT(log.error().message, HasSubstr("No such file"));
}

TEST_F(AccessLogFile, lines_that_the_destination_refuses_are_counted) {
  auto log = AccessLog::open("/dev/full").value();
  auto& worker = log->add_worker();
  for (std::uint64_t i = 0; i < 10; ++i) worker.write(numbered(i));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->dropped(), 10u);
}

TEST(AccessLogOff, writes_and_counts_nothing) {
  auto log = AccessLog::open("off").value();
  log->add_worker().write(small_record());
  EXPECT_TRUE(log->flush());
  EXPECT_TRUE(log->reopen().has_value());
  EXPECT_EQ(log->dropped(), 0u);
}

/// A pipe whose reading end does what the test says.
class AccessLogPipe : public AccessLogFile {
 protected:
  void SetUp() override {
    AccessLogFile::SetUp();
    ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
    reader_ = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader_, 0);
    log_ = AccessLog::open(path()).value();
    ASSERT_EQ(fcntl(reader_, F_SETFL, 0), 0);
  }
  void TearDown() override {
    if (reader_ >= 0) ::close(reader_);
    AccessLogFile::TearDown();
  }
  /// Writes until a line was dropped; how many were written in all.
  std::uint64_t overfill(AccessLog::Worker& worker) {
    std::uint64_t written = 0;
    while (log_->dropped() == 0 && written < 1'000'000) worker.write(numbered(written++));
    return written;
  }

  int reader_ = -1;
  std::unique_ptr<AccessLog> log_;
};

TEST_F(AccessLogPipe, a_reader_that_stops_costs_lines_and_nothing_else) {
  auto& worker = log_->add_worker();
  const std::uint64_t written = overfill(worker);
  EXPECT_EQ(log_->dropped(), 1u);
  EXPECT_FALSE(log_->flush(1ms));

  std::string received;
  std::thread reading([&] {
    std::array<char, 65536> block;
    for (ssize_t count; (count = ::read(reader_, block.data(), block.size())) > 0;) {
      received.append(block.data(), static_cast<std::size_t>(count));
    }
  });
  EXPECT_TRUE(log_->flush(60s));
  log_.reset();  // closes the pipe, and so ends the reading
  reading.join();
  std::istringstream lines(received);
  std::uint64_t next = 0;
  for (std::string line; std::getline(lines, line);) ASSERT_EQ(json::parse(line).at("bytes_in"), next++);
  EXPECT_EQ(next, written - 1);
}

TEST_F(AccessLogPipe, a_stuck_destination_does_not_hold_up_the_end) {
  overfill(log_->add_worker());
  const auto before = std::chrono::steady_clock::now();
  log_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST_F(AccessLogPipe, a_reader_that_leaves_is_an_error_and_no_signal) {
  ::close(std::exchange(reader_, -1));
  auto& worker = log_->add_worker();
  worker.write(numbered(1));
  worker.write(numbered(2));
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(log_->dropped(), 2u);
}

}  // namespace
