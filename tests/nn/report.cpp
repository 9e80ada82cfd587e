#include <doctest/doctest.h>
#include <zlib.h>
#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <cmath>
#include <filesystem>
#include <nn/training/histogram.hpp>
#include <nn/training/report/charts.hpp>
#include <nn/training/report/png.hpp>
#include <regex>
#include <xml.hpp>

#include "folder.hpp"
#include "nn/trainer_support.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

std::string report(nn::Trainer& trainer, const nn::History& history, const nn::Examples& test,
                   nn::ReportOptions options = {}) {
  const Folder folder;
  nn::write_report(folder / "report.html", trainer, history, test, std::move(options));
  const std::string page = read_file(folder / "report.html");
  CHECK(xml_fault(page) == "");
  CHECK(!has(std::regex_replace(page, std::regex("http://www.w3.org/2000/svg"), ""), "http"));
  CHECK(!has(page, "nan"));
  return page;
}

/// The numbers in the cells of the confusion table, row by row.
std::vector<std::int64_t> cells(const std::string& page) {
  std::vector<std::int64_t> found;
  const std::regex cell("class='(?:hit|miss)[^>]*>(\\d+)<");
  for (std::sregex_iterator i(page.begin(), page.end(), cell), end; i != end; ++i) found.push_back(std::stoll((*i)[1]));
  return found;
}

/// A model that gives its input back, so that a test says what is predicted.
struct Echo : nn::Module {
  nn::Parameter scale{ones({1})};
  Tensor operator()(const Tensor& x) { return x * scale; }
  void members(nn::Visitor& visit) override { visit("scale", scale); }
};

struct Echoing {
  Echo model;
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer;
  explicit Echoing(nn::Loss loss) : trainer(model, optimizer, std::move(loss)) {}
};

}  // namespace

TEST_CASE("a report of two classes holds the scores, curves, table, mistakes, histograms and facts of its run") {
  auto l = learner();
  const nn::TensorDataset test = blobs(40);
  const nn::History history = l.trainer.fit(
      blobs(64), quiet({.epochs = 3, .batch_size = 16, .validation = test, .seed = 11, .histograms = true}));
  const std::string page = report(l.trainer, history, test, {.classes = {"left", "right"}, .mistakes = 5});
  nn::Metric table = nn::confusion_table;
  table.update(l.trainer.predict(test.features()), test.labels());
  const Tensor counts = table.counts();
  const std::int64_t* const c = counts.data<std::int64_t>();
  CHECK(cells(page) == std::vector<std::int64_t>(c, c + 4));
  for (const std::string& name : history.names())
    for (const double v : history[name]) CHECK(has(page, text("<td data-v='", v, "'>")));
  CHECK(has(page, "<th>left</th>"));
  CHECK(has(page, "ROC: true positive rate"));
  CHECK(has(page, "Calibration"));
  CHECK(has(page, "data-curves='loss|validation_loss'"));
  CHECK(count(page, "best epoch") == 3);  // a tile, loss and accuracy
  CHECK(has(page, text(c[1] + c[2], " of 40 rows were told wrong")));
  CHECK(count(page, "<tr><td>") - 2 - 2 == static_cast<std::size_t>(std::min<std::int64_t>(5, c[1] + c[2])));
  CHECK(count(page, "class='ridge'") == 4 * 2 * 3);  // parameters and gradients after each epoch
  CHECK(has(page, "<td>relu in model[1] (ReLU)</td><td>8</td>"));
  CHECK(has(page, "<tr><th>seed of the order</th><td>11</td></tr>"));
  CHECK(has(page, "<tr><th>training rows</th><td>64, each (4,) f32 with target (1,) f32</td></tr>"));
  CHECK(has(page, "Total 49 parameters"));
  CHECK(page.size() < 100'000);
}

TEST_CASE("the worst mistakes come first, as images where inputs are some, and classes have their names") {
  Echoing e(nn::cross_entropy);
  const Tensor x = tensor({{3., 0.}, {0., 1.}, {0., 9.}, {5., 0.}}), t = tensor({0, 0, 0, 1}, {.dtype = i64});
  const std::string page = report(e.trainer, {}, nn::TensorDataset(x, t),
                                  {.title = "a < b", .classes = {"cat & co", "dog"}, .image = {1, 2}, .mistakes = 2});
  CHECK(cells(page) == std::vector<std::int64_t>{1, 2, 1, 0});
  CHECK(has(page, "<title>a &lt; b</title>"));
  CHECK(has(page, "3 of 4 rows were told wrong"));
  CHECK(count(page, "class='mistake'") == 2);
  CHECK(count(page, "<img alt='the input' src='data:image/png;base64,") == 2);
  const auto first = page.find("<b>dog</b><br/>is cat &amp; co<br/><small class='soft'>row 2, loss 9"),
             second = page.find("<b>cat &amp; co</b><br/>is dog<br/><small class='soft'>row 3, loss 5.01");
  CHECK(first < second);
  CHECK(second != std::string::npos);
  CHECK(!has(page, "Learning curves"));
  CHECK(!has(page, "ROC: true positive rate"));
  CHECK(!has(page, "over time"));
}

TEST_CASE("targets that are distributions with a single 1 are classes, logits of two classes become probabilities") {
  Echoing one_hot(nn::cross_entropy);
  const Tensor x = tensor({{3., 0., 1.}, {0., 1., 0.}});
  CHECK(cells(report(one_hot.trainer, {}, nn::TensorDataset(x, tensor({{1., 0., 0.}, {0., 0., 1.}})))) ==
        std::vector<std::int64_t>{1, 0, 0, 0, 0, 0, 0, 1, 0});
  Echoing logits(nn::binary_cross_entropy_with_logits);
  const std::string page =
      report(logits.trainer, {}, nn::TensorDataset(tensor({{0.2}, {-3.}, {-1.}}), tensor({{1.}, {0.}, {1.}})));
  CHECK(cells(page) == std::vector<std::int64_t>{1, 0, 1, 1});
  CHECK(has(page, "<td>0 (0.269)</td><td>1</td>"));  // sigmoid(-1)
}

TEST_CASE("numbers that are no classes are drawn against their targets, and the worst rows are shown with columns") {
  Echoing e(nn::mse_loss);
  const Tensor x = tensor({{1., 2.}, {3., 4.5}, {5., 6.}}), t = tensor({{1., 2.}, {9., 4.}, {5., 7.}});
  const std::string page = report(e.trainer, {}, nn::TensorDataset(x, t), {.columns = {"wide", "high"}, .mistakes = 2});
  CHECK(cells(page).empty());
  CHECK(has(page, "<th>wide</th><th>high</th>"));
  CHECK(page.find("<tr><td>1</td><td>3, 4.5</td><td>9, 4</td><td>18.1</td>") <
        page.find("<tr><td>2</td><td>5, 6</td><td>5, 7</td><td>0.5</td>"));
  CHECK(!has(page, "<tr><td>0</td>"));
  CHECK(has(report(e.trainer, {}, nn::TensorDataset(slice(x, 1, 0, 1), slice(t, 1, 0, 1))),
            "Predictions against targets"));
}

TEST_CASE("a unit is dead that gives one number for all rows of all batches, a channel if all its pixels do") {
  manual_seed(0);
  nn::Sequential model{nn::Dense{4, 3}, nn::ReLU{}, nn::Dense{3, 2}, nn::Tanh{}, nn::Dense{2, 1}, nn::Sigmoid{}};
  Tensor bias = model.parameters()[1].detach(), second = model.parameters()[3].detach();
  bias.assign(tensor({-100., 1., -100.}));
  second.assign(tensor({0., 50.}));  // tanh of it is 1
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  const nn::TensorDataset many(randn({1500, 4}), ones({1500, 1}));
  std::string page = report(trainer, {}, many);
  CHECK(has(page, "relu in model[1] (ReLU)</td><td>3</td><td class='some'>2</td>"));
  CHECK(has(page, "tanh in model[3] (Tanh)</td><td>2</td><td class='some'>1</td>"));
  CHECK(has(page, "sigmoid in model[5] (Sigmoid)</td><td>1</td><td>0</td>"));
  CHECK(!has(page, "ROC: true positive rate"));  // all targets are of one class

  Tensor x = randn({6, 2, 3, 3});
  x.assign(where(reshape(arange(0, 2, 1, {.dtype = i64}), {1, 2, 1, 1}) == 0, abs(x), -abs(x)));
  struct Images : Echo {
    Tensor operator()(const Tensor& x) { return mean(relu(x) * scale, {2, 3}); }
  } images;
  optim::SGD other{images.parameters(), {.lr = 0.1}};
  nn::Trainer looking{images, other, nn::mse_loss};
  CHECK(
      has(report(looking, {}, nn::TensorDataset(x, randn({6, 2}))), "<td>relu</td><td>2</td><td class='some'>1</td>"));
}

TEST_CASE("activations that are composed of ops are watched as one, and every one of the library is known") {
  struct Composed : Echo {
    Tensor operator()(const Tensor& x) { return selu(relu(x) * scale); }
  } model;
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss};
  const Tensor x = tensor({{7., 1., -1.}, {8., 2., -2.}});
  const std::string page = report(trainer, {}, nn::TensorDataset(x, ones({2, 3})));
  CHECK(has(page, "<td>relu</td><td>3</td><td class='some'>1</td>"));
  CHECK(has(page, "<td>selu</td><td>3</td><td class='some'>1</td>"));
  CHECK(!has(page, "<td>elu</td>"));

  const std::filesystem::path root = XGRAD_SOURCE_DIR;
  const std::string header = read_file(root / "autograd/activations.hpp"),
                    source = read_file(root / "nn/training/report/units.cpp");
  const std::regex declaration("\nTensor (\\w+)\\(const Operand&");
  std::size_t activations = 0;
  for (std::sregex_iterator i(header.begin(), header.end(), declaration), end; i != end; ++i) {
    const std::string name = (*i)[1].str();
    if (has(name, "softm")) continue;  // probabilities of classes, of which none is a unit
    ++activations;
    CHECK_MESSAGE(has(source, '"' + name + '"'), name);
  }
  CHECK(activations >= 10);
}

TEST_CASE("images become PNG pictures of their pixels") {
  const auto decoded = [](const std::string& address) {
    const std::string prefix = "data:image/png;base64,";
    REQUIRE(address.starts_with(prefix));
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int held = 0;
    for (const char c : address.substr(prefix.size())) {
      if (c == '=') break;
      bits = bits << 6 | static_cast<unsigned>(letters.find(c));
      held += 6;
      if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 255);
    }
    return bytes;
  };
  const auto number = [](const std::string& bytes, std::size_t at) {
    unsigned n = 0;
    for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
    return n;
  };
  const auto pixels = [&](const Tensor& image) {
    const std::string png = decoded(nn::detail::picture_address(image));
    CHECK(png.starts_with("\x89PNG\r\n\x1a\n"));
    std::string compressed, out(1 << 16, '\0');
    for (std::size_t at = 8; at < png.size(); at += 12 + number(png, at)) {
      const unsigned size = number(png, at);
      const auto* const begin = reinterpret_cast<const Bytef*>(png.data()) + at + 4;
      CHECK(crc32(0, begin, size + 4) == number(png, at + 8 + size));
      if (png.substr(at + 4, 4) == "IDAT") compressed += png.substr(at + 8, size);
    }
    uLongf size = static_cast<uLong>(out.size());
    CHECK(uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(compressed.data()),
                     static_cast<uLong>(compressed.size())) == Z_OK);
    std::vector<int> values = {static_cast<int>(number(png, 16)), static_cast<int>(number(png, 20)), png[25]};
    for (std::size_t i = 0; i < size; ++i) values.push_back(static_cast<unsigned char>(out[i]));
    return values;
  };
  // Width, height, kind, and rows that begin with 0.
  CHECK(pixels(tensor({{0., 1., 0.2}, {1., 0., 0.}})) == std::vector<int>{3, 2, 0, 0, 0, 255, 51, 0, 255, 0, 0});
  CHECK(pixels(tensor({{-1., 3.}})) == std::vector<int>{2, 1, 0, 0, 0, 255});  // from the least to the largest
  CHECK(pixels(tensor({{{1.}}, {{0.}}, {{0.6}}})) == std::vector<int>{1, 1, 2, 0, 255, 0, 153});
  CHECK(pixels(full({2, 2}, 7))[4] == 0);     // of equal numbers
  CHECK(pixels(zeros({200, 100}))[1] == 67);  // every third
  CHECK(!nn::detail::is_image({2, 5, 5}));
  CHECK(!nn::detail::is_image({9}));
}

TEST_CASE("histories keep histograms only if asked, times and facts, and checkpoints hand them on") {
  const Folder folder;
  auto l = learner();
  CHECK(l.trainer.fit(blobs(16), quiet({})).histograms().empty());
  auto paused = learner();
  const auto pause = [](nn::Run& run) {
    if (run.epoch() == 2) run.pause("for the test");
  };
  const nn::FitOptions options = quiet({.epochs = 3, .batch_size = 8, .seed = 5, .histograms = true});
  nn::FitOptions first = options;
  first.callbacks = {pause, nn::Checkpoints{folder.path / "run.ckpt"}};
  const nn::History before = paused.trainer.fit(blobs(64), std::move(first));
  auto resumed = learner(1);
  nn::load_checkpoint(folder.path / "run.ckpt", resumed.trainer);
  CHECK(resumed.trainer.history().facts() == before.facts());
  const nn::History history = resumed.trainer.fit(blobs(64), options);
  REQUIRE(history.histograms().size() == 3);
  for (std::size_t e = 0; e < 3; ++e) {
    CHECK(history.histograms()[e].epoch == e + 1);
    REQUIRE(history.histograms()[e].parameters.size() == 4);
    CHECK(history.paces()[e].seconds > 0);
    CHECK(history.paces()[e].rows_per_second == doctest::Approx(64 / history.paces()[e].seconds));
  }
  const nn::ParameterHistograms &saved = before.histograms()[1].parameters[0],
                                &loaded = history.histograms()[1].parameters[0];
  CHECK(loaded.name == "0.weight");
  CHECK(loaded.values.counts == saved.values.counts);
  CHECK(loaded.values.sum == saved.values.sum);
  CHECK(loaded.values.total() == 32);
  REQUIRE(loaded.gradient);
  CHECK(loaded.gradient->counts == saved.gradient->counts);
  CHECK(history.paces()[0].seconds == before.paces()[0].seconds);
  const auto last = history.histograms()[2].parameters[3];
  CHECK(last.values.low == resumed.model.parameters()[3].item<double>());
}

TEST_CASE("a histogram counts the finite numbers between the least and the largest") {
  const nn::Histogram h = nn::detail::histogram_of(tensor({-1., 2., 0., INFINITY, NAN, 2., 0.49}));
  CHECK(h.low == -1);
  CHECK(h.high == 2);
  CHECK(h.total() == 5);
  CHECK(h.counts.front() == 1);
  CHECK(h.counts.back() == 2);
  CHECK(h.counts[10] == 1);
  CHECK(h.counts[14] == 1);
  CHECK(h.sum == doctest::Approx(3.49));
  CHECK(h.squares == doctest::Approx(9.2401));
  CHECK(nn::detail::histogram_of(full({3}, 4)).counts.front() == 3);
  CHECK(nn::detail::histogram_of(full({3}, NAN)).total() == 0);
}

TEST_CASE("the best epoch has the lowest validation loss, else loss, the first of equal ones, and is never NaN") {
  const auto best = [](std::vector<double> losses, const char* name = "loss") {
    nn::History history;
    for (const double v : losses) {
      nn::Scores scores;
      scores.set("loss", -1);
      scores.set(name, v);
      history.add(scores);
    }
    return nn::detail::best_epoch(history);
  };
  CHECK(best({3, 1, 2}) == 1);
  CHECK(best({NAN, 2, 1, 1}) == 2);
  CHECK(best({1, NAN}) == 0);
  CHECK(best({3, 1, 2, 0.5}, "validation_loss") == 3);
}

TEST_CASE("a history that was written by hand is drawn, of losses only, and what is not known is left out") {
  auto l = learner();
  nn::History history;
  for (const double v : {0.7, 0.5}) {
    nn::Scores scores;
    scores.set("loss", v);
    history.add(scores);
  }
  CHECK(count(history.to_svg(), "class='title'") == 1);
  const std::string page = report(l.trainer, history, blobs(10));
  CHECK(count(page, "data-curves='") == 1);
  CHECK(!has(page, "of training steps"));
  CHECK(!has(page, "over time"));
}

TEST_CASE("every loss of the library has its name in reports") {
  const std::filesystem::path root = XGRAD_SOURCE_DIR;
  const std::string header = read_file(root / "nn/losses.hpp"), source = read_file(root / "nn/training/loss.cpp");
  const std::regex declaration("\nTensor (\\w+)\\(const Operand& \\w+, const Operand& \\w+, const \\w+Options& ");
  std::size_t losses = 0;
  for (std::sregex_iterator i(header.begin(), header.end(), declaration), end; i != end; ++i, ++losses)
    CHECK_MESSAGE(has(source, '"' + (*i)[1].str() + '"'), (*i)[1].str());
  CHECK(losses >= 9);
  CHECK(nn::Loss(nn::kl_div).name() == std::string("kl_div"));
  CHECK(nn::Loss(nn::nll_loss).name() == std::string("nll_loss"));
  CHECK(nn::Loss([](const Tensor& p, const Tensor& t) { return nn::mse_loss(p, t); }).name() ==
        std::string("a function"));
}

TEST_CASE("an optimiser says its options, those of each group") {
  const Tensor a = ones({2}, {.requires_grad = true}), b = ones({2}, {.requires_grad = true});
  const optim::SGD sgd{{{{a}, {.lr = 0.5, .momentum = 0.9}}, {{b}, {.lr = 0.25}}}};
  CHECK(sgd.describe().starts_with("SGD, lr 0.5, momentum 0.9"));
  CHECK(has(sgd.describe(), "; group 1, lr 0.25, momentum 0"));
}
