# How every target is compiled: the language level, warnings as errors, sanitizers, hardening, link-time optimisation.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

find_program(TOLLGATE_CCACHE ccache)
if(TOLLGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need this sloppiness for a hit to be possible at all (ccache manual, "Precompiled headers"). With
  # paths taken relative to the tree, what one clone has compiled is a hit in another.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 ${TOLLGATE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

add_library(tollgate_warnings INTERFACE)
target_compile_options(tollgate_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror)

add_library(tollgate_flags INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Coroutines hand over to each other by tail calls; without this a debug build grows its stack instead.
  target_compile_options(tollgate_flags INTERFACE -foptimize-sibling-calls)
  if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    # A program that is one unit at link time is inlined until it has grown by 40 %. With ours that was so soon that
    # string_view's one-liners were calls.
    target_compile_options(tollgate_flags INTERFACE --param=inline-unit-growth=120)
  endif()
endif()
if(TOLLGATE_SANITIZE)
  target_compile_options(tollgate_flags INTERFACE -fsanitize=${TOLLGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tollgate_flags INTERFACE -fsanitize=${TOLLGATE_SANITIZE})
endif()
# What most tests do themselves need not be fast, and instrumented it takes twice as long to optimise as to compile.
add_library(tollgate_optimised_test_flags INTERFACE)
add_library(tollgate_test_flags INTERFACE)
if(TOLLGATE_SANITIZE)
  target_compile_options(tollgate_test_flags INTERFACE -O0)
endif()
if(TOLLGATE_FUZZ)
  # The rooms report which branches an input took; without it a fuzzer sees its own few lines only.
  target_compile_options(tollgate_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TOLLGATE_COVERAGE)
  target_compile_options(tollgate_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(tollgate_flags INTERFACE --coverage)
endif()
if(TOLLGATE_FAILPOINTS)
  target_compile_definitions(tollgate_flags INTERFACE TOLLGATE_FAILPOINTS)
endif()
if(TOLLGATE_HARDEN)
  target_compile_options(tollgate_flags INTERFACE -fstack-protector-strong -fcf-protection=full -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(tollgate_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
