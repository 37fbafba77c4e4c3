#pragma once
#include "tollgate/base/clock.hpp"

#include <string>

namespace tollgate::simulator {

/// IMF-fixdate of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(SystemTime time);
/// RFC 3339 in whole seconds: "1994-11-06T08:49:37Z".
std::string internet_date(SystemTime time);
/// "1", "2.5".
std::string in_seconds(Millis wait);

}  // namespace tollgate::simulator
