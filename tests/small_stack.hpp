#pragma once
#include <pthread.h>

#include <cstddef>
#include <exception>
#include <stdexcept>

/// Runs f on a thread whose stack has so many bytes, and throws what it threw.
template <class F>
void on_stack_of(std::size_t bytes, F f) {
  struct Job {
    F& f;
    std::exception_ptr failure;
  } job{f, nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstacksize(&attributes, bytes) != 0) throw std::runtime_error("stack size refused");
  pthread_t thread;
  const auto run = [](void* p) -> void* {
    auto& j = *static_cast<Job*>(p);
    try {
      j.f();
    } catch (...) {
      j.failure = std::current_exception();
    }
    return nullptr;
  };
  if (pthread_create(&thread, &attributes, run, &job) != 0) throw std::runtime_error("no thread");
  pthread_attr_destroy(&attributes);
  pthread_join(thread, nullptr);
  if (job.failure) std::rethrow_exception(job.failure);
}
