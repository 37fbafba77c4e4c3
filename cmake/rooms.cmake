# A room is one namespace, one static library, one folder below src/ and one below include/tollgate/.
#   tollgate_room(NAME SOURCES file... [USES room...] [LINKS target...])
function(tollgate_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(tollgate_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(tollgate_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_USES PREPEND tollgate_)
  target_link_libraries(tollgate_${name} PUBLIC tollgate_flags ${ROOM_USES} ${ROOM_LINKS} PRIVATE tollgate_warnings)
  target_precompile_headers(tollgate_${name} REUSE_FROM tollgate_room_headers)
endfunction()

# What no request passes through: a release compiles it for size. Sources of the folder that calls.
#   tollgate_small(source...)
function(tollgate_small)
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    # With a precompiled header, GCC would hand to link-time optimisation the level at which that was compiled.
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -Os SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# One test program: tollgate_test(NAME SOURCES file... USES room... [LINKS target...] [OPTIMISED])
# OPTIMISED: its own loops, a million steps of a model and the like, are what takes the time.
# Every case in it becomes a ctest of its own name, so that a failing behaviour is named in the summary.
function(tollgate_test name)
  cmake_parse_arguments(TEST "OPTIMISED" "" "SOURCES;USES;LINKS" ${ARGN})
  set(kind test)
  if(TEST_OPTIMISED)
    set(kind optimised_test)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  list(TRANSFORM TEST_USES PREPEND tollgate_)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${TEST_USES} ${TEST_LINKS} tollgate_test_paths tollgate_${kind}_flags tollgate_warnings GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM tollgate_${kind}_headers)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()
