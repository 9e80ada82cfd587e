// Loads a library while it runs, as programs do with plug-ins, and calls its main. Usage: load LIBRARY
#include <dlfcn.h>

#include <cstdio>

int main(int, char** arguments) {
  void* const library = dlopen(arguments[1], RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  return reinterpret_cast<int (*)()>(dlsym(library, "main"))();
}
