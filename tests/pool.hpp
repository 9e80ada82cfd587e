#pragma once

/// Whether freed memory waits in the pool. Under a sanitizer every block goes back to the system at once, so that it
/// sees each use after free, and counts of system allocations mean nothing.
#ifdef XGRAD_SANITIZED
inline constexpr bool pooled = false;
#else
inline constexpr bool pooled = true;
#endif
