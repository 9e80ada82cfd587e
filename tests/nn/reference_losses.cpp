#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include "nn/models.hpp"

using namespace xgrad;

/// The losses of the reference network, number by number.
namespace {

/// As the instruction set `baseline` of x86-64 and glibc compute them. Others round their matrix products elsewhere,
/// and other systems' libm its exponentials, which changes the last bits.
constexpr double expected[] = {
    // clang-format off
    0.7736020617770778, 0.68652421268126607, 0.68596829918289348, 0.65288247908966524, 0.66554776428579232,
    0.74147849964513868, 0.70522548472497792, 0.7079992117305216, 0.66226167544730918, 0.97969835330855437,
    0.82595949090350573, 0.70125946728224786, 0.6359787382390274, 0.61102700430382018, 0.77878108554037173,
    0.79900138865616666, 0.80508873305558271, 0.80930322021258649, 0.73691813836732933, 0.67603799177605861,
    0.62209405396902961, 0.58649833891407988, 0.6990455634595989, 0.71561058377877684, 0.65293754906764823,
    0.77748963415741612, 0.78044693953368482, 0.66729722560171978, 0.61412706791380245, 0.6763135997114943,
    0.71409822196220185, 0.76852890364872617, 0.75417304220538262, 0.6165246515949816, 0.65180649178016625,
    0.6363224766182235, 0.73046574409012444, 0.68890467292361213, 0.6483380579496697, 0.66922182407196529,
    0.66167665339063986, 0.68357548429633253, 0.64809347959912444, 0.6373738237432458, 0.68854728439571067,
    0.63099288163926004, 0.68570173642753041, 0.61263325028441962, 0.57847681122941785, 0.66482067550022705,
    0.61364046103615066, 0.58863033519343899, 0.59519288294250472, 0.66765805040452542, 0.68938058425210336,
    0.60545489316026535, 0.61129209270792351, 0.63139731869573601, 0.72368548075769146, 0.61519315949280629,
    0.6627745306509214, 0.61007655793580406, 0.72064107247051823, 0.68453802901470628, 0.62429526262485124,
    0.6280076365631222, 0.58852650182105271, 0.61918360812280682, 0.60359452326220042, 0.60518756039176524,
    0.58688987698138417, 0.60371976202118338, 0.68375059658029502, 0.61642175588004888, 0.59642404329068188,
    0.60683314564448476, 0.54755847152631043, 0.53864685308217353, 0.63985862862589604, 0.5555009776354678,
    0.57985457092320369, 0.61355118654868546, 0.63348232815916161, 0.56669392629734194, 0.57837406312777351,
    0.54803958083626525, 0.60104426866539928, 0.51769981413839039, 0.57905373037076568, 0.52730307287924139,
    0.51902190176894281, 0.58295764227884916, 0.56320578796236509, 0.62223297057643334, 0.51046211152098264,
    0.57709126679224021, 0.51408612862397107, 0.50138465256995268, 0.46957135976121628, 0.54597980727927586,
    // clang-format on
};

std::vector<double> losses_of_reference_network() {
  manual_seed(0);
  nn::Sequential model = reference_network();
  model.to(f64);
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};

  // Images with more light in one half than in the other, ten batches of them in another order in each epoch.
  const Tensor images = rand({320, 784}, {.dtype = f64});
  const Tensor difference = sum(slice(images, 1, 0, 392), {1}, true) - sum(slice(images, 1, 392, 784), {1}, true);
  const nn::TensorDataset data(images, (difference > 0).to(f64));
  nn::Loader loader(data, {.batch_size = 32, .shuffle = true, .seed = 0});

  std::vector<double> losses;
  for (int epoch = 0; epoch < 10; ++epoch)
    for (const auto& [x, t] : loader) {
      const Tensor loss = nn::binary_cross_entropy(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item<double>());
    }
  return losses;
}

}  // namespace

TEST_CASE("the reference network trains to the same losses on every system, with every instruction set") {
  const std::vector<double> losses = losses_of_reference_network();
  REQUIRE(losses.size() == std::size(expected));
  double largest = 0;
  int equal = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    CAPTURE(step);
    const double difference = std::abs(losses[step] / expected[step] - 1);
    CHECK(difference <= 1e-12);
    largest = std::max(largest, difference);
    equal += losses[step] == expected[step];
  }
  MESSAGE(equal << " of " << losses.size() << " losses have the expected bits; the largest difference is " << largest);
}
