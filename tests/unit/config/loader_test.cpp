#include "tollgate/config/loader.hpp"

#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// The loader as a whole: every part of a snapshot, all faults at once, includes, and that no secret is ever printed.
// Single faults have their files in broken/.

namespace tollgate::config {
namespace {

using std::chrono::minutes;

TEST(Fault, is_one_line_with_place_key_and_suggestion) {
  EXPECT_EQ(to_text({"routes.yaml", 12, 5, "providers.openai.timouts", "unknown key", "did you mean 'timeouts'?"}),
            "routes.yaml:12:5: providers.openai.timouts: unknown key; did you mean 'timeouts'?");
  EXPECT_EQ(to_text({"routes.yaml", 1, 1, "", "the file is empty", ""}), "routes.yaml:1:1: the file is empty");
}

TEST(Loader, fills_every_part_of_the_snapshot) {
  test::Memory memory;
  memory.environment = {{"KEY", "test-key-1"}};
  memory.files = {{"/etc/tollgate/ca.pem", "pem"}};
  const Loaded loaded = memory.load(R"(version: 1
server:
  listen: ["127.0.0.1:0", "unix:/run/t.sock"]
  threads: 3
  max_body: 1MiB
  drain: {delay: 2s}
  stream: {commit_after: 0s}
  cors: {origins: ["https://a.example"]}
  trusted_proxies: [10.0.0.0/8]
  response_headers: minimal
log: {access: logs/access.log, level: debug}
defaults: {deadline: 1m}
providers:
  openai:
    base_url: https://api.example.com/v1/
    credentials: [{name: main, key: "${KEY}"}]
    timeouts: {idle: 7s}
    pool: {max_connections: 9}
    tls: {ca_file: ca.pem, server_name: other.example}
    headers: {X-Team: blue}
    stream_usage: off
  sim: {simulator: {failure_rate: 25%, faults: {error_500: 2}, seed: 7}}
models:
  gpt: {targets: [{provider: openai, name: gpt-x, weight: 3}], timeouts: {first_token: 10m}}
routes:
  auto: {match: ["a*"], primary: gpt, deadline: 5s}
)");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  const Snapshot& s = *loaded.snapshot;
  ASSERT_EQ(s.server.listen.size(), 2u);
  EXPECT_EQ(s.server.listen[1].unix_path, "/run/t.sock");
  EXPECT_EQ(s.server.threads, 3u);
  EXPECT_EQ(s.server.max_body, 1024u * 1024);
  EXPECT_EQ(s.server.drain.delay, seconds(2));
  EXPECT_EQ(s.server.drain.limit, minutes(5));
  EXPECT_EQ(s.server.stream.commit_after, Millis(0));
  EXPECT_EQ(s.server.cors_origins, (std::vector<std::string>{"https://a.example"}));
  EXPECT_EQ(s.server.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8"}));
  EXPECT_FALSE(s.server.full_response_headers);
  EXPECT_EQ(s.admin.listen.port, 9901);
  EXPECT_EQ(s.log.access, "/etc/tollgate/logs/access.log");
  EXPECT_EQ(s.defaults.deadline, minutes(1));
  const Provider& provider = s.providers[0];
  EXPECT_TRUE(provider.tls);
  EXPECT_EQ(provider.host, "api.example.com");
  EXPECT_EQ(provider.port, 443);
  EXPECT_EQ(provider.base_path, "/v1");
  EXPECT_EQ(provider.credentials, (std::vector<Credential>{{"main", Secret("test-key-1")}}));
  EXPECT_EQ(provider.timeouts.idle, seconds(7));
  EXPECT_EQ(provider.timeouts.connect, seconds(5));
  EXPECT_EQ(provider.pool.max_connections, 9u);
  EXPECT_EQ(provider.upstream_tls.ca_file, "/etc/tollgate/ca.pem");
  EXPECT_EQ(provider.headers[0].second, Secret("blue"));
  EXPECT_FALSE(provider.inject_stream_usage);
  EXPECT_DOUBLE_EQ(s.providers[1].simulator->failure_rate, 0.25);
  EXPECT_EQ(s.providers[1].simulator->faults.at("error_500"), 2);
  EXPECT_EQ(s.models[0].targets[0].label, "openai/gpt-x");
  EXPECT_EQ(s.models[0].targets[0].weight, 3);
  EXPECT_EQ(s.models[0].first_token, minutes(10));
  EXPECT_EQ(s.routes[0].dispatch.effort.deadline, seconds(5));
  EXPECT_EQ(s.file, "/etc/tollgate/routes.yaml");
  EXPECT_EQ(s.files, (std::vector<std::string>{"/etc/tollgate/routes.yaml", "/etc/tollgate/ca.pem"}));
}

TEST(Loader, reports_all_faults_at_once_in_the_order_of_the_file) {
  test::Memory memory;
  const Loaded loaded = memory.load(R"(version: 1
server: {thread: 1, max_body: 5, keep_alive: 5}
providers:
  a: {base_url: ftp://x, timouts: {}}
  b: {}
models: {m: {provider: c}}
routes: {r: {primary: n}}
prices: {}
)");
  std::vector<std::string> keys;
  for (const Fault& fault : loaded.faults) keys.push_back(fault.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"server.thread", "server.max_body", "server.keep_alive",
                                            "providers.a.base_url", "providers.a.timouts", "providers.b.base_url",
                                            "models.m.provider", "routes.r.primary", "prices"}))
      << test::all_text(loaded);
}

TEST(Loader, never_shows_what_a_reference_brought_in) {
  test::Memory memory;
  memory.environment = {{"SECRET", "test-secret-7"}, {"BROKEN", "test-secret-7\n"}};
  memory.files = {{"/etc/tollgate/secret", "test-secret-7 "}};
  for (const char* reference : {"${SECRET}", "${BROKEN}", "${file:secret}", "1${SECRET}"}) {
    const std::string quoted = "\"" + std::string(reference) + "\"";
    const Loaded loaded = memory.load(
        "version: " + quoted + "\ninclude: [" + quoted + "]\n" + "server: {listen: [" + quoted +
        "], threads: " + quoted + ", max_body: " + quoted + ", keep_alive: " + quoted + ", trusted_proxies: [" +
        quoted + "], cors: {origins: [" + quoted + "]}, response_headers: " + quoted +
        ", tls: {certificate: " + quoted + "}}\n" + "admin: {listen: " + quoted + "}\nlog: {access: " + quoted +
        ", level: " + quoted + "}\n" + "providers:\n  a:\n    protocol: " + quoted + "\n    base_url: " + quoted +
        "\n    credentials: [{name: " + quoted + ", key: \"${BROKEN}\"}, {name: " + quoted +
        ", key: x}]\n    headers: {X-A: \"${BROKEN}\"}\n" + "    simulator: {jitter: " + quoted + ", seed: " + quoted +
        "}\n" + "models: {m: {provider: " + quoted + ", name: " + quoted + "}}\nroutes: {r: {match: [" + quoted +
        "], primary: " + quoted + "}}\n");
    EXPECT_GT(loaded.faults.size(), 15u);
    EXPECT_EQ(test::all_text(loaded).find("test-secret"), std::string::npos) << test::all_text(loaded);
  }
}

TEST(Loader, never_shows_a_secret_that_stands_in_the_file) {
  test::Memory memory;
  const Loaded loaded = memory.load(
      "version: 1\nadmin: {token: test secret}\n"
      "providers:\n  a: {base_url: 'https://u:test secret@x', credentials: [{name: a, key: test secret}, test secret], "
      "headers: {X: ' test secret'}}\n");
  EXPECT_GE(loaded.faults.size(), 5u);
  EXPECT_EQ(test::all_text(loaded).find("test secret"), std::string::npos) << test::all_text(loaded);
}

TEST(Loader, unset_references_pass_with_a_note_where_allowed) {
  test::Memory memory;
  const std::string text = R"(version: 1
admin: {listen: ":9901", token: "${ADMIN}"}
server: {keep_alive: "${TIME}", listen: ["${ADDRESS}"]}
providers:
  a: {base_url: "${URL}", credentials: [{name: main, key: "${KEY}"}]}
  b: {base_url: "https://${HOST}/v1"}
models: {m: {provider: "${PROVIDER}"}}
routes: {r: {primary: "${MODEL}"}}
)";
  EXPECT_EQ(memory.load(text).faults.size(), 9u);  // one each, and an admin address that is left without its token
  const Loaded lenient = memory.load(text, {.allow_unset = true});
  EXPECT_TRUE(lenient.snapshot) << test::all_text(lenient);
  EXPECT_EQ(lenient.notes.size(), 8u) << test::all_text(lenient);
  EXPECT_FALSE(memory.load(text + "nonsense: 1\n", {.allow_unset = true}).snapshot);
}

TEST(Loader, anchors_below_extension_keys_serve_the_rest) {
  test::Memory memory;
  const Loaded loaded = memory.load(R"(version: 1
x-base: &base {timeouts: {connect: 1s}, stream_usage: off}
x-name: &name small
providers:
  a: {<<: *base, base_url: "http://127.0.0.1:1"}
  b: {<<: *base, base_url: "http://127.0.0.1:2", stream_usage: inject}
models: {*name : {provider: a}}
)");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.snapshot->providers[0].timeouts.connect, seconds(1));
  EXPECT_FALSE(loaded.snapshot->providers[0].inject_stream_usage);
  EXPECT_TRUE(loaded.snapshot->providers[1].inject_stream_usage);
  EXPECT_TRUE(loaded.snapshot->resolve("small").model);
}

TEST(Loader, unknown_keys_that_were_merged_in_are_found_too) {
  test::Memory memory;
  const Loaded loaded =
      memory.load("version: 1\nx-base: &base {timouts: {}}\nproviders: {a: {<<: *base, simulator: {}}}\n");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_text(loaded.faults[0]),
            "/etc/tollgate/routes.yaml:2:16: providers.a.timouts: unknown key; did you mean 'timeouts'?");
}

TEST(Loader, includes_merge_in_order_and_are_listed) {
  test::Memory memory;
  memory.files = {{"/etc/tollgate/conf.d/a.yaml", "models: {one: {provider: sim}}\nx-note: 1\n"},
                  {"/etc/tollgate/conf.d/b.yaml", "providers: {late: {simulator: {}}}\nroutes: {r: {primary: one}}\n"}};
  const Loaded loaded = memory.load(test::valid_with("include: [conf.d/*.yaml, conf.d/a.yaml, none/*.yaml]\n"));
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.snapshot->listed_names(test::everyone), (std::vector<std::string>{"r", "small", "one"}));
  EXPECT_EQ(loaded.snapshot->files,
            (std::vector<std::string>{"/etc/tollgate/routes.yaml", "/etc/tollgate/conf.d/a.yaml",
                                      "/etc/tollgate/conf.d/b.yaml"}));
  EXPECT_EQ(loaded.snapshot->include_patterns,
            (std::vector<std::string>{"/etc/tollgate/conf.d/*.yaml", "/etc/tollgate/conf.d/a.yaml",
                                      "/etc/tollgate/none/*.yaml"}));
  EXPECT_EQ(loaded.notes.size(), 1u);
}

TEST(Loader, duplicates_across_files_name_both_places) {
  test::Memory memory;
  memory.files = {{"/etc/tollgate/more.yaml", "models:\n  small: {provider: sim}\n"}};
  const Loaded loaded = memory.load(test::valid_with("include: [more.yaml]\n"));
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_text(loaded.faults[0]),
            "/etc/tollgate/more.yaml:2:3: models.small: already defined at /etc/tollgate/routes.yaml:3:10");
}

TEST(Loader, relative_paths_resolve_against_the_file_that_holds_them) {
  test::Memory memory;
  memory.files = {{"/etc/tollgate/conf.d/a.yaml",
                   "providers: {p: {base_url: 'https://x.example', tls: {ca_file: ca.pem}, credentials: [{name: a, "
                   "key: '${file:key}'}]}}\n"},
                  {"/etc/tollgate/conf.d/ca.pem", "pem"},
                  {"/etc/tollgate/conf.d/key", "test-key-1\n"}};
  const Loaded loaded = memory.load(test::valid_with("include: [conf.d/a.yaml]\n"));
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.snapshot->providers[1].upstream_tls.ca_file, "/etc/tollgate/conf.d/ca.pem");
  EXPECT_EQ(loaded.snapshot->providers[1].credentials[0].key.reveal(), "test-key-1");
}

TEST(Loader, a_file_that_cannot_be_read_is_a_fault) {
  test::Memory memory;
  const Loaded loaded = load("/none.yaml", memory.sources());
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_text(loaded.faults[0]), "/none.yaml:1:1: cannot read the file: No such file or directory");
}

TEST(Loader, digest_follows_the_texts_and_not_the_secrets) {
  test::Memory memory;
  memory.environment = {{"KEY", "test-key-1"}};
  const std::string text =
      "version: 1\nproviders: {a: {base_url: 'https://x', credentials: [{name: a, key: '${KEY}'}]}}\n";
  const std::string digest = memory.load(text).snapshot->digest;
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_EQ(memory.load(text).snapshot->digest, digest);
  memory.environment["KEY"] = "test-key-2";
  EXPECT_EQ(memory.load(text).snapshot->digest, digest);
  EXPECT_NE(memory.load(text + "# note\n").snapshot->digest, digest);
}

TEST(Loader, notes_unencrypted_providers_beyond_loopback) {
  test::Memory memory;
  EXPECT_EQ(memory.load(test::valid_with("") + "").notes.size(), 0u);
  const Loaded loaded =
      memory.load("version: 1\nproviders: {a: {base_url: 'http://10.0.0.1/v1'}}\nmodels: {m: {provider: a}}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.notes.size(), 1u);
  EXPECT_TRUE(
      memory.load("version: 1\nproviders: {a: {base_url: 'http://localhost:1/v1'}}\nmodels: {m: {provider: a}}\n")
          .notes.empty());
}

}  // namespace
}  // namespace tollgate::config
