#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <same_bits.hpp>

#include "nn/folder.hpp"
#include "nn/processes.hpp"

using namespace xgrad;

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
