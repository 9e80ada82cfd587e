// Both, as the first alone counts where doctest's declarations come precompiled.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "sanitized.hpp"

#ifdef XGRAD_SANITIZED
const bool sanitized = true;
#else
const bool sanitized = false;
#endif
