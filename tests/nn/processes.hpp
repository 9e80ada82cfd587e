#pragma once
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

/// Runs `body(0)` and `body(1)` at the same time, each in a process of its own, and checks that both end well.
template <class Body>
void in_two_processes(Body body) {
  pid_t children[2];
  for (int i = 0; i < 2; ++i) {
    children[i] = ::fork();
    if (children[i] != 0) continue;
    body(i);
    ::_exit(0);
  }
  for (const pid_t child : children) {
    int status;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}
