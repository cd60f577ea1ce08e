# Every target of this project, and only those, is compiled with warnings. They
# are errors in Debug builds alone: where GCC 12 optimizes, it warns of moves of
# std::variant and std::string in its own headers, wrongly.
function(rookery_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
    "$<$<CONFIG:Debug>:-Werror>"
    "$<$<AND:$<NOT:$<CONFIG:Debug>>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized;-Wno-stringop-overflow;-Wno-restrict>")
endfunction()

# rookery_library(<name> SOURCES ... HEADERS ... PUBLIC <libs> PRIVATE <libs>)
# Makes target rookery_<name>, its alias rookery::<name>, and its header set,
# whose headers the build proves to be self-contained.
function(rookery_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  set(target rookery_${name})
  if(arg_SOURCES)
    set(scope PUBLIC)
    add_library(${target} STATIC ${arg_SOURCES})
    rookery_warnings(${target})
    rookery_pch(${target})
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(rookery::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS})
  target_link_libraries(${target} ${scope} ${arg_PUBLIC})
  target_compile_features(${target} ${scope} cxx_std_20)
endfunction()

# rookery_executable(<target> NAME <name> SOURCES ... LIBRARIES ...)
# A program that is run where it is built: bin/<name> of its directory.
function(rookery_executable target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME" "SOURCES;LIBRARIES")
  add_executable(${target} ${arg_SOURCES})
  rookery_warnings(${target})
  rookery_pch(${target})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_NAME}
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/bin")
endfunction()
