#pragma once

/// Whether the library of this program has a sanitizer in it. Then freed memory goes back to the system at once, so
/// that each use after free is seen, and counts of system allocations mean nothing. It is known when a program is
/// linked, not when a test is compiled: see XGRAD_TEST_OBJECTS.
extern const bool sanitized;
