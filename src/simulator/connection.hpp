#pragma once
#include "simulator/channel.hpp"
#include "simulator/journal.hpp"
#include "simulator/responder.hpp"

#include <boost/beast/http/parser.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tollgate::simulator {

/// What connections share. Outlives them.
struct Services {
  const Options& options;
  Responder& responder;
  Journal& journal;
};

/// One accepted connection: requests in, answers out, one after the other. Two coroutines own it; it is gone when both
/// end.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const Services& services, std::unique_ptr<Transport> transport, const Executor& executor,
             std::uint64_t number);
  ~Connection();
  void start();
  void stop() { channel_.stop(); }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  enum class Read : std::uint8_t { request, nothing, malformed };

  Async<void> run();
  Async<Read> read_request(Parser& parser);
  Async<bool> allow_body(const Parser& parser);
  Async<void> serve(const Request& request);
  Async<void> tell_stats();
  Async<bool> deliver(const Request& request, TruthEntry& entry);
  ReceivedRequest received(const Request& request) const;
  SteadyTime idle_limit();

  const Services services_;
  const Executor executor_;
  const std::uint64_t number_;
  Channel channel_;
  Random random_;
};

}  // namespace tollgate::simulator
