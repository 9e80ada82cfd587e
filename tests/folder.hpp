#pragma once
#include <autograd/error.hpp>
#include <filesystem>
#include <random>
#include <string>

/// A directory of the test's own, gone at the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::random_device random;
    do path = std::filesystem::temp_directory_path() / xgrad::text("xgrad-", random());
    while (!std::filesystem::create_directory(path));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const char* name) const { return (path / name).string(); }
  std::size_t files() const {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++n;
    return n;
  }
};
