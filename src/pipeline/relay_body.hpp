#pragma once
// Passes an answer on that is not a stream of events: whole where it is small, so that a broken one never begins, else
// as it comes.
#include "tollgate/base/block_pool.hpp"
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/pipeline/exchange.hpp"

#include "charge.hpp"

#include <string>
#include <string_view>

namespace tollgate::pipeline {

class Adapter;

class BodyRelay : public Pooled {
 public:
  /// All must outlive it. `adapter`: for a body in the API of another provider, else null.
  BodyRelay(Exchange& exchange, Charge& charge, Adapter* adapter)
      : exchange_(exchange), charge_(charge), adapter_(adapter) {}

  /// The status and header lines for the client, and the length where the upstream gave one.
  void head(std::uint16_t status, ByteBuffer fields, const protocol::http::ResponseHead& upstream);
  void take(std::string_view bytes);
  /// The body is complete: sends it, or its end.
  void ended();

  /// What is wrong with a 200 that holds no answer, of which nothing was sent; empty: nothing.
  std::string_view fault() const { return fault_; }
  /// It holds an answer that was not sent: another one is asked for.
  bool is_kept() const { return kept_; }

 private:
  void begin(BodyForm form);
  void send_translated();
  void hold_translated_error();
  void send_whole(std::string_view body);
  void read(std::string_view body);

  void pass_on(std::string_view bytes);

  Exchange& exchange_;
  Charge& charge_;
  Adapter* adapter_;  ///< null: the body passes as it is
  std::uint16_t status_ = 0;
  ByteBuffer fields_;
  bool length_known_ = false;
  std::uint64_t length_ = 0;
  ByteBuffer held_;
  std::string tail_;      ///< the last bytes of one that is passed on as it comes
  bool settled_ = false;  ///< what came has been looked at as a whole
  bool kept_ = false;
  std::string fault_;
};

}  // namespace tollgate::pipeline
