#include "tollgate/base/digest.hpp"

#include <openssl/evp.h>

#include <cstring>
#include <memory>
#include <new>

namespace tollgate {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// Fetching the algorithm costs more than hashing a key, so each thread does it once.
EVP_MD_CTX& prepared_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context = [] {
    std::unique_ptr<EVP_MD_CTX, FreeContext> made(EVP_MD_CTX_new());
    if (!made || EVP_DigestInit_ex(made.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
    return made;
  }();
  return *context;
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  Digest digest;
  EVP_MD_CTX& context = prepared_context();
  unsigned size = 0;
  // With a null type the algorithm that is set already begins anew.
  const bool done = EVP_DigestInit_ex(&context, nullptr, nullptr) == 1 &&
                    EVP_DigestUpdate(&context, bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(&context, digest.data(), &size) == 1;
  if (!done || size != digest.size()) throw std::bad_alloc();  // nothing else can make SHA-256 fail
  return digest;
}

bool same_secret(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  std::uint64_t difference = 0;
  const auto look = [&](std::size_t at, std::size_t size) {
    std::uint64_t left = 0, right = 0;
    std::memcpy(&left, one.data() + at, size);
    std::memcpy(&right, other.data() + at, size);
    difference |= left ^ right;
  };
  constexpr std::size_t word = sizeof difference;
  std::size_t at = 0;
  for (; at + word <= one.size(); at += word) look(at, word);
  if (at == one.size()) return difference == 0;
  // The last bytes, some of them once more where there is a word of them.
  if (one.size() >= word)
    look(one.size() - word, word);
  else
    look(at, one.size());
  return difference == 0;
}

bool same_digest(const Digest& one, const Digest& other) {
  const auto text = [](const Digest& digest) {
    return std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size());
  };
  return same_secret(text(one), text(other));
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  Digest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace tollgate
