# What `cmake --install` puts where, and the package that find_package(rookery)
# finds: the library, the embedded broker, rookery::testing, rookery::program,
# and the binary.
# The service's own libraries are not for others and stay out.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rookery")
set(header_dir "${CMAKE_INSTALL_INCLUDEDIR}/rookery")

# Headers are included as here: "bridge/bridge.hpp", below include/rookery.
install(TARGETS
    rookery_bridge_core rookery_wal rookery_amqp_wire rookery_amqp
    rookery_proto_bridge
    rookery_proto_caf rookery_bridge rookery_broker_core rookery_broker
    rookery_testing rookery_node_config rookery_program
  EXPORT rookery-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${header_dir}")
install(TARGETS rookery_binary RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/proto/rookery/bridge"
  DESTINATION "${header_dir}/rookery" FILES_MATCHING PATTERN "*.pb.h")
# For programs in other languages, too.
install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/proto/rookery"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/rookery/proto"
  FILES_MATCHING PATTERN "*.proto")

install(EXPORT rookery-targets NAMESPACE rookery:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/rookery-config.cmake.in
  "${CMAKE_CURRENT_BINARY_DIR}/rookery-config.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/rookery-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/rookery-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/rookery-config-version.cmake"
    cmake/FindAsio.cmake cmake/FindCAF.cmake cmake/FindQpidProtonCpp.cmake
  DESTINATION "${package_dir}")
