#include <autograd/autograd.hpp>
#include <limits>
#include <nn/losses.hpp>

#include "support.hpp"

using namespace xgrad;

/// What losses do beyond what the table of losses (loss_table.cpp) checks of all.
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor f64s(const Nested& values) { return tensor(values, {.dtype = f64}); }

/// f's value at x and its gradient, from a sum where f gives several numbers.
template <class F>
void check_loss(F f, Tensor x, const std::vector<double>& value, const std::vector<double>& gradient) {
  x = x.clone().detach().set_requires_grad(true);
  const Tensor y = f(x);
  check_close(y, value);
  sum(y).backward();
  check_close(x.grad(), gradient);
}

const Tensor p = f64s({{.1, .7}, {.35, .999}}), t = f64s({{0., 1.}, {.25, 1.}}), w = f64s({{1., 2.}, {.5, 3.}});
const Tensor z = f64s({{-1.5, .3}, {2., -40.}}), y = f64s({{.5, -2.}, {3., .25}}), u = f64s({{0., 1.}, {2.5, .25}});
const Tensor logits = f64s({{1., 2., -.5}, {.25, -1., 3.}, {0., 0., 1.}, {5., -5., 2.}});
const Tensor labels = tensor({1, 2, 0, 1}, i64), class_weight = f64s({.5, 2., 1.});
const Tensor shares = f64s({{.2, .3, .5}, {1., 0., 0.}, {.1, .1, .8}, {0., .5, .5}});

}  // namespace

// The numbers of the next three cases are PyTorch 1.13's.

TEST_CASE("binary losses have PyTorch's values and gradients") {
  check_loss([](const Tensor& x) { return nn::binary_cross_entropy(x, t); }, p, {0.2621446695310381},
             {0.27777777777777773, -0.35714285714285715, 0.10989010989010987, -0.2502502502502502});
  check_loss(
      [](const Tensor& x) {
        return nn::binary_cross_entropy(x, t, {nn::Reduction::sum, w});
      },
      p, {1.114483263633047}, {1.111111111111111, -2.857142857142857, 0.21978021978021975, -3.003003003003003});
  check_loss([](const Tensor& x) { return nn::binary_cross_entropy_with_logits(x, t); }, z, {10.595674133373564},
             {0.04560638095158909, -0.10638937079708524, 0.15769926949447058, -0.25});
  check_loss([](const Tensor& x) { return nn::binary_cross_entropy_with_logits(x, t, {.weight = w, .pos_weight = 3}); },
             z, {91.09318518826903}, {0.04560638095158909, -0.6383362247825115, 0.07139945212085294, -2.25});
  check_loss(
      [](const Tensor& x) {
        return nn::hinge_loss(x, f64s({{1, -1}, {-1, 1}}));
      },
      y, {1.3125}, {-0.25, 0, 0.25, -0.25});
}

TEST_CASE("regression losses have PyTorch's values and gradients, for each reduction") {
  check_loss([](const Tensor& x) { return nn::mse_loss(x, u); }, y, {2.375}, {0.25, -1.5, 0.25, 0});
  check_loss([](const Tensor& x) { return nn::l1_loss(x, u); }, y, {1}, {0.25, -0.25, 0.25, 0});
  check_loss([](const Tensor& x) { return nn::huber_loss(x, u, {.delta = .75}); }, y, {0.5546875},
             {0.125, -0.1875, 0.125, 0});
  check_loss([](const Tensor& x) { return nn::mse_loss(x, u, nn::Reduction::sum); }, y, {9.5}, {1, -6, 1, 0});
  check_loss([](const Tensor& x) { return nn::mse_loss(x, u, {.reduction = nn::Reduction::none}); }, y,
             {.25, 9, .25, 0}, {1, -6, 1, 0});
  check_loss([](const Tensor& x) { return nn::mse_loss(x, u, {.weight = w}); }, y, {18.375 / 4}, {0.25, -3, 0.125, 0});
}

TEST_CASE("categorical losses have PyTorch's values and gradients") {
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, labels); }, logits, {3.0126626361564774},
             {0.06342904540875631, -0.0775819784688741, 0.01415293306011782, 0.014767439398127559, 0.004230942224905702,
              -0.018998381623033272, -0.19701461059572864, 0.05298538940427136, 0.14402922119145728,
              0.23813323320566732, -0.24998918876793835, 0.011855955562271049});
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, labels, {.weight = class_weight}); }, logits,
             {3.94456323944539},
             {0.09226042968546373, -0.11284651413654415, 0.020586084451080466, 0.010739955925910953,
              0.003077048890840511, -0.013817004816751471, -0.07164167658026496, 0.01926741432882595,
              0.05237426225143901, 0.3463756119355161, -0.36362063820791035, 0.017245026272394253});
  check_loss(
      [](const Tensor& x) {
        return nn::cross_entropy(x, labels, {.weight = class_weight, .ignore_index = 2, .label_smoothing = .1});
      },
      logits, {4.559513435711155},
      {0.10436059588158483, -0.1210655929469707, 0.016704997065385918, 0, 0, 0, -0.07701476681858925,
       0.01187412207029965, 0.0651406447482896, 0.40200476768372956, -0.41479639567870985, 0.012791627994980308});
  check_loss(
      [](const Tensor& x) {
        return nn::cross_entropy(x, labels, {nn::Reduction::none, class_weight, -100, .1});
      },
      logits, {0.8121164777176421, 0.39285347142750127, 0.8458186712281623, 18.859875311754397},
      {0.4696226814671317, -0.5447951682613681, 0.07517248679423662, 0.04338758688571873, -0.04946083495205014,
       0.006073248066331289, -0.3465664506836516, 0.05343354931634842, 0.29313290136730313, 1.8090214545767829,
       -1.866583780554194, 0.05756232597741138});
  check_loss(
      [](const Tensor& x) { return nn::cross_entropy(x, shares, {.weight = class_weight, .label_smoothing = .1}); },
      logits, {3.859042725777902},
      {0.04923675767247839, 0.05466023243224734, -0.10389699010472568, -0.10829845100772773, -0.014269132739220102,
       0.1225675837469478, 0.04083615508420143, -0.005413844915798576, -0.03542231016840286, 0.3450954087016454,
       -0.24165081019297624, -0.10344459850866913});
  check_loss(
      [](const Tensor& x) {
        return nn::nll_loss(x, labels, {.reduction = nn::Reduction::sum, .weight = class_weight});
      },
      logits, {3}, {0, -2, 0, 0, 0, -1, -0.5, 0, 0, 0, -2, 0});
  const Tensor log_p = f64s({{-1, -2, -.5}, {-.25, -1, -3}, {-1, -1, -1}, {-5, -5, -2}});
  check_loss([](const Tensor& x) { return nn::kl_div(x, shares); }, log_p, {0.2865139954771087},
             {-.2 / 12, -.3 / 12, -.5 / 12, -1. / 12, 0, 0, -.1 / 12, -.1 / 12, -.8 / 12, 0, -.5 / 12, -.5 / 12});
  CHECK(nn::cross_entropy(f64s({1., 2.}), tensor(1, i64)).item<double>() == doctest::Approx(std::log1p(std::exp(-1.))));
  CHECK(nn::cross_entropy(logits, 0 * logits, {.ignore_index = -1}).item<double>() == 0);
}

TEST_CASE("binary cross-entropy of a saturated sigmoid has the exact loss and gradient") {
  check_loss(
      [](const Tensor& x) {
        return nn::binary_cross_entropy(sigmoid(x), f64s({1, 0, 0, 1}), nn::Reduction::none);
      },
      f64s({-1000, 1000, -1000, 0}), {1000, 1000, 0, std::log(2.)}, {-1, 1, 0, -.5});
  // In f32 the probability is exactly 1 from 17 on.
  Tensor x = full({1, 1}, 20, {.requires_grad = true});
  nn::binary_cross_entropy(sigmoid(x), zeros({1, 1})).backward();
  check_close(x.grad(), {1}, 1e-6);
}

TEST_CASE("a sigmoid whose input was overwritten is met by its own value") {
  Tensor x = f64s({0.}).set_requires_grad(true);
  const Tensor q = sigmoid(x);
  {
    const NoGrad guard;
    x.assign(f64s({5.}));
  }
  check_close(nn::binary_cross_entropy(q, f64s({1.})), {std::log(2.)});
}

TEST_CASE("a sigmoid that was overwritten itself is met by what it holds now") {
  const Tensor x = f64s({0.}).set_requires_grad(true);
  Tensor q = sigmoid(x);
  {
    const NoGrad guard;
    q.assign(f64s({.25}));
  }
  check_close(nn::binary_cross_entropy(q, f64s({1.})), {std::log(4.)});
}

TEST_CASE("binary cross-entropy of probabilities 0 and 1 stops at 100, with a finite gradient") {
  check_loss(
      [](const Tensor& x) {
        return nn::binary_cross_entropy(x, f64s({0, 1, 1, 0}), nn::Reduction::none);
      },
      f64s({0, 1, 0, 1}), {0, 0, 100, 100}, {0, 0, -1e12, 1e12});
}

TEST_CASE("losses at infinite and huge arguments are what their formula says") {
  check_loss(
      [](const Tensor& x) {
        return nn::binary_cross_entropy_with_logits(x, f64s({1, 0, 1, 1}), nn::Reduction::none);
      },
      f64s({1000, 1000, -1000, inf}), {0, 1000, 1000, 0}, {0, 1, -1, 0});
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, tensor({0}, i64)); }, f64s({{-inf, 0.}}), {inf},
             {-1, 1});
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, tensor({1}, i64)); }, f64s({{1000., -1000.}}), {2000},
             {1, -1});
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, tensor({-100}, i64)); }, f64s({{1., 2.}}),
             {not_a_number}, {0, 0});
  check_loss([](const Tensor& x) { return nn::cross_entropy(x, f64s({{0., 1.}})); }, f64s({{-inf, 0.}}), {0}, {0, 0});
  check_loss(
      [](const Tensor& x) {
        return nn::kl_div(x, f64s({0., 1.}), nn::Reduction::sum);
      },
      f64s({-inf, 0.}), {0}, {0, -1});
  const auto huber = [](const Tensor& x) { return nn::huber_loss(x, f64s({0.})); };
  check_loss(huber, f64s({inf}), {inf}, {1});
  CHECK(jvp(huber, f64s({-inf}), f64s({3.})).tangent.item<double>() == -3);
}

TEST_CASE("binary cross-entropy of infinite logits is exact, with a weight on the positive targets too") {
  const Tensor infinite = f64s({-inf, -inf, -inf, inf, inf, 800, -800}), share = f64s({0, .5, 1, 1, 0, .25, .75});
  for (const double weight : {0., .5, 1., 2.}) {
    CAPTURE(weight);
    const Tensor a = infinite.clone().detach().set_requires_grad(true),
                 b = share.clone().detach().set_requires_grad(true);
    const Tensor loss =
        nn::binary_cross_entropy_with_logits(a, b, {.reduction = nn::Reduction::none, .pos_weight = weight});
    const double lost = weight > 0 ? inf : 0;  // on a positive target that is held for impossible
    check_close(loss, {0, lost, lost, 0, inf, 600, weight * 600});
    const std::vector<Tensor> first = grad(sum(loss), {a, b}, {.create_graph = true});
    check_close(first[0], {0, -.5 * weight, -weight, 0, 1, .75, -.75 * weight});
    check_close(first[1], {lost, lost, lost, -inf, -inf, -800, 800 * weight});
    const std::vector<double> mixed = {-weight, -weight, -weight, -1, -1, -1, -weight};
    check_close(grad(sum(first[0]), {b}, {.retain_graph = true})[0], mixed);
    check_close(grad(sum(first[1]), {a})[0], mixed);
  }
}

TEST_CASE("the derivative of binary cross-entropy in p and its target is -1 / (p (1 - p)), at p = 0 and 1 too") {
  const Tensor a = f64s({0, 1, 0, 1, .5}).set_requires_grad(true), b = f64s({0, 1, 1, 0, .5}).set_requires_grad(true);
  const auto loss = [&] { return nn::binary_cross_entropy(a, b, nn::Reduction::sum); };
  const auto in_target = [&] { return grad(loss(), {b}, {.create_graph = true})[0]; };
  check_close(in_target(), {100, -100, 100, -100, 0});
  check_close(grad(sum(in_target()), {a})[0], {-inf, -inf, -inf, -inf, -4});
  check_close(grad(sum(in_target() * f64s({0, 0, 0, 1, 1})), {a})[0], {0, 0, 0, -inf, -4});
  // In the other order it is that of the gradient, which divides by at least 1e-12.
  const Tensor in_p = grad(loss(), {a}, {.create_graph = true})[0];
  check_close(grad(sum(in_p), {b})[0], {-1e12, -1e12, -1e12, -1e12, -4});
}

TEST_CASE("focal loss and its derivatives vanish where a prediction is right beyond doubt, for any gamma") {
  for (const double gamma : {.25, .5, 1., 1.5, 2.}) {
    const Tensor a = f64s({-800, 800, -40, 1e30}).set_requires_grad(true), b = f64s({0, 1, 0, 1});
    const Tensor loss = nn::focal_loss(a, b, {.reduction = nn::Reduction::sum, .gamma = gamma, .alpha = -1});
    const double order = 1 + gamma, third = std::exp(-40 * order);
    check_close(loss / third, {1});
    const Tensor first = grad(loss, {a}, {.create_graph = true})[0];
    check_close(first / third, {0, 0, order, 0});
    check_close(grad(sum(first), {a})[0] / third, {0, 0, order * order, 0});
  }
}

TEST_CASE("kl_div's derivatives at targets of 0 are those of its term without a logarithm") {
  const Tensor a = f64s({-1, -2, -inf}).set_requires_grad(true), b = f64s({0, .5, 0}).set_requires_grad(true);
  const Tensor loss = nn::kl_div(a, b, nn::Reduction::sum);
  check_close(loss, {.5 * (std::log(.5) + 2)});
  const std::vector<Tensor> first = grad(loss, {a, b}, {.create_graph = true});
  check_close(first[0], {0, -.5, 0});
  check_close(first[1], {1, std::log(.5) + 3, 0});
  check_close(grad(sum(first[0]), {b}, {.retain_graph = true})[0], {-1, -1, 0});
  check_close(grad(sum(first[1]), {a})[0], {-1, -1, 0});
}
