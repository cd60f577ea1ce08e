# Precompiled headers: one set per group of third-party libraries, compiled
# once and reused by every target that links the group. Which group that is
# follows from what the target links, so no target has to say it.
#
# They change compile times only: a header that relies on them fails in
# all_verify_interface_header_sets, a source in any build without them. With
# ccache as the compiler launcher they are off: it does the same work, and
# does not cache what uses a precompiled header.
set(pch_default ON)
if("${CMAKE_CXX_COMPILER_LAUNCHER}" MATCHES "ccache")
  set(pch_default OFF)
endif()
option(ROOKERY_PCH "Precompile the headers of third parties" ${pch_default})

# Names everything `target` links, directly or not, in the variable `out`.
function(rookery_linked target out)
  set(todo ${target})
  set(seen "")
  while(todo)
    list(POP_FRONT todo next)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" next "${next}")
    if(NOT TARGET "${next}")
      list(APPEND seen "${next}")
      continue()
    endif()
    get_target_property(real ${next} ALIASED_TARGET)
    if(real)
      set(next ${real})
    endif()
    if(next IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${next})
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(libraries ${next} ${property})
      if(libraries)
        list(APPEND todo ${libraries})
      endif()
    endforeach()
  endwhile()
  set(${out} "${seen}" PARENT_SCOPE)
endfunction()

# rookery_pch_group(<name> LINKS <libraries> HEADERS <headers>): serves every
# target that links all of <libraries>.
function(rookery_pch_group name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS;HEADERS")
  set(target rookery_pch_${name})
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "// Only here to be compiled.\n")
  add_library(${target} OBJECT EXCLUDE_FROM_ALL "${source}")
  # Same warnings as their users: -Wpedantic changes what is predefined.
  rookery_warnings(${target})
  target_link_libraries(${target} PRIVATE ${arg_LINKS})
  target_precompile_headers(${target} PRIVATE ${arg_HEADERS})
  set_property(GLOBAL PROPERTY ROOKERY_PCH_LINKS_${name} ${arg_LINKS})
  set_property(GLOBAL APPEND PROPERTY ROOKERY_PCH_GROUPS ${name})
endfunction()

# Remembers `target`, whose group is found when everything is known.
function(rookery_pch target)
  set_property(GLOBAL APPEND PROPERTY ROOKERY_PCH_TARGETS ${target})
endfunction()

# Gives every remembered target the first group it links; called at the end.
function(rookery_pch_apply)
  get_property(targets GLOBAL PROPERTY ROOKERY_PCH_TARGETS)
  get_property(groups GLOBAL PROPERTY ROOKERY_PCH_GROUPS)
  foreach(target IN LISTS targets)
    rookery_linked(${target} linked)
    foreach(group IN LISTS groups)
      get_property(needed GLOBAL PROPERTY ROOKERY_PCH_LINKS_${group})
      list(REMOVE_ITEM needed ${linked})
      if(NOT needed)
        target_precompile_headers(${target} REUSE_FROM rookery_pch_${group})
        break()
      endif()
    endforeach()
  endforeach()
endfunction()
