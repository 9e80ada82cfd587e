# Style sheets and scripts (*.css and *.js) become texts of the library: autograd/explain/page.css is
# `explain_page_css`, declared in autograd/support/embedded.hpp; names of nn's begin with nn. CMake writes them itself, so
# that cross builds need no program of the host, and does so again when a file changes.
file(GLOB_RECURSE xgrad_embedded CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} autograd/*.css autograd/*.js
  nn/*.css nn/*.js)
set(embedded "#include <autograd/support/embedded.hpp>\n\nnamespace xgrad::detail::embedded {\n")
foreach(file IN LISTS xgrad_embedded)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} words)
  string(REGEX REPLACE "^autograd/" "" name ${file})
  string(MAKE_C_IDENTIFIER ${name} name)
  string(APPEND embedded "\nconst char ${name}[] = R\"embedded(${words})embedded\";\n")
endforeach()
string(APPEND embedded "\n}  // namespace xgrad::detail::embedded\n")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp.new "${embedded}")
configure_file(${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp.new ${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp COPYONLY)
