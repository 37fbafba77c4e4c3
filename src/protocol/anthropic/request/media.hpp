#pragma once
// Pictures and files as clients send them: data URLs (RFC 2397) with base64 (RFC 4648).
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

struct DataUrl {
  std::string media_type;  ///< in lower case, without parameters; empty: not said
  bool base64 = false;
  std::string_view data;  ///< as written, a part of the URL
};

/// Nothing where the text is no data URL.
std::optional<DataUrl> read_data_url(std::string_view url);

/// The data without white space: itself, or `kept`. Nothing where it is empty or no base64.
std::optional<std::string_view> clean_base64(std::string_view data, std::string& kept);

/// What clean base64 stands for.
std::string decode_base64(std::string_view data);

/// By the first bytes: image/png, image/jpeg, image/gif, image/webp or application/pdf; empty: something else.
std::string_view sniff_media_type(std::string_view base64);

}  // namespace tollgate::protocol::anthropic::request
