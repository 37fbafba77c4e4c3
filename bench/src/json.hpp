// One line of JSON, built member by member.
#pragma once

#include "histogram.hpp"

#include <cstdio>
#include <string>

namespace bench {

class Json {
 public:
  Json& put(const char* k, double v) {
    char b[64];
    std::snprintf(b, sizeof b, "%.10g", v);
    return raw(k, b);
  }
  Json& put(const char* k, const std::string& v) { return raw(k, "\"" + v + "\""); }
  Json& hist(const char* k, const Histogram& h) {  // microseconds
    if (!h.count()) return *this;
    char b[256];
    std::snprintf(
        b, sizeof b,
        "{\"n\":%llu,\"min\":%.1f,\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
        static_cast<unsigned long long>(h.count()), h.min() / 1e3, h.mean() / 1e3, h.quantile(.5) / 1e3,
        h.quantile(.9) / 1e3, h.quantile(.99) / 1e3, h.quantile(.999) / 1e3, h.max() / 1e3);
    return raw(k, b);
  }
  Json& raw(const char* k, const std::string& v) {
    text_ += (text_.empty() ? "" : ",") + ("\"" + std::string(k) + "\":") + v;
    return *this;
  }
  Json& raw_text(const std::string& members) {
    text_ += (text_.empty() ? "" : ",") + members;
    return *this;
  }
  void print() const { std::printf("{%s}\n", text_.c_str()); }

 private:
  std::string text_;
};

}  // namespace bench
