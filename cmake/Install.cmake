# `cmake --install` puts headers, library and package files where find_package(xgrad) looks.
include(CMakePackageConfigHelpers)

install(TARGETS xgrad EXPORT xgrad)
foreach(folder autograd nn optim)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xgrad FILES_MATCHING PATTERN "*.hpp"
    PATTERN ops EXCLUDE PATTERN checking EXCLUDE PATTERN explain EXCLUDE PATTERN picture EXCLUDE)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
configure_package_config_file(cmake/xgradConfig.cmake.in xgradConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(xgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/xgradConfigVersion.cmake
  DESTINATION ${package_dir})
install(EXPORT xgrad NAMESPACE xgrad:: DESTINATION ${package_dir} FILE xgradTargets.cmake)
