#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <support.hpp>

using namespace xgrad;

namespace {

/// exp(x) whose rule forgets the factor.
GradcheckReport wrong() {
  const auto f = [](const Tensor& x) {
    const Tensor y = primitive(
        "a<b & \"c\"", {x}, [&] { return exp(x.detach()).array(); }, [](const Tensor& g) { return g; });
    return y * abs(x);
  };
  return gradcheck(f, {tensor({0., 1., 2.}, {.dtype = f64})});
}

}  // namespace

TEST_CASE("CSV has a line for each entry, and quotes what needs it") {
  const auto r = wrong();
  const std::string csv = r.to_csv();
  CHECK(csv.find("verdict,order,by,output,analytic,numeric,error,left,right,badness\n") == 0);
  CHECK(count(csv, "\n") == r.entries().size() + 1);
  CHECK(csv.find("FAIL,1,\"x0[2]\",2,") != std::string::npos);
}

TEST_CASE("JSON holds counts, culprits and entries, and parses") {
  const auto r = wrong();
  const auto j = nlohmann::json::parse(r.to_json());
  CHECK(j["ok"] == false);
  CHECK(j["counts"]["FAIL"] == r.count(Verdict::fail));
  CHECK(j["entries"].size() == r.entries().size());
  REQUIRE(j["culprits"].size() == 1);
  CHECK(j["culprits"][0]["op"] == "a<b & \"c\"");
  CHECK(j["culprits"][0]["numeric"].get<double>() == doctest::Approx(std::exp(2.)));
  const auto undefined = gradcheck(xgrad::log, {tensor({-1.}, {.dtype = f64})});
  CHECK(nlohmann::json::parse(undefined.to_json())["entries"][0]["numeric"].is_null());
}

TEST_CASE("the page stands alone, escapes its text, and shows the wrong op before all else") {
  const std::string page = wrong().to_html("mine & <yours>");
  CHECK(page.find("<!doctype html>") == 0);
  CHECK(page.find("<title>mine &amp; &lt;yours&gt;</title>") != std::string::npos);
  CHECK(page.find("a&lt;b &amp; &quot;c&quot;") != std::string::npos);
  CHECK(page.find("a<b") == std::string::npos);
  CHECK(page.find("http") == std::string::npos);
  CHECK(page.find("The op that is wrong") < page.find("<table>"));
  CHECK(count(page, "<tr>") == wrong().entries().size() + 1);
  CHECK(page.find("[2] FAIL") != std::string::npos);  // in the map of elements
  const std::string right = gradcheck(xgrad::exp, {tensor({1.}, {.dtype = f64})}).to_html();
  CHECK(right.find("wrong</h2>") == std::string::npos);
}

TEST_CASE("a kink's entry tells both slopes") {
  const auto r = gradcheck([](const Tensor& t) { return abs(t); }, {tensor({0.}, {.dtype = f64})});
  CHECK(r.entries()[0].left == doctest::Approx(-1));
  CHECK(r.entries()[0].right == doctest::Approx(1));
  CHECK(r.str().find("KINK, slopes -1 and 1") != std::string::npos);
}

TEST_CASE("extrapolated stencils know more digits, and agree") {
  const auto f = [](const Tensor& x) { return exp(sin(x) * x); };
  const Tensor x = tensor({0.5, 1., 1.5}, {.dtype = f64});
  const auto error = [&](Stencil stencil) {
    const auto r = gradcheck(f, {x}, {.rtol = 1e-9, .atol = 1e-11, .stencil = stencil});
    CHECK_MESSAGE((stencil == Stencil::central || r.ok()), r.str());
    double worst = 0;
    for (const GradcheckEntry& e : r.entries()) worst = std::max(worst, std::fabs(e.analytic - e.numeric));
    return worst;
  };
  const double central = error(Stencil::central);
  CHECK(error(Stencil::richardson) < central);
  CHECK(error(Stencil::ridders) < central);
  const auto kinked =
      gradcheck([](const Tensor& t) { return abs(t); }, {tensor({0.}, {.dtype = f64})}, {.stencil = Stencil::ridders});
  CHECK(kinked.count(Verdict::kink) == 1);
}

TEST_CASE("a second derivative that is not symmetric, and a rule that changes when differentiated, are caught") {
  const auto says = [](const GradcheckReport& r, const char* words) {
    CHECK_MESSAGE(r.str().find(words) != std::string::npos, r.str());
  };
  // x0 * x1^2 with a detached factor in one of the two derivatives.
  const auto lopsided = [](const Tensor& x, const Tensor& w) {
    return primitive(
        "lopsided", {x, w}, [&] { return (x.detach() * square(w.detach())).array(); },
        [d = w.detach()](const Tensor& g) { return g * square(d); }, [x, w](const Tensor& g) { return g * 2 * x * w; });
  };
  const Tensor x = tensor({1., 2.}, {.dtype = f64}), w = tensor({0.5, 3.}, {.dtype = f64});
  says(gradcheck(lopsided, {x, w}, {.order = 2}), "the second derivative is not symmetric");
  const auto detached = [](const Tensor& t) {
    return primitive(
        "detached", {t}, [&] { return exp(t.detach()).array(); }, [t](const Tensor& g) { return g.detach() * exp(t); });
  };
  says(gradcheck(detached, {x}, {.order = 2}), "<v, J u>");
}
