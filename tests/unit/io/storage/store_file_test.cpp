// Opening: what is made, what is refused, and that what is refused is left as it was, since somebody will want to
// repair it.
#include "store_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace tollgate::io::storage_tests {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

unsigned mode_of(const fs::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

class StoreFile : public StoreTest {
 protected:
  /// A closed store with something in it.
  void SetUp() override {
    StoreTest::SetUp();
    ASSERT_TRUE(add(key_row("1")));
    close();
  }
  /// Opens with these bytes in place of the store's, and finds them unchanged.
  std::string refusal_of(const std::string& bytes) {
    overwrite(bytes);
    const std::string said = refusal();
    EXPECT_THAT(said, HasSubstr(path));
    EXPECT_TRUE(content() == bytes) << "the file was touched";
    return said;
  }
};

TEST_F(StoreFile, is_made_for_its_owner_alone_and_so_are_its_folders) {
  path = (folder / "var/lib/tollgate.db").string();
  open();
  ASSERT_TRUE(add(key_row("1")));
  EXPECT_EQ(mode_of(folder / "var"), 0700u);
  EXPECT_EQ(mode_of(folder / "var/lib"), 0700u);
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) EXPECT_EQ(mode_of(path + suffix), 0600u) << suffix;
}

TEST_F(StoreFile, may_be_there_and_empty) {
  path = (folder / "empty.db").string();
  std::ofstream{path};
  open();
  ASSERT_TRUE(add(key_row("1")));
  reopen();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(key_row("1")));
}

TEST_F(StoreFile, may_be_named_relative_to_the_working_directory) {
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  path = "here.db";
  open();
  EXPECT_TRUE(fs::exists(folder / "here.db"));
  fs::current_path(before);
}

TEST_F(StoreFile, leaves_no_log_behind_when_closed) {
  EXPECT_FALSE(fs::exists(path + "-wal"));
  EXPECT_FALSE(fs::exists(path + "-shm"));
}

TEST_F(StoreFile, is_not_opened_where_a_folder_cannot_be_made) {
  std::ofstream(folder / "plain") << "a file";
  path = (folder / "plain/tollgate.db").string();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path), HasSubstr("Not a directory")));
  path = (folder / "plain/below/tollgate.db").string();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path), HasSubstr("Not a directory")));
}

TEST_F(StoreFile, is_no_folder_no_pipe_and_has_a_name) {
  path = (folder / "folder.db").string();
  fs::create_directory(path);
  EXPECT_THAT(refusal(), HasSubstr("Is a directory"));
  path = (folder / "pipe.db").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
  path = "";
  EXPECT_THAT(refusal(), HasSubstr("the path is empty"));
  path = std::string("a\0b", 3);
  EXPECT_THAT(refusal(), HasSubstr("NUL"));
}

TEST_F(StoreFile, serves_one_process_at_a_time) {
  open();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path), HasSubstr("another process is using it"), HasSubstr("storage.path")));
  const std::string real = path;
  path = (folder / "link.db").string();
  fs::create_symlink(real, path);
  EXPECT_THAT(refusal(), HasSubstr("another process is using it")) << "by another name";
  path = real;
  ASSERT_TRUE(add(key_row("2"))) << "and the first one goes on";
  reopen();
  EXPECT_EQ(store->load_keys().value().size(), 2u);
}

TEST_F(StoreFile, is_free_again_once_the_process_that_had_it_was_killed) {
  // The child holds the lock as a store does, and ends without a word.
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // should the test end before it ends this
    const auto opened = Store::open(path);
    const char outcome = opened ? 'y' : 'n';
    static_cast<void>(!write(ready[1], &outcome, 1));
    for (;;) pause();
  }
  char outcome = 0;
  EXPECT_EQ(read(ready[0], &outcome, 1), 1);
  EXPECT_EQ(outcome, 'y');
  EXPECT_THAT(refusal(), HasSubstr("another process is using it"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  open();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(key_row("1")));
}

TEST_F(StoreFile, of_an_interrupted_first_start_is_begun_anew) {
  ASSERT_EQ(raw("PRAGMA user_version = 0"), "");
  path = (folder / "begun.db").string();
  ASSERT_EQ(raw("PRAGMA journal_mode = WAL"), "");  // so far it came
  open();
  EXPECT_TRUE(add(key_row("1")));
}

TEST_F(StoreFile, of_a_newer_version_is_refused) {
  ASSERT_EQ(raw("PRAGMA user_version = 99"), "");
  EXPECT_THAT(refusal_of(content()), AllOf(HasSubstr("version 99"), HasSubstr("knows up to 2")));
  ASSERT_EQ(raw("PRAGMA user_version = -1"), "");
  EXPECT_THAT(refusal_of(content()), HasSubstr("version -1"));
}

TEST_F(StoreFile, of_another_program_is_refused) {
  path = (folder / "other.db").string();
  ASSERT_EQ(raw("CREATE TABLE photos (name)"), "");
  EXPECT_THAT(refusal_of(content()), HasSubstr("another program"));
  ASSERT_EQ(raw("PRAGMA user_version = 1"), "");
  EXPECT_THAT(refusal_of(content()), HasSubstr("another program"));
}

TEST_F(StoreFile, that_is_no_database_is_refused) {
  EXPECT_THAT(refusal_of("version: 1\n"), HasSubstr("file is not a database"));
  EXPECT_THAT(refusal_of(std::string(100'000, 'x')), HasSubstr("file is not a database"));
  EXPECT_THAT(refusal_of(std::string(1, '\0')), HasSubstr("file is not a database"));
  EXPECT_THAT(refusal_of(std::string(16 * 4096, '\0')), HasSubstr("file is not a database"));
}

TEST_F(StoreFile, that_was_cut_off_is_refused) {
  const std::string whole = content();
  for (const std::size_t size :
       {whole.size() - 4096, whole.size() / 2, std::size_t{4096}, std::size_t{511}, std::size_t{1}}) {
    refusal_of(whole.substr(0, size));
  }
  overwrite(whole);
  open();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(key_row("1"))) << "the whole one is still good";
}

TEST_F(StoreFile, with_a_damaged_page_is_refused) {
  const std::string whole = content();
  for (std::size_t page = 4096; page < 3 * 4096; page += 4096) {
    std::string damaged = whole;
    damaged.replace(page, 4096, std::string(4096, '\xA5'));
    EXPECT_THAT(refusal_of(damaged), HasSubstr("damaged")) << page;
  }
}

TEST_F(StoreFile, that_is_refused_keeps_the_log_of_the_process_that_crashed) {
  open();
  ASSERT_TRUE(add(key_row("2")));
  std::string damaged = content();
  const std::string log = content_of(path + "-wal");  // as a crash would leave it
  close();
  for (std::size_t page = 4096; page < damaged.size(); page += 4096) damaged.replace(page, 4096, 4096, '\xA5');
  std::ofstream(path + "-wal", std::ios::binary) << log;
  EXPECT_THAT(refusal_of(damaged), HasSubstr("damaged"));
  EXPECT_TRUE(content_of(path + "-wal") == log);
}

TEST_F(StoreFile, of_a_process_that_crashed_has_all_that_was_done) {
  open();
  ASSERT_TRUE(add(key_row("2")));
  const std::string file = content(), log = content_of(path + "-wal");
  close();
  overwrite(file);
  std::ofstream(path + "-wal", std::ios::binary) << log;
  open();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(key_row("1"), key_row("2")));
}

TEST_F(StoreFile, that_was_emptied_beside_its_log_is_refused) {
  open();
  ASSERT_TRUE(add(key_row("2")));
  const std::string log = content_of(path + "-wal");
  close();
  overwrite("");
  std::ofstream(path + "-wal", std::ios::binary) << log;
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path), HasSubstr("it is empty")));
  EXPECT_EQ(content_of(path + "-wal"), log);
}

TEST_F(StoreFile, and_all_around_it_hold_digests_and_no_secret) {
  open();
  const std::string secret = "secret of 2", header = "Idempotency-Key-4711", body = "what is asked";
  ASSERT_TRUE(add(key_row("2")));
  ASSERT_TRUE(claim("acme", header, body));
  bool found_digest = false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string bytes = content_of(entry.path());
    for (const auto& text : {secret, header, body}) EXPECT_EQ(bytes.find(text), std::string::npos) << entry.path();
    const Digest digest = digest_of(secret);
    found_digest = found_digest || bytes.find(std::string(digest.begin(), digest.end())) != std::string::npos;
  }
  EXPECT_TRUE(found_digest) << "or this test looks at the wrong files";
}

}  // namespace
}  // namespace tollgate::io::storage_tests
