#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <support.hpp>

using namespace xgrad;

TEST_CASE("losses of what they cannot compare") {
  const Tensor p = full({4, 1}, 0.5), t = ones({4, 1});
  SAYS("probabilities above 1", ValueError, nn::binary_cross_entropy(p * 3, t),
       "binary_cross_entropy: the prediction holds 1.5 at position 0 of shape (4, 1); all must be between 0 and 1");
  SAYS("probabilities that are no numbers", ValueError, nn::binary_cross_entropy(p * NAN, t),
       "binary_cross_entropy: the prediction holds nan at position 0 of shape (4, 1); all must be between 0 and 1");
  SAYS("targets above 1", ValueError, nn::binary_cross_entropy(p, 2 * t),
       "binary_cross_entropy: the target holds 2 at position 0 of shape (4, 1); all must be between 0 and 1");
  SAYS("logits' targets above 1", ValueError, nn::binary_cross_entropy_with_logits(p, 2 * t),
       "binary_cross_entropy_with_logits: the target holds 2 at position 0 of shape (4, 1); all must be between 0 and "
       "1");
  SAYS("a column against a row", ShapeError, nn::binary_cross_entropy(p, ones({4})),
       "binary_cross_entropy: the prediction is (4, 1), the target is (4,), and a loss never broadcasts; bring one to "
       "the other's shape, as by reshape(target, {4, 1})");
  SAYS("other lengths", ShapeError, nn::mse_loss(p, ones({3, 1})),
       "mse_loss: the prediction is (4, 1), the target is (3, 1), and a loss never broadcasts; both must have one "
       "shape");
  SAYS("targets of another dtype", DtypeError, nn::mse_loss(p, t.to(f64)),
       "mse_loss: the prediction is f32, the target is f64; convert the target with .to(f32)");
  SAYS("boolean targets", DtypeError, nn::binary_cross_entropy(p, t > 0),
       "binary_cross_entropy: the prediction is f32, the target is boolean; convert the target with .to(f32)");
  const Tensor logits = zeros({2, 3});
  SAYS("a fourth class of three", ValueError, nn::cross_entropy(logits, tensor({0., 3.}).to(i64)),
       "cross_entropy: target 3 at position 1 is out of bounds for 3 classes");
  SAYS("a class below 0", ValueError, nn::cross_entropy(logits, tensor({0., -1.}).to(i64)),
       "cross_entropy: target -1 at position 1 is out of bounds for 3 classes");
  SAYS("three targets for two rows", ShapeError, nn::cross_entropy(logits, zeros({3}, {.dtype = i64})),
       "cross_entropy: the prediction is (2, 3), the classes are (3,); they must be (2,), one for each row");
  SAYS("classes as floating numbers", DtypeError, nn::cross_entropy(logits, zeros({2})),
       "cross_entropy: the classes are f32; convert them with .to(i64)");
  CHECK(isnan(nn::mse_loss(zeros({0}), zeros({0}))).item<bool>());
}

TEST_CASE("optimisers with impossible options") {
  const Tensor w = ones({2}, {.requires_grad = true});
  SAYS("a negative lr", ValueError, optim::SGD({w}, {.lr = -1}),
       "SGD: lr is -1; expected a finite number of at least 0");
  SAYS("an lr that is no number", ValueError, optim::Adam({w}, {.lr = NAN}),
       "Adam: lr is nan; expected a finite number of at least 0");
  SAYS("a negative momentum", ValueError, optim::SGD({w}, {.lr = 0.1, .momentum = -1}),
       "SGD: momentum is -1; expected a finite number of at least 0");
  SAYS("a negative weight decay", ValueError, optim::SGD({w}, {.lr = 0.1, .weight_decay = -1}),
       "SGD: weight_decay is -1; expected a finite number of at least 0");
  SAYS("a beta of 1", ValueError, optim::Adam({w}, {.betas = {0.9, 1}}),
       "Adam: betas.second is 1; expected a number in [0, 1)");
  SAYS("a negative eps", ValueError, optim::Adam({w}, {.eps = -1}),
       "Adam: eps is -1; expected a finite number of at least 0");
  SAYS("a negative alpha", ValueError, optim::RMSprop({w}, {.alpha = -1}),
       "RMSprop: alpha is -1; expected a number in [0, 1)");
  SAYS("nesterov without momentum", ValueError, optim::SGD({w}, {.lr = 0.1, .nesterov = true}),
       "SGD: nesterov needs a momentum and no dampening; momentum is 0, dampening is 0");
}

TEST_CASE("optimisers of what they cannot train") {
  const Tensor w = ones({2}, {.requires_grad = true}), v = ones({2}, {.requires_grad = true});
  SAYS("nothing", ValueError, optim::SGD(std::vector<Tensor>{}),
       "SGD: the list of parameters is empty; pass model.parameters()");
  SAYS("a result", GraphError, optim::SGD({w * 2}),
       "SGD: parameter 0, (2,), is the result of multiply; only leaves can be optimised: pass what it was computed "
       "from, or detach().set_requires_grad(true)");
  SAYS("constants only", GraphError, optim::SGD({ones({2})}),
       "SGD: none of the 1 parameters requires a gradient; call set_requires_grad(true) on those to be trained");
  SAYS("one parameter twice", ValueError, optim::SGD({w, v, w}),
       "SGD: parameter 0 and parameter 2 are the same tensor; pass each parameter once");
  SAYS("one parameter in two groups", ValueError,
       optim::Adam(std::vector<optim::Group<optim::AdamOptions>>{{{w}, {}}, {{v, w}, {}}}),
       "Adam: parameter 0 (group 0) and parameter 2 (group 1) are the same tensor; pass each parameter once");
}

TEST_CASE("data that does not fit") {
  SAYS("three rows and four labels", ShapeError, nn::TensorDataset(zeros({3, 2}), zeros({4})),
       "TensorDataset: the features (3, 2) and the labels (4,) differ in their number of rows");
  const nn::TensorDataset data(zeros({3, 2}), zeros({3}));
  SAYS("batches of nothing", ValueError, nn::Loader(data, {.batch_size = 0}),
       "Loader: batch_size is 0; expected at least 1");
}

TEST_CASE("settings and states of other names") {
  SAYS("no threads", ValueError, set_num_threads(0), "set_num_threads: 0 threads; expected at least 1");
  const StateDict state = nn::Dense(2, 1).state_dict();
  SAYS("a name that is not there", ValueError, state["kernel"],
       "state_dict: there is no kernel; the names are: weight, bias");
}
