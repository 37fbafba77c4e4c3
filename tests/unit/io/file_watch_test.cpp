// Every way in which configuration files change in the field, done to real files, since a watch that was tried on
// writes alone misses renames and links; and reading those files.
#include "tollgate/io/file_watch.hpp"

#include "tollgate/io/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace tollgate;
using io::FileWatch;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "file_watch_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    write("routes.yaml", "version: 1\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  fs::path folder_;
};

class FileWatchTest : public Folder {
 protected:
  /// One change is told once, at the second look that sees it.
  static void expect_one_change(FileWatch& watch) {
    EXPECT_FALSE(watch.changed());
    EXPECT_TRUE(watch.changed());
    EXPECT_FALSE(watch.changed());
    EXPECT_FALSE(watch.changed());
  }
};

TEST_F(FileWatchTest, says_nothing_of_files_that_stay) {
  FileWatch watch({path("routes.yaml")}, {path("*.yaml")});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.changed());
}

TEST_F(FileWatchTest, notices_a_write_in_place) {
  FileWatch watch({path("routes.yaml")});
  write("routes.yaml", "version: 1 # longer\n");
  expect_one_change(watch);
}

TEST_F(FileWatchTest, notices_a_write_of_the_same_length) {
  FileWatch watch({path("routes.yaml")});
  write("routes.yaml", "version: 2\n");
  fs::last_write_time(path("routes.yaml"), fs::file_time_type::clock::now() + std::chrono::seconds(1));
  expect_one_change(watch);
}

TEST_F(FileWatchTest, notices_a_rename_over_that_keeps_size_and_time) {
  FileWatch watch({path("routes.yaml")});
  write("new.yaml", "version: 2\n");
  fs::last_write_time(path("new.yaml"), fs::last_write_time(path("routes.yaml")));
  fs::rename(path("new.yaml"), path("routes.yaml"));
  expect_one_change(watch);
}

TEST_F(FileWatchTest, notices_a_symbolic_link_turned_two_levels_up) {
  // As Kubernetes mounts a ConfigMap: file -> ..data/file, ..data -> ..version.
  for (const char* version : {"..one", "..two"}) {
    fs::create_directory(folder_ / version);
    write(std::string(version) + "/mounted.yaml", "version: 1\n");
  }
  fs::create_directory_symlink("..one", folder_ / "..data");
  fs::create_symlink("..data/mounted.yaml", folder_ / "mounted.yaml");
  FileWatch watch({path("mounted.yaml")});
  fs::create_directory_symlink("..two", folder_ / "..next");
  fs::rename(folder_ / "..next", folder_ / "..data");
  expect_one_change(watch);
}

TEST_F(FileWatchTest, notices_removal_and_return) {
  FileWatch watch({path("routes.yaml")});
  fs::remove(path("routes.yaml"));
  expect_one_change(watch);
  write("routes.yaml", "version: 1\n");
  expect_one_change(watch);
}

TEST_F(FileWatchTest, notices_new_and_vanished_matches_of_a_pattern) {
  FileWatch watch({path("routes.yaml")}, {path("conf.d/*.yaml")});
  fs::create_directory(folder_ / "conf.d");
  write("conf.d/notes.txt", "x");
  EXPECT_FALSE(watch.changed());
  EXPECT_FALSE(watch.changed());
  write("conf.d/a.yaml", "x");
  expect_one_change(watch);
  fs::remove(path("conf.d/a.yaml"));
  expect_one_change(watch);
}

TEST_F(FileWatchTest, waits_until_a_file_is_no_longer_being_written) {
  FileWatch watch({path("routes.yaml")});
  std::ofstream file(path("routes.yaml"), std::ios::app);
  for (int i = 0; i < 5; ++i) {
    file << "more\n" << std::flush;
    EXPECT_FALSE(watch.changed()) << i;
  }
  EXPECT_TRUE(watch.changed());
}

TEST_F(FileWatchTest, a_change_that_is_taken_back_before_it_settles_is_none) {
  FileWatch watch({path("routes.yaml")}, {path("conf.d/*.yaml")});
  fs::create_directory(folder_ / "conf.d");
  write("conf.d/a.yaml", "x");
  EXPECT_FALSE(watch.changed());
  fs::remove(path("conf.d/a.yaml"));
  EXPECT_FALSE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

TEST_F(FileWatchTest, a_new_list_keeps_what_is_known_of_the_old_files) {
  write("more.yaml", "x");
  FileWatch watch({path("routes.yaml")});
  write("routes.yaml", "changed while it was being read\n");
  watch.watch({path("routes.yaml"), path("more.yaml")}, {});
  expect_one_change(watch);
  write("more.yaml", "changed\n");
  expect_one_change(watch);
}

class Files : public Folder {};

TEST_F(Files, are_read_whole) {
  const std::string text = std::string(100'000, 'a') + '\0' + "end";
  write("big.yaml", text);
  EXPECT_EQ(io::read_file(path("big.yaml")).value(), text);
  write("empty.yaml", "");
  EXPECT_EQ(io::read_file(path("empty.yaml")).value(), "");
}

TEST_F(Files, that_cannot_be_read_are_named_with_the_reason) {
  const auto reason = [](const std::string& path) {
    const auto content = io::read_file(path);
    EXPECT_TRUE(content.has_error());
    if (!content.has_error()) return std::string();
    EXPECT_THAT(content.error().message, HasSubstr("cannot read " + path));
    return content.error().message;
  };
  EXPECT_THAT(reason(path("none.yaml")), HasSubstr("No such file"));
  EXPECT_THAT(reason(folder_.string()), HasSubstr("it is a folder"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(reason(path("pipe")), HasSubstr("not a regular file"));
}

TEST_F(Files, are_read_up_to_four_mebibytes) {
  write("largest", std::string(4 * 1024 * 1024, 'x'));
  EXPECT_EQ(io::read_file(path("largest")).value().size(), 4u * 1024 * 1024);
  write("larger", std::string(4 * 1024 * 1024 + 1, 'x'));
  ASSERT_TRUE(io::read_file(path("larger")).has_error());
  EXPECT_THAT(io::read_file(path("larger")).error().message, HasSubstr("larger than 4 MiB"));
}

TEST_F(Files, match_patterns_in_order) {
  write("b.yaml", "");
  write("a.yaml", "");
  write("a.txt", "");
  EXPECT_THAT(io::glob_files(path("[ab].yaml")), ElementsAre(path("a.yaml"), path("b.yaml")));
  EXPECT_THAT(io::glob_files(path("none*")), IsEmpty());
  EXPECT_THAT(io::glob_files(path("a.yaml")), ElementsAre(path("a.yaml")));
}

TEST(Environment, tells_unset_from_empty) {
  ASSERT_EQ(setenv("TOLLGATE_TEST_EMPTY", "", 1), 0);
  ASSERT_EQ(setenv("TOLLGATE_TEST_SET", "value", 1), 0);
  ASSERT_EQ(unsetenv("TOLLGATE_TEST_UNSET"), 0);
  EXPECT_EQ(io::environment("TOLLGATE_TEST_EMPTY"), "");
  EXPECT_EQ(io::environment("TOLLGATE_TEST_SET"), "value");
  EXPECT_EQ(io::environment("TOLLGATE_TEST_UNSET"), std::nullopt);
}

}  // namespace
