# 64-bit Windows by MinGW-w64 on Debian: programs that need no file but their own .exe, run under Wine.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(ZLIB_USE_STATIC_LIBS ON)

# Libraries that are headers only are this system's, by links: its other headers stand in the same folder.
set(headers ${CMAKE_BINARY_DIR}/headers)
get_property(trying GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT trying)
  foreach(library xtensor xtl xsimd nlohmann CLI doctest)
    file(MAKE_DIRECTORY ${headers}/include)
    file(CREATE_LINK /usr/include/${library} ${headers}/include/${library} SYMBOLIC)
  endforeach()
  foreach(package doctest CLI11 nlohmann_json)  # whose own CMake packages name the folder of all headers
    file(WRITE ${headers}/lib/cmake/${package}/${package}Config.cmake
      "if(NOT TARGET ${package}::${package})\n  add_library(${package}::${package} INTERFACE IMPORTED)\nendif()\n")
    file(GLOB version /usr/*/cmake/${package}/${package}ConfigVersion.cmake)
    file(CREATE_LINK ${version} ${headers}/lib/cmake/${package}/${package}ConfigVersion.cmake SYMBOLIC)
  endforeach()
endif()
set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES ${headers}/include)
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 ${headers})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR env WINEDEBUG=-all WINEPREFIX=${CMAKE_BINARY_DIR}/wine wine)
