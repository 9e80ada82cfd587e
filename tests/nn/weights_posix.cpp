#include <doctest/doctest.h>
#include <filesystem>
#include <nn/nn.hpp>

#include "folder.hpp"
#include "nn/processes.hpp"
#include "support.hpp"

using namespace xgrad;

/// Permissions of weight files.

TEST_CASE("files that hold a private model stay private") {
  const Folder folder;
  const nn::Sequential model{nn::Dense{2, 1}};
  nn::save_weights(model, folder / "w");
  std::filesystem::permissions(folder / "w", std::filesystem::perms(0600));
  nn::save_weights(model, folder / "w");
  CHECK(std::filesystem::status(folder / "w").permissions() == std::filesystem::perms(0600));
  std::filesystem::permissions(folder / "w", std::filesystem::perms(0400));
  CHECK(message_of<FileError>([&] { nn::save_weights(model, folder / "w"); }) ==
        "save_weights: cannot write '" + folder / "w" + "': it is read-only; make it writable, or name another file");
}

TEST_CASE("of two processes that save their weights at once one whole model loads") {
  const Folder folder;
  const std::string path = folder / "w";
  nn::Sequential models[2] = {{nn::Dense{30, 40}}, {nn::Dense{30, 40}}};
  in_two_processes([&](int i) {
    for (int k = 0; k < 20; ++k) nn::save_weights(models[i], path);
  });
  nn::Sequential loaded{nn::Dense{30, 40}};
  nn::load_weights(loaded, path);
  const StateDict found = loaded.state_dict();
  CHECK(same_bits(found, models[0].state_dict()) != same_bits(found, models[1].state_dict()));
  CHECK(folder.files() == 1);
}
