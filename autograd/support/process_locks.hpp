#pragma once
#include <mutex>

namespace xgrad::detail {

/// The locks of the whole process, in the order in which one thread may take several. The thread that calls fork()
/// takes them all meanwhile: the child, in which no other thread goes on, finds them free and what they guard whole.
enum class ProcessLock { leaves, hooks, parameters, seeds, blocks, counters, count };

std::mutex& process_lock(ProcessLock which) noexcept;

}  // namespace xgrad::detail
