#pragma once
#include <cstdlib>

/// Sets a variable of the process's environment; an empty value takes it away on Windows.
inline void set_variable(const char* name, const char* value) {
#ifdef _WIN32
  _putenv_s(name, value);
#else
  ::setenv(name, value, 1);
#endif
}
