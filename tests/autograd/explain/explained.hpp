#pragma once
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

/// What a page of `explain` says, read from the page alone.
struct Explained {
  struct Number {
    std::string kind;
    double value, printed;  // of the attribute, and as a reader sees it
  };
  std::vector<Number> numbers;

  explicit Explained(const std::string& page) {
    const std::string open = "<data class='";
    for (std::size_t i = page.find(open); i != std::string::npos; i = page.find(open, i + 1)) {
      const std::size_t kind = i + open.size(), value = page.find("value='", i) + 7, words = page.find("'>", value) + 2;
      const std::string inside = page.substr(words, page.find("</data>", i) - words);
      numbers.push_back(
          {page.substr(kind, page.find('\'', kind) - kind), std::atof(page.c_str() + value), read(inside)});
    }
  }

  std::vector<double> all(const std::string& kind) const {
    std::vector<double> values;
    for (const Number& n : numbers)
      if (n.kind == kind) values.push_back(n.printed);
    return values;
  }
  double only(const std::string& kind) const {
    const std::vector<double> values = all(kind);
    return values.size() == 1 ? values[0] : NAN;
  }

  /// Multiplies and adds what is printed; says what does not hold to 1e-12, or nothing. `grad` is what it is all about.
  std::string fault(double grad) const {
    const auto same = [](double a, double b) {
      return std::fabs(a - b) <= 1e-12 * std::max({std::fabs(a), std::fabs(b), 1e-300});
    };
    for (const Number& n : numbers)
      if (!same(n.value, n.printed) && !(std::isnan(n.value) && std::isnan(n.printed)))
        return "a number reads otherwise than its value";
    const std::vector<double> up = all("upstream"), local = all("locally"), down = all("downstream"),
                              product = all("product"), share = all("share");
    if (up.empty() || up.size() != local.size() || up.size() != down.size()) return "equations are not complete";
    std::size_t path = 0;
    double carried = 1, product_of_locals = 1;
    for (std::size_t i = 0; i < up.size(); ++i) {
      if (!same(up[i], carried)) return "an upstream is not the downstream before";
      if (!same(up[i] * local[i], down[i])) return "upstream times local is not downstream";
      product_of_locals *= local[i];
      carried = down[i];
      const bool ends =
          i + 1 == up.size() || (up[i + 1] == 1 && path + 1 < product.size() && same(carried, product[path]));
      if (!ends) continue;
      if (path >= product.size() || !same(product_of_locals, product[path]))
        return "a product is not that of its local derivatives";
      if (path >= share.size() || !same(product[path], share[path])) return "a path's share is not its product";
      ++path;
      carried = product_of_locals = 1;
    }
    if (path != product.size() || path != share.size()) return "paths are missing";
    double sum = 0, size = 0;
    for (const double s : share) sum += s, size += std::fabs(s);
    for (const double r : all("rest")) sum += r, size += std::fabs(r);
    if (std::fabs(sum - only("sum")) > 1e-12 * std::max(size, std::fabs(sum))) return "the shares do not add up";
    if (!same(only("sum"), grad) || !same(only("gradient"), grad)) return "the sum is not the gradient";
    return "";
  }

 private:
  /// Without tags, with true minus signs, and powers of ten as people write them.
  static double read(std::string words) {
    const auto replace = [&](const std::string& what, const std::string& by) {
      for (std::size_t i = words.find(what); i != std::string::npos; i = words.find(what, i))
        words.replace(i, what.size(), by);
    };
    replace("−", "-");
    replace(" · 10<sup>", "e");
    while (words.find('<') != std::string::npos) words.erase(words.find('<'), words.find('>') - words.find('<') + 1);
    return std::atof(words.c_str());
  }
};
