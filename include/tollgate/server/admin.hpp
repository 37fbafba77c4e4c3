#pragma once
// What operators ask of a running gateway, apart from how it came in.
#include "tollgate/config/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tollgate::server {

/// Who asks: the name is for the audit.
struct AdminActor {
  std::string name;
  config::AdminRole role = config::AdminRole::read;
};

struct AdminCall {
  std::string method;  ///< as sent: "GET"
  std::string path;    ///< normalised, without query: "/admin/v1/keys/key_x"
  std::string query;   ///< without '?', as sent
  std::string body;    ///< whole; empty where there was none
  bool json = true;    ///< Content-Type says JSON, or there is none
  AdminActor actor;
};

struct AdminReply {
  std::uint16_t status = 200;
  std::string body;    ///< JSON
  std::string fields;  ///< further header lines, each with CRLF
};

/// Everything below /admin/v1/. Control thread only.
class AdminApi {
 public:
  using Done = std::function<void(AdminReply)>;
  virtual ~AdminApi() = default;
  /// Calls `done` exactly once on the control thread: before it returns, or later.
  virtual void handle(AdminCall call, Done done) = 0;
};

}  // namespace tollgate::server
