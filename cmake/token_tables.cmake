# The token counter's tables, made of the published ranks when the project is built; included by src/policy.
set(TOLLGATE_DATA "${PROJECT_SOURCE_DIR}/build/data" CACHE PATH "Where scripts/setup.sh has put the rank files")
set(token_tables ${CMAKE_CURRENT_BINARY_DIR}/token_tables)
file(MAKE_DIRECTORY ${token_tables})

# Runs on the machine that builds, so without what the targets are instrumented with.
add_executable(make_token_tables EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/make_token_tables.cpp)
target_include_directories(make_token_tables PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(make_token_tables PRIVATE -O2)
target_link_libraries(make_token_tables PRIVATE tollgate_warnings)
set_target_properties(make_token_tables PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)

function(token_table kind name input)
  add_custom_command(
    OUTPUT ${token_tables}/${name}.tables
    COMMAND make_token_tables ${kind} ${input} ${token_tables}/${name}.tables
    DEPENDS make_token_tables ${input}
    VERBATIM)
endfunction()

# The names and contents that setup has checked are those of cmake/token_ranks.sha256.
foreach(encoding o200k_base cl100k_base)
  if(NOT EXISTS ${TOLLGATE_DATA}/${encoding}.tiktoken)
    message(FATAL_ERROR "The token counter's ranks are missing (${TOLLGATE_DATA}/${encoding}.tiktoken).\n"
                        "This fetches them: scripts/setup.sh build")
  endif()
  token_table(encoding ${encoding} ${TOLLGATE_DATA}/${encoding}.tiktoken)
endforeach()
token_table(classes unicode_classes ${PROJECT_SOURCE_DIR}/src/policy/unicode_classes.txt)

set_source_files_properties(token_data.cpp PROPERTIES
  COMPILE_OPTIONS "-fno-lto;-Wa,-I${token_tables}"
  OBJECT_DEPENDS "${token_tables}/o200k_base.tables;${token_tables}/cl100k_base.tables;${token_tables}/unicode_classes.tables")
