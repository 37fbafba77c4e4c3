// load: the driver of the benchmarks. Every sub-command but the last two prints one line of JSON.
//
//   load run  --url U [--rate R | --closed] [--secs S] [--warm W] [--conns C] [--size BYTES] [--stream] [--model M]
//             [--header "k: v"]... [--pid P] [--also P,P] [--name N] [--poisson] [--tls]
//       With --rate, requests start on a fixed timetable, and latency counts from the timetable, so that a stall is
//       charged to every request it delayed. With --closed, each of C connections keeps one request going.
//       --pid adds what that process and its descendants spent; --also names the other processes of the experiment.
//   load hold --url U --conns N [--secs S] [--stream] [--model M] [--pid P] [--tls]
//       N keep-alive connections (one request each) or N live streams: what each costs P in memory and CPU.
//   load wrap --pid P [--also P,P] [--name N] -- command...
//       Runs another load tool; its line "JSON {...}" is joined with what P spent meanwhile.
//   load startup --url U --runs K -- command...       time from exec to the first HTTP answer
//   load proc --pid P                                 what P has used so far
//   load quiet [--secs S] [--limit CORES]             waits until the rest of the machine uses less than CORES
//   load request --url U [--size N] [--stream]        the bytes of the request, for other tools; `load body`: its body
#include "driver.hpp"
#include "request.hpp"

#include <sys/wait.h>

#include <csignal>

using namespace bench;

namespace {

int command_run(const Args& args) {
  const Target target = parse_url(args.str("url"));
  const bool stream = args.has("stream"), closed = args.has("closed");
  const double seconds = args.num("secs", 5), warm = args.num("warm", 0.5), rate = args.num("rate", 1000);
  const Scene scene(args);
  Driver driver(target, make_request(args, target), stream, args.has("tls"));
  driver.open(static_cast<std::size_t>(args.num("conns", 64)));
  if (closed)
    driver.run_closed(warm, seconds, scene);
  else
    driver.run_open({rate, warm, seconds, args.has("poisson")}, scene);

  const DriverStats& stats = driver.stats;
  const double took = static_cast<double>(driver.after.when - driver.before.when) / 1e9;
  Json json;
  json.put("name", args.str("name", "-")).put("mode", closed ? std::string("closed") : std::string("open"));
  json.put("size", args.num("size", 1024)).put("conns", args.num("conns", 64));
  if (!closed) json.put("rate", rate).put("backlog", static_cast<double>(driver.backlog));
  json.put("rps", static_cast<double>(stats.ok) / took).put("ok", static_cast<double>(stats.ok));
  json.put("broken", static_cast<double>(stats.broken)).put("not_ok", static_cast<double>(stats.refused()));
  if (stream) {
    json.put("events_per_s", static_cast<double>(stats.events) / took);
    json.put("events", static_cast<double>(stats.events));
    json.put("incomplete", static_cast<double>(stats.incomplete_streams));
    json.put("out_of_order", static_cast<double>(stats.out_of_order));
  }
  json.hist("latency_us", stats.total).hist("service_us", stats.service).hist("first_us", stats.first);
  json.hist("gap_us", stats.gap).hist("transit_us", stats.transit).hist("late_us", stats.late);
  put_scene(json, driver.before, driver.after, scene.pid > 0, {stats.ok, stats.events});
  json.print();
  return stats.ok ? 0 : 1;
}

/// Memory of a target before, while it holds connections, and after they have gone.
struct Held {
  ProcSample base, begin, end, after;
  std::uint64_t events = 0, live = 0;
};

Held hold(Driver& driver, int pid, std::size_t connections, double seconds) {
  Held held;
  held.base = sample_process(pid);
  driver.open(connections);
  driver.prime(64, now_ns() + 60'000'000'000LL);
  const std::int64_t settled = now_ns() + 500'000'000;
  while (now_ns() < settled) driver.poll(settled);
  held.begin = sample_process(pid);
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  const std::uint64_t events = driver.stats.events;
  while (now_ns() < end && !stop_requested) driver.poll(end);
  held.end = sample_process(pid);
  held.events = driver.stats.events - events;
  held.live = driver.busy();
  driver.close_all();
  ::usleep(500'000);
  held.after = sample_process(pid);
  return held;
}

int command_hold(const Args& args) {
  const Target target = parse_url(args.str("url"));
  const auto connections = static_cast<std::size_t>(args.num("conns", 1000));
  const double seconds = args.num("secs", 2);
  const bool stream = args.has("stream");
  Driver driver(target, make_request(args, target), stream, args.has("tls"));
  const Held held = hold(driver, static_cast<int>(args.num("pid", 0)), connections, seconds);

  const auto each = [&](std::int64_t kb) { return static_cast<double>(kb) * 1024 / static_cast<double>(connections); };
  const auto cpu_ns = static_cast<double>(held.end.cpu_ns - held.begin.cpu_ns);
  Json json;
  json.put("name", args.str("name", "-")).put("mode", std::string(stream ? "hold-streams" : "hold-idle"));
  json.put("conns", static_cast<double>(connections)).put("live", static_cast<double>(held.live));
  json.put("broken", static_cast<double>(driver.stats.broken));
  json.put("not_ok", static_cast<double>(driver.stats.refused()));
  json.put("base_rss_kb", static_cast<double>(held.base.rss_kb));
  json.put("held_rss_kb", static_cast<double>(held.end.rss_kb));
  json.put("bytes_per_conn", each(held.end.pss_kb - held.base.pss_kb));
  json.put("bytes_per_conn_after_close", each(held.after.pss_kb - held.base.pss_kb));
  json.put("cpu_cores_while_held", cpu_ns / 1e9 / seconds);
  if (held.events > 0) {
    json.put("events_per_s", static_cast<double>(held.events) / seconds);
    json.put("cpu_us_per_event", cpu_ns / 1e3 / static_cast<double>(held.events));
    json.hist("transit_us", driver.stats.transit);
  }
  json.print();
  return 0;
}

bool answers(const Target& target) {
  StreamSocket socket;
  if (!socket.open(target, false)) return false;
  socket.send("GET " + target.path + " HTTP/1.1\r\nHost: " + target.host + "\r\nConnection: close\r\n\r\n");
  char some[16];
  for (int i = 0; i < 2000; ++i) {
    const ssize_t n = socket.receive(some, sizeof some);
    if (n > 0) return true;
    if (n == 0 || errno != EAGAIN) return false;
    ::usleep(200);
  }
  return false;
}

/// The words after "--", ready for exec.
std::vector<char*> command_of(const Args& args) {
  const auto& raw = args.raw();
  const auto separator = std::find(raw.begin(), raw.end(), "--");
  if (separator == raw.end() || separator + 1 == raw.end()) die("a command is needed after --");
  std::vector<char*> words;
  for (auto word = separator + 1; word != raw.end(); ++word) words.push_back(const_cast<char*>(word->c_str()));
  words.push_back(nullptr);
  return words;
}

/// What a command writes to its standard output.
std::string output_of(const std::vector<char*>& command) {
  int ends[2];
  if (::pipe(ends) < 0) die("pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execvp(command[0], command.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string text;
  char some[4096];
  for (ssize_t n; (n = ::read(ends[0], some, sizeof some)) > 0;) text.append(some, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return text;
}

int command_wrap(const Args& args) {
  const Scene scene(args);
  const std::vector<char*> command = command_of(args);
  const Snapshot before(scene);
  const std::string text = output_of(command);
  const Snapshot after(scene);
  const std::size_t begin = text.find("JSON {");
  if (begin == std::string::npos) die("no result from " + std::string(command[0]) + "\n" + text);
  const std::string result = text.substr(begin + 6, text.find('}', begin) - begin - 6);
  Json json;
  json.put("name", args.str("name", "-")).put("mode", args.str("mode", "wrap")).put("size", args.num("size", 0));
  json.put("conns", args.num("conns", 0)).raw_text(result);
  put_scene(json, before, after, scene.pid > 0, {static_cast<std::uint64_t>(field_after(result, "\"ok\":")), 0});
  json.print();
  return 0;
}

int command_quiet(const Args& args) {
  const double limit = args.num("limit", 0.1);
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(args.num("secs", 60) * 1e9);
  for (;;) {
    const MachineSample begin = sample_machine();
    const std::int64_t since = now_ns();
    ::usleep(300'000);
    if ((sample_machine().busy - begin.busy) / (static_cast<double>(now_ns() - since) / 1e9) < limit) return 0;
    if (now_ns() > end) return 1;
  }
}

pid_t start_silent(const std::vector<char*>& command) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  ::execvp(command[0], command.data());
  ::_exit(127);
}

void stop(pid_t pid) {
  ::kill(pid, SIGTERM);
  for (int i = 0; i < 100 && ::waitpid(pid, nullptr, WNOHANG) == 0; ++i) {
    ::usleep(20'000);
    if (i == 80) ::kill(pid, SIGKILL);
  }
}

int command_startup(const Args& args) {
  const Target target = parse_url(args.str("url"));
  const std::vector<char*> command = command_of(args);
  if (answers(target)) die("something already answers there");
  Histogram startup;
  std::int64_t pss_kb = 0;
  const std::int64_t enough = now_ns() + 15'000'000'000LL;  // some take many seconds to start: fewer runs of those
  for (int run = 0, runs = static_cast<int>(args.num("runs", 5)); run < runs && now_ns() < enough; ++run) {
    const std::int64_t begin = now_ns();
    const pid_t pid = start_silent(command);
    bool up = false;
    while (!up && now_ns() - begin < 60'000'000'000LL) {
      up = answers(target);
      if (!up) ::usleep(200);
    }
    if (up) startup.add(now_ns() - begin);
    pss_kb = sample_process(pid).pss_kb;
    stop(pid);
    while (answers(target)) ::usleep(10'000);
  }
  Json json;
  json.put("name", args.str("name", "-")).put("mode", std::string("startup"));
  json.put("pss_kb", static_cast<double>(pss_kb)).hist("startup_us", startup);
  json.print();
  return startup.count() ? 0 : 1;
}

int command_proc(const Args& args) {
  const ProcSample sample = sample_process(static_cast<int>(args.num("pid", 0)));
  Json json;
  json.put("cpu_ns", static_cast<double>(sample.cpu_ns)).put("rss_kb", static_cast<double>(sample.rss_kb));
  json.put("pss_kb", static_cast<double>(sample.pss_kb));
  json.put("procs", sample.procs).put("threads", sample.threads).print();
  return sample.procs ? 0 : 1;
}

int command_write(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) die("usage: load run|hold|wrap|startup|proc|quiet|request|body ...");
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGPIPE, SIG_IGN);
  raise_fd_limit();
  const Args args(argc - 1, argv + 1);
  const std::string command = argv[1];
  if (command == "run") return command_run(args);
  if (command == "hold") return command_hold(args);
  if (command == "wrap") return command_wrap(args);
  if (command == "startup") return command_startup(args);
  if (command == "proc") return command_proc(args);
  if (command == "quiet") return command_quiet(args);
  if (command == "request") return command_write(make_request(args, parse_url(args.str("url"))));
  if (command == "body") return command_write(body_of(args));
  die("unknown sub-command " + command);
}
