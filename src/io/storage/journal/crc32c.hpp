#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tollgate::io::journal {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of some bytes, going on from `before`: crc32c(0, "123456789") is
/// 0xE3069283. By the processor's own instruction where it has one.
std::uint32_t crc32c(std::uint32_t before, std::span<const std::byte> bytes);

/// The same by a table, on every processor.
std::uint32_t crc32c_by_table(std::uint32_t before, std::span<const std::byte> bytes);

}  // namespace tollgate::io::journal
