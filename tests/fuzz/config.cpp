// Any text is a snapshot or a list of faults, and a snapshot can be shown, resolved and compared.
#include "tollgate/config/loader.hpp"
#include "tollgate/config/schema.hpp"
#include "tollgate/config/store.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace tollgate;

/// The text includes itself under other names, so that includes and duplicates are met too.
config::Sources sources_of(const std::string& text) {
  return {[text](const std::string& path) -> Result<std::string> {
            if (path.ends_with("missing")) return Failure{.kind = FailureKind::internal, .message = "No such file"};
            return path.ends_with(".yaml") ? text : std::string("from a file\n");
          },
          [](const std::string& pattern) { return std::vector<std::string>{pattern + ".yaml"}; },
          [](const std::string& name) -> std::optional<std::string> {
            return name == "SET" ? std::optional<std::string>("value") : std::nullopt;
          }};
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool allow_unset : {false, true}) {
    const config::Loaded loaded = config::load("/etc/tollgate/routes.yaml", sources_of(text), {allow_unset});
    require((loaded.snapshot != nullptr) == loaded.faults.empty());
    for (const config::Fault& fault : loaded.faults)
      require(fault.line >= 1 && fault.column >= 1 && !config::to_text(fault).empty());
    if (!loaded.snapshot) continue;
    require(!config::effective(*loaded.snapshot).empty());
    require(config::restart_only_changes(*loaded.snapshot, *loaded.snapshot).empty());
    const auto everyone = [](const config::Resolution&) { return true; };
    for (const std::string& name : loaded.snapshot->listed_names(everyone))
      require(loaded.snapshot->resolve(name).model != nullptr);
    (void)loaded.snapshot->near_names(text, everyone);
    (void)loaded.snapshot->resolve(text);
  }
  return 0;
}
