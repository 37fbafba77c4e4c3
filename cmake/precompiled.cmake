# Headers of others that nearly every source includes, compiled once for all rooms and once, with GoogleTest, for all
# tests. No source leans on it: each includes what it uses, and the gates `headers` and `tidy` compile without.
set(common_headers <algorithm> <array> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
  <string_view> <variant> <vector> <boost/intrusive/list.hpp> <boost/smart_ptr/intrusive_ptr.hpp> <boost/system/result.hpp>
  <nlohmann/json.hpp>)

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # CMake's own way names the header by a path that ccache does not see, and so cannot take relative to the tree.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.so
    OUTPUT_VARIABLE standard_library OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(REAL_PATH "${standard_library}" standard_library)
endif()

# tollgate_precompiled(NAME HEADERS header... [LINKS target...]): what target_precompile_headers() can REUSE_FROM
function(tollgate_precompiled name)
  cmake_parse_arguments(PRECOMPILED "" "" "HEADERS;LINKS" ${ARGN})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// A target needs a source; this one is there for its headers.\n")
  add_library(${name} OBJECT ${source})
  target_link_libraries(${name} PRIVATE tollgate_flags tollgate_warnings ${PRECOMPILED_LINKS})
  target_precompile_headers(${name} PRIVATE ${PRECOMPILED_HEADERS})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # The time of a header counts for nothing, as elsewhere: ccache may bring one that was made of the same text.
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    # Clang writes into it where it was made. What ccache is to tell it by stands beside it instead (its manual,
    # "pch_external_checksum"); compiler and options it looks at anyway.
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum
      "${PRECOMPILED_HEADERS} ${Boost_VERSION} ${nlohmann_json_VERSION} ${GTest_VERSION} ${standard_library}")
  endif()
endfunction()

tollgate_precompiled(tollgate_room_headers HEADERS ${common_headers} LINKS Boost::headers nlohmann_json::nlohmann_json)
