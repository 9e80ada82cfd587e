#include <doctest/doctest.h>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/nn.hpp>

#include <cstring>
#include <fstream>
#include <limits>

#include "folder.hpp"
#include "support.hpp"

using namespace xgrad;

/// Weights saved and loaded, and files that do not fit.
namespace {

struct Net : nn::Module {
  nn::Dense hidden{2, 3}, output{3, 1};
  nn::Parameter scale{ones({1})};
  nn::Buffer seen{zeros({})};
  nn::Sequential tail{nn::Dense{1, 2}, nn::ReLU{}};
  Tensor operator()(const Tensor& x) { return tail(output(relu(hidden(x)))) * scale; }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
    visit("scale", scale);
    visit("seen", seen);
    visit("tail", tail);
  }
};

/// Gives the model numbers that are hard to keep, NaN payloads among them.
void fill(nn::Module& model) {
  const NoGrad guard;
  for (Tensor p : model.parameters()) {
    p.assign(randn(p.shape(), {.dtype = p.dtype()}));
    if (p.dtype() == f32) {
      const std::uint32_t payload = 0xffc0beef;
      std::memcpy(p.data<float>(), &payload, 4);
      if (p.size() > 1) p.data<float>()[1] = -0.0f;
      if (p.size() > 2) p.data<float>()[2] = std::numeric_limits<float>::denorm_min();
    } else {
      const std::uint64_t payload = 0x7ff80000deadbeef;
      std::memcpy(p.data<double>(), &payload, 8);
      if (p.size() > 1) p.data<double>()[1] = -std::numeric_limits<double>::infinity();
    }
  }
}

template <class Model>
void check_round_trip(Model saved, Model loaded) {
  const Folder folder;
  for (const Dtype dtype : {f32, f64}) {
    CAPTURE(name_of(dtype));
    saved.to(dtype);
    loaded.to(dtype);
    fill(saved);
    REQUIRE(!same_bits(saved.state_dict(), loaded.state_dict()));
    const Tensor handle = loaded.parameters()[0];
    nn::save_weights(saved, folder / "w");
    nn::load_weights(loaded, folder / "w");
    CHECK(same_bits(saved.state_dict(), loaded.state_dict()));
    CHECK(handle.same(loaded.parameters()[0]));  // what optimisers hold stays the model's
    CHECK(loaded.parameters()[0].requires_grad());
    CHECK(folder.files() == 1);
  }
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("weights go through a file bit by bit: a Sequential, a nested one and a custom model, f32 and f64") {
  const auto network = [] { return nn::Sequential{nn::Dense{4, 3}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{3, 1}}; };
  check_round_trip(network(), network());
  const auto nested = [&] {
    return nn::Sequential{nn::Dense{2, 4}, network(),
                          nn::Sequential{nn::Sequential{nn::Dense{1, 1}, nn::Tanh{}}, Net{}}};
  };
  check_round_trip(nested(), nested());
  check_round_trip(Net{}, Net{});
}

TEST_CASE("buffers are saved too") {
  const Folder folder;
  Net saved, loaded;
  {
    const NoGrad guard;
    saved.seen.assign(full({}, 7));
  }
  nn::save_weights(saved, folder / "w");
  nn::load_weights(loaded, folder / "w");
  check_close(loaded.seen, {7});
}

TEST_CASE("every name that does not fit is in one message with the file's name, and the model is unchanged") {
  const Folder folder;
  const std::string path = folder / "w";
  Net net;
  StateDict wrong;
  for (const auto& [name, t] : net.state_dict())
    if (name != "output.bias" && name != "seen") wrong.set(name, t + 1);
  wrong.set("hidden.weight", zeros({3, 2}));
  wrong.set("hidden.bias", zeros({3}, {.dtype = f64}));
  wrong.set("outptu.bias", zeros({1}));
  nn::save_tensors(path, wrong);
  const StateDict before = net.state_dict();
  const std::string said = error_of([&] { nn::load_weights(net, path); });
  CHECK(same_bits(net.state_dict(), before));
  for (const std::string& part :
       {std::string("weights.cpp:"), std::string("hidden.weight is (3, 2), the model's is (2, 3)"),
        std::string("hidden.bias is f64, the model's is f32"), std::string("missing output.bias (1,)"),
        std::string("missing seen ()"), std::string("unexpected outptu.bias"), std::string("the model is unchanged"),
        "the file is '" + path + "'"})
    CHECK_MESSAGE(said.find(part) != std::string::npos, said, " should say ", part);
  CHECK_THROWS_AS(nn::load_weights(net, path), FileError);
}

TEST_CASE("a file of f64 is converted for an f32 model only when asked") {
  const Folder folder;
  Net wide, narrow;
  wide.to(f64);
  {
    const NoGrad guard;
    wide.scale.assign(full({1}, 0.1, {.dtype = f64}));
  }
  nn::save_weights(wide, folder / "w");
  const StateDict before = narrow.state_dict();
  CHECK_THROWS_WITH_AS(nn::load_weights(narrow, folder / "w"), doctest::Contains("pass {.convert_dtype = true}"),
                       FileError);
  CHECK(same_bits(narrow.state_dict(), before));
  nn::load_weights(narrow, folder / "w", {.convert_dtype = true});
  CHECK(narrow.scale.dtype() == f32);
  CHECK(narrow.scale.data<float>()[0] == 0.1f);
}

TEST_CASE(
    "weights of 16 bits are read into f32 and f64 models, and large ones that do not fit are refused, when asked") {
  const Folder folder;
  const std::string header =
      R"({"0.weight":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"0.bias":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}})";
  const std::uint64_t length = header.size();
  const std::uint16_t numbers[] = {0x3E00, 0xC000, 0x3E80};
  write(folder / "half", std::string(reinterpret_cast<const char*>(&length), 8) + header +
                             std::string(reinterpret_cast<const char*>(numbers), 6));
  for (const Dtype dtype : {f32, f64}) {
    nn::Sequential model{nn::Dense{2, 1, {.dtype = dtype}}};
    CHECK(message_of<FileError>([&] { nn::load_weights(model, folder / "half"); }) ==
          "load_weights: '" + folder / "half" +
              "' gives '0.weight' the dtype F16; pass {.convert_dtype = true} to read it as f32");
    nn::load_weights(model, folder / "half", {.convert_dtype = true});
    CHECK(model.parameters()[0].dtype() == dtype);
    check_close(model.parameters()[0], {1.5, -2});
    check_close(model.parameters()[1], {.25});
  }
  nn::Sequential narrow{nn::Dense{2, 1}};
  const StateDict before = narrow.state_dict();
  nn::save_tensors(folder / "wide", {{"0.weight", tensor({{1.}, {1e300}}, {.dtype = f64})},
                                     {"0.bias", tensor({1e-300}, {.dtype = f64})}});
  CHECK(message_of<FileError>([&] { nn::load_weights(narrow, folder / "wide", {.convert_dtype = true}); }) ==
        "load_weights: element 1 of 0.weight is 1e+300, which does not fit f32; the model is unchanged; the file is '" +
            folder / "wide" + "'");
  CHECK(same_bits(narrow.state_dict(), before));
  nn::save_tensors(folder / "wide", {{"0.weight", tensor({{1.}, {-INFINITY}}, {.dtype = f64})},
                                     {"0.bias", tensor({1e-300}, {.dtype = f64})}});
  nn::load_weights(narrow, folder / "wide", {.convert_dtype = true});
  check_close(narrow.parameters()[1], {0});
}

TEST_CASE("no prefix of a file of weights loads, and none changes the model") {
  const Folder folder;
  const nn::Sequential saved{nn::Dense{2, 1}};
  nn::Sequential model{nn::Dense{2, 1}};
  const StateDict before = model.state_dict();
  const std::string bytes = nn::to_safetensors(saved.state_dict());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    write(folder / "w", bytes.substr(0, n));
    CHECK_THROWS_WITH_AS(nn::load_weights(model, folder / "w"), doctest::Contains((folder / "w").c_str()), FileError);
  }
  CHECK(same_bits(model.state_dict(), before));
  write(folder / "w", bytes);
  nn::load_weights(model, folder / "w");
  CHECK(same_bits(model.state_dict(), saved.state_dict()));
}

TEST_CASE("each byte flipped gives an error and the model as it was, or weights of its names and shapes") {
  const Folder folder;
  nn::Sequential model{nn::Dense{2, 1}};
  const std::string bytes = nn::to_safetensors(model.state_dict());
  const std::size_t numbers_at = bytes.size() - 12;
  std::size_t loads = 0;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    std::string flipped = bytes;
    flipped[n] = static_cast<char>(flipped[n] ^ 0xff);
    write(folder / "w", flipped);
    const StateDict before = model.state_dict();
    try {
      nn::load_weights(model, folder / "w");
      ++loads;
      CHECK(n >= numbers_at);
    } catch (const FileError&) {
      CHECK(same_bits(model.state_dict(), before));
    }
  }
  CHECK(loads == 12);  // a number whose bits changed is a number
}

TEST_CASE("errors of saving and loading name the user's line and the file, and saving leaves the old file") {
  const Folder folder;
  Net net;
  nn::save_weights(net, folder / "w");
  const auto says = [](const std::string& said, int line, const std::string& what) {
    CHECK_MESSAGE(said.find(text("weights.cpp:", line, ": ")) == 0, said);
    CHECK_MESSAGE(said.find(what) != std::string::npos, said);
  };
  says(error_of([&] { nn::save_weights(net, folder / "missing/w"); }), __LINE__, folder / "missing/w");
  says(error_of([&] { nn::save_weights(net, folder.path.string()); }), __LINE__, "it is a directory");
  says(error_of([&] { nn::load_weights(net, folder / "none"); }), __LINE__, folder / "none");
  write(folder / "text", "these are no weights");
  says(error_of([&] { nn::load_weights(net, folder / "text"); }), __LINE__, folder / "text");
  nn::Sequential other{nn::Dense{2, 3}};
  says(error_of([&] { nn::load_weights(other, folder / "w"); }), __LINE__, folder / "w");
  nn::load_weights(net, folder / "w");
}

TEST_CASE("a graph recorded before weights were loaded refuses to use the new ones") {
  const Folder folder;
  nn::Sequential model{nn::Dense{2, 2}, nn::Dense{2, 1}};
  nn::save_weights(model, folder / "w");
  const Tensor loss = sum(model(ones({1, 2})));
  nn::load_weights(model, folder / "w");
  CHECK_THROWS_AS(loss.backward(), GraphError);
}

TEST_CASE("a layer that stands twice in a model is saved once, and both stay one") {
  struct Shared : nn::Module {
    nn::Dense layer{2, 2};
    void members(nn::Visitor& visit) override {
      visit("first", layer);
      visit("second", layer);
    }
  };
  const Folder folder;
  const Shared saved;
  Shared loaded;
  REQUIRE(saved.parameters().size() == 2);
  nn::save_weights(saved, folder / "w");
  CHECK(nn::load_tensors(folder / "w").size() == 2);
  nn::load_weights(loaded, folder / "w");
  CHECK(same_bits(saved.state_dict(), loaded.state_dict()));
}
