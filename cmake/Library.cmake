# The library xgrad::xgrad: plain sources once, autograd/kernels/simd/ once for each instruction set.
file(GLOB_RECURSE xgrad_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
  autograd/*.cpp nn/*.cpp optim/*.cpp)
set(xgrad_simd_sources ${xgrad_sources})
list(FILTER xgrad_simd_sources INCLUDE REGEX "^autograd/kernels/simd/")
list(FILTER xgrad_sources EXCLUDE REGEX "^autograd/kernels/simd/")

# What the system does, and what spreads work over threads, stands in one source each.
set(xgrad_system posix)
if(WIN32)
  set(xgrad_system windows)
endif()
set(xgrad_workers openmp)
if(XGRAD_TBB)
  find_package(TBB QUIET)
  if(TBB_FOUND)
    set(xgrad_workers tbb)
  endif()
endif()
if(xgrad_workers STREQUAL openmp)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS -fopenmp)
  check_cxx_source_compiles("#include <omp.h>\nint main() { return omp_get_num_procs() == 0; }" XGRAD_OPENMP)
  unset(CMAKE_REQUIRED_FLAGS)
  if(XGRAD_OPENMP)
    message(STATUS "xgrad: threads of OpenMP, without oneTBB")
  else()
    message(STATUS "xgrad: one thread only, without oneTBB and OpenMP")
  endif()
endif()
list(FILTER xgrad_sources EXCLUDE REGEX "^autograd/(support/system|kernels/workers)_")
list(APPEND xgrad_sources autograd/support/system_${xgrad_system}.cpp autograd/kernels/workers_${xgrad_workers}.cpp)

find_package(ZLIB REQUIRED)
xgrad_require(nlohmann_json 3.11 nlohmann-json3-dev)
xgrad_require(xsimd 8.1 libxsimd-dev xsimd/config/xsimd_config.hpp)
if(XGRAD_ONEDNN)
  # Not its CMake package: Debian's demands the headers of OpenCL, which a CPU library has no use for.
  find_path(XGRAD_ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
  find_library(XGRAD_ONEDNN_LIBRARY dnnl)
endif()

if(WIN32 AND BUILD_SHARED_LIBS)
  message(STATUS "xgrad is a static library on Windows, also where BUILD_SHARED_LIBS is set")
  set(BUILD_SHARED_LIBS OFF)
endif()
include(cmake/Embed.cmake)
add_library(xgrad ${xgrad_sources} ${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp)
add_library(xgrad::xgrad ALIAS xgrad)
target_compile_features(xgrad PUBLIC cxx_std_20)
target_include_directories(xgrad PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>)
# A shared library shows what headers declare below `#pragma GCC visibility push(default)`, which stands in those that
# are installed. Before version 1 each minor version may change that, so its name holds both numbers.
set(xgrad_properties CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
set_target_properties(xgrad PROPERTIES ${xgrad_properties}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
if(NOT PROJECT_IS_TOP_LEVEL)
  set_target_properties(xgrad PROPERTIES SYSTEM ON)  # another project's warnings stop at the headers
endif()
# The engine moves small structs whose fields were stored one by one a moment before. Copied in vectors they would not be
# forwarded from the processor's store buffer.
# Nor does anybody replace one of its functions at run time, so that calls among them may be inlined. What each thread
# has of its own is found without a call, as in a program that has not loaded the library while running.
# Nor is a*b+c fused, which compilers do on their own for 64-bit Arm: a result has the same bits on all processors.
target_compile_options(xgrad PRIVATE -fno-tree-slp-vectorize -fno-semantic-interposition -ftls-model=initial-exec
  -ffp-contract=off)
# Its own headers are compiled once, and the files of a folder up to eight at a time, which spares a third of the time
# that each takes by itself. (With CMAKE_DISABLE_PRECOMPILE_HEADERS each is by itself, and has to include what it needs,
# as the preset clang-libcxx proves.)
target_precompile_headers(xgrad PRIVATE <algorithm> <cmath> <functional> <map> <set> <string> <vector>
  <autograd/autograd.hpp>)
if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
  set_target_properties(xgrad PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  set(place 0)
  foreach(source IN LISTS xgrad_sources)
    math(EXPR place "${place} + 1")
    math(EXPR part "${place} / 8")
    cmake_path(GET source PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER ${folder}_${part} group)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endif()
# It says what it wants of the system's headers before it includes any.
set_source_files_properties(autograd/support/system_${xgrad_system}.cpp PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
target_link_libraries(xgrad PRIVATE $<BUILD_INTERFACE:xgrad_warnings> $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>
  ZLIB::ZLIB)
if(xgrad_workers STREQUAL tbb)
  target_link_libraries(xgrad PRIVATE TBB::tbb)
elseif(XGRAD_OPENMP)
  set_source_files_properties(autograd/kernels/workers_openmp.cpp PROPERTIES
    COMPILE_OPTIONS -fopenmp SKIP_PRECOMPILE_HEADERS ON)
  target_link_libraries(xgrad PRIVATE -fopenmp)
endif()
# GCC bug 54412: a stack is aligned to 16 bytes on Windows, but g++ keeps longer vectors on it as if it were to 32 or 64.
# Users' fused functions are such vectors too.
set(xgrad_stack_vectors "")
if(MINGW AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(xgrad_stack_vectors -Wa,-muse-unaligned-vector-move)
endif()
target_compile_options(xgrad PUBLIC ${xgrad_stack_vectors})
if(XGRAD_ONEDNN AND XGRAD_ONEDNN_INCLUDE_DIR AND XGRAD_ONEDNN_LIBRARY)
  set(XGRAD_HAVE_ONEDNN ON)
  target_include_directories(xgrad SYSTEM PRIVATE ${XGRAD_ONEDNN_INCLUDE_DIR})
  # Installed, it is a name, for this machine's path says nothing on another one.
  target_link_libraries(xgrad PRIVATE $<BUILD_INTERFACE:${XGRAD_ONEDNN_LIBRARY}> $<INSTALL_INTERFACE:dnnl> ${CMAKE_DL_LIBS})
  target_compile_definitions(xgrad PRIVATE XGRAD_HAVE_ONEDNN)
endif()
if(XGRAD_LAPACK)
  # Nothing of it is needed to build: a program loads it when it first calls what needs it (autograd/linalg/lapack.hpp).
  target_compile_definitions(xgrad PRIVATE XGRAD_HAVE_LAPACK)
endif()

# xsimd up to 10 has no fused a*b+c for AVX-512, so the compiler makes them where nobody counts on the bits of f64.
set_source_files_properties(autograd/kernels/simd/unary_contracted.cpp autograd/kernels/simd/binary_contracted.cpp
  autograd/kernels/simd/convolution.cpp autograd/kernels/simd/convolution_wide.cpp
  PROPERTIES COMPILE_OPTIONS -ffp-contract=fast SKIP_PRECOMPILE_HEADERS ON)
# Nor is a product's shape moved in larger pieces than it was stored in, for the reason above.
set_source_files_properties(autograd/kernels/simd/gemm.cpp
  PROPERTIES COMPILE_OPTIONS "-ffp-contract=fast;-fno-tree-slp-vectorize;$<$<CXX_COMPILER_ID:GNU>:-fno-store-merging>"
  SKIP_PRECOMPILE_HEADERS ON)

# The formulas of optimisers are plain loops, which become SIMD where a root sets no errno and a comparison may be made for
# nothing.
file(GLOB xgrad_formulas CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} optim/optimizers/*.cpp)
set_source_files_properties(${xgrad_formulas} PROPERTIES
  COMPILE_OPTIONS "-fno-math-errno;-fno-trapping-math" SKIP_PRECOMPILE_HEADERS ON)

set_source_files_properties(nn/training/facts.cpp PROPERTIES COMPILE_DEFINITIONS XGRAD_VERSION="${PROJECT_VERSION}")

# These move bits of any element type as unsigned integers of its size.
set_source_files_properties(autograd/kernels/simd/walk.cpp autograd/kernels/simd/select.cpp
  PROPERTIES COMPILE_OPTIONS -fno-strict-aliasing)

# TBB's headers are the work of a library that the thread sanitizer does not see into: what it would say of them is false.
if(XGRAD_SANITIZE MATCHES thread)
  set_source_files_properties(autograd/kernels/workers_tbb.cpp PROPERTIES
    COMPILE_OPTIONS -fno-sanitize=thread COMPILE_DEFINITIONS XGRAD_THREAD_SANITIZER SKIP_PRECOMPILE_HEADERS ON)
endif()

# The many small vectors of a kernel all live on the stack: watching each go out of scope takes most of the time to
# compile it under a sanitizer.
set(xgrad_simd_sanitizing "")
if(XGRAD_SANITIZE MATCHES address)
  set(xgrad_simd_sanitizing -fno-sanitize-address-use-after-scope)
endif()

# One object library for each instruction set, chosen among at run time (autograd/kernels/dispatch.cpp).
# Contraction of a*b+c is off so that all of them round alike, in f64 but for the exponentials of softmax and logsumexp.
# Functions begin at cache lines: a loop of few instructions takes longer where it straddles two.
function(xgrad_instruction_set name)
  add_library(xgrad_${name} OBJECT ${xgrad_simd_sources})
  target_compile_features(xgrad_${name} PRIVATE cxx_std_20)
  target_compile_definitions(xgrad_${name} PRIVATE XGRAD_ISA=${name})
  target_compile_options(xgrad_${name} PRIVATE ${xgrad_stack_vectors}
    -ffp-contract=off -fno-math-errno -fno-trapping-math -falign-functions=64
    ${xgrad_simd_sanitizing} ${ARGN})
  if(NOT XGRAD_SANITIZE)
    target_compile_options(xgrad_${name} PRIVATE -O3)
  endif()
  target_include_directories(xgrad_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(xgrad_${name} SYSTEM PRIVATE ${XGRAD_XSIMD_INCLUDE_DIR})
  target_link_libraries(xgrad_${name} PRIVATE xgrad_warnings)
  target_precompile_headers(xgrad_${name} PRIVATE <algorithm> <cmath> <vector> <autograd/kernels/simd/value.hpp>)
  set_target_properties(xgrad_${name} PROPERTIES ${xgrad_properties})
  target_compile_definitions(xgrad PRIVATE XGRAD_ISA_${name})
  set(xgrad_simd_objects ${xgrad_simd_objects} $<TARGET_OBJECTS:xgrad_${name}> PARENT_SCOPE)
endfunction()

xgrad_instruction_set(baseline)
if(XGRAD_DISPATCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  xgrad_instruction_set(avx2 -mavx2 -mfma)
  xgrad_instruction_set(avx512 -mavx2 -mfma -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC bug 105593: its own AVX-512 headers leave operands uninitialised on purpose, and are warned about.
    target_compile_options(xgrad_avx512 PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
endif()
target_sources(xgrad PRIVATE ${xgrad_simd_objects})

# What tests and benchmarks are linked with: they look inside, which a shared library does not let them, so for them the
# same objects are a static one.
if(BUILD_SHARED_LIBS)
  add_library(xgrad_internals STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:xgrad> ${xgrad_simd_objects})
  set_target_properties(xgrad_internals PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(xgrad_internals PUBLIC cxx_std_20)
  target_include_directories(xgrad_internals PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  get_target_property(xgrad_libraries xgrad LINK_LIBRARIES)
  target_link_libraries(xgrad_internals PUBLIC ${xgrad_libraries})
else()
  add_library(xgrad_internals ALIAS xgrad)
endif()
