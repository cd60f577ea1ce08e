# Sanitizers for every target of the build, third-party headers included:
# instrumenting one part of a program only hides what the other parts do.
set(ROOKERY_SANITIZE "" CACHE STRING
  "Sanitizers to build with, as in -fsanitize=: address;undefined or thread")

# What a sanitized program reads from its environment; tests get it by
# rookery_test. A report ends the program, so that no test passes over one.
set(ROOKERY_SANITIZE_ENVIRONMENT "")
if(ROOKERY_SANITIZE)
  string(REPLACE ";" "," sanitizers "${ROOKERY_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  # g++ warns that ThreadSanitizer does not see Asio's fences. It need not: what
  # crosses threads through Asio also takes a mutex of its queue.
  if(sanitizers STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
  # Preset tsan names a library that is not there by itself.
  if(CAF_core_LIBRARY AND NOT EXISTS "${CAF_core_LIBRARY}")
    message(FATAL_ERROR "${CAF_core_LIBRARY} is missing; scripts/caf_tsan makes it")
  endif()
  set(suppressions "${CMAKE_CURRENT_LIST_DIR}/sanitizers")
  # ThreadSanitizer sleeps before a program exits, for races of other threads:
  # by default a second, which is all that a node has that is forced to end.
  set(ROOKERY_SANITIZE_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1"
    "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:suppressions='${suppressions}/ubsan.supp'"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:atexit_sleep_ms=100")
endif()
