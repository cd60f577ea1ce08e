# Debian's libqpid-proton-cpp.pc requires .pc files that Debian does not ship.
find_path(QpidProtonCpp_INCLUDE_DIR proton/container.hpp)
find_library(QpidProtonCpp_LIBRARY qpid-proton-cpp)
if(QpidProtonCpp_INCLUDE_DIR)
  file(STRINGS "${QpidProtonCpp_INCLUDE_DIR}/proton/version.h" lines REGEX "PN_VERSION_(MAJOR|MINOR|POINT) [0-9]+")
  string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*POINT ([0-9]+).*" "\\1.\\2.\\3" QpidProtonCpp_VERSION "${lines}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(QpidProtonCpp REQUIRED_VARS QpidProtonCpp_LIBRARY QpidProtonCpp_INCLUDE_DIR VERSION_VAR QpidProtonCpp_VERSION)
if(QpidProtonCpp_FOUND AND NOT TARGET Proton::cpp)
  add_library(Proton::cpp UNKNOWN IMPORTED)
  set_target_properties(Proton::cpp PROPERTIES
    IMPORTED_LOCATION "${QpidProtonCpp_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${QpidProtonCpp_INCLUDE_DIR}")
endif()

# The C engine below the C++ binding. Not libqpid-proton.so: that one carries a
# second copy of everything the C++ library already links.
find_library(QpidProtonCpp_CORE_LIBRARY NAMES libqpid-proton-core.so.10)
if(QpidProtonCpp_CORE_LIBRARY AND NOT TARGET Proton::core)
  add_library(Proton::core UNKNOWN IMPORTED)
  set_target_properties(Proton::core PROPERTIES
    IMPORTED_LOCATION "${QpidProtonCpp_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${QpidProtonCpp_INCLUDE_DIR}")
endif()
