#pragma once

namespace xgrad::capturing {

/// Set where the thread reads an element by `item` in a function that is being captured: what the program does by it, a
/// replay does not do. Whoever wants to know resets it first.
extern thread_local constinit bool numbers_read;

}  // namespace xgrad::capturing
