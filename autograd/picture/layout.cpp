// Finds the places of a graph's nodes and the routes of its edges, layer by layer.
#include <algorithm>
#include <autograd/picture/layout.hpp>
#include <autograd/support/index.hpp>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace xgrad::detail {
namespace {

constexpr double node_gap = 26, piece_gap = 14, layer_gap = 17, unlabelled_gap = 8, label_height = 18;

/// A node, or a piece of an edge where it passes a layer.
struct Cell {
  int layer;
  double width, height;
  bool piece;
  double x = 0;
  int position = 0;  // in the layer
};

struct Neighbour {
  int cell;
  double dx;  // where it wants the other one, from its own centre
  double weight;
};

/// The x that come closest to `wanted` by weighted least squares, each at least its gap after the one before: the
/// algorithm of pooling adjacent violators.
std::vector<double> apart(const std::vector<double>& wanted, const std::vector<double>& weight,
                          const std::vector<double>& gap) {
  struct Pool {
    double sum, weight;
    std::size_t count;
    double mean() const { return sum / weight; }
  };
  std::vector<Pool> pools;
  double offset = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    offset += gap[i];
    pools.push_back({(wanted[i] - offset) * weight[i], weight[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() >= pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().weight += last.weight;
      pools.back().count += last.count;
    }
  }
  std::vector<double> x;
  offset = 0;
  for (const Pool& pool : pools) {
    for (std::size_t k = 0; k < pool.count; ++k) {
      offset += gap[x.size()];
      x.push_back(pool.mean() + offset);
    }
  }
  return x;
}

class Layering {
 public:
  explicit Layering(Layout& layout) : nodes_(layout.nodes), edges_(layout.edges) {}

  void run(Layout& layout) {
    if (nodes_.empty()) return;
    find_ranks();
    make_cells();
    for (int sweep = 0; sweep < 12; ++sweep) order(sweep % 2 == 0);
    pack();
    for (int sweep = 0; sweep < 20; ++sweep) shift(sweep % 2 == 0, 0.6);
    spread();
    for (int sweep = 0; sweep < 16; ++sweep) shift(sweep % 2 == 0, sweep < 10 ? 0.5 : 0.1);
    straighten();
    write(layout);
  }

 private:
  /// The longest way from above; then nodes without inputs go down to their users.
  void find_ranks() {
    const std::size_t n = nodes_.size();
    std::vector<int> waits_for(n), ready, order;
    std::vector<std::vector<int>> users(n);
    for (const LayoutEdge& e : edges_) {
      ++waits_for[at(e.to)];
      users[at(e.from)].push_back(e.to);
    }
    const std::vector<int> inputs = waits_for;
    rank_.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      if (waits_for[i] == 0) order.push_back(static_cast<int>(i));
    for (std::size_t k = 0; k < order.size(); ++k) {
      for (const int user : users[at(order[k])]) {
        rank_[at(user)] = std::max(rank_[at(user)], rank_[at(order[k])] + 1);
        if (--waits_for[at(user)] == 0) order.push_back(user);
      }
    }
    int last = *std::max_element(rank_.begin(), rank_.end());
    for (std::size_t i = 0; i < n; ++i) {
      if (nodes_[i].rank == LayoutNode::Rank::bottom) {
        last = std::max(last, 1);
        continue;
      }
      if (inputs[i] > 0 || users[i].empty() || nodes_[i].rank == LayoutNode::Rank::top) continue;
      int first_user = last;
      for (const int user : users[i]) first_user = std::min(first_user, rank_[at(user)]);
      rank_[i] = std::max(0, first_user - 1);
    }
    for (std::size_t i = 0; i < n; ++i)
      if (nodes_[i].rank == LayoutNode::Rank::bottom) rank_[i] = last;
  }

  /// Nodes stand on even layers, labels on odd ones.
  void make_cells() {
    const int last = *std::max_element(rank_.begin(), rank_.end());
    layers_.resize(at(2 * last + 1));
    for (std::size_t i = 0; i < nodes_.size(); ++i) add({2 * rank_[i], nodes_[i].width, nodes_[i].height, false});
    chains_.resize(edges_.size());
    above_.resize(nodes_.size());
    below_.resize(nodes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      const LayoutEdge& edge = edges_[e];
      std::vector<int>& chain = chains_[e];
      chain.push_back(edge.from);
      for (int layer = 2 * rank_[at(edge.from)] + 1; layer < 2 * rank_[at(edge.to)]; ++layer) {
        const bool label = layer == 2 * rank_[at(edge.to)] - 1 && edge.label_width > 0;
        chain.push_back(static_cast<int>(cells_.size()));
        add({layer, label ? edge.label_width : 4, label ? label_height : 0, true});
      }
      chain.push_back(edge.to);
    }
    connect();
  }
  void add(Cell cell) {
    cell.position = static_cast<int>(layers_[at(cell.layer)].size());
    layers_[at(cell.layer)].push_back(static_cast<int>(cells_.size()));
    cells_.push_back(cell);
  }
  void connect() {
    above_.assign(cells_.size(), {});
    below_.assign(cells_.size(), {});
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      const std::vector<int>& chain = chains_[e];
      for (std::size_t k = 0; k + 1 < chain.size(); ++k) {
        const double dx = (k == 0 ? edges_[e].from_dx : 0) - (k + 2 == chain.size() ? edges_[e].to_dx : 0);
        const bool inner = cells_[at(chain[k])].piece && cells_[at(chain[k + 1])].piece;
        below_[at(chain[k])].push_back({chain[k + 1], -dx, inner ? 30. : 1.});
        above_[at(chain[k + 1])].push_back({chain[k], dx, inner ? 30. : 1.});
      }
    }
  }

  /// Sorts every layer by where the neighbours above (or below) stand.
  void order(bool down) {
    const int count = static_cast<int>(layers_.size());
    for (int k = 0; k < count; ++k) {
      std::vector<int>& layer = layers_[at(down ? k : count - 1 - k)];
      std::vector<double> key(layer.size());
      for (std::size_t i = 0; i < layer.size(); ++i) {
        const auto& neighbours = (down ? above_ : below_)[at(layer[i])];
        double sum = 0;
        for (const Neighbour& n : neighbours) {
          const Cell& cell = cells_[at(n.cell)];
          sum += cell.position + 0.49 * n.dx / (20 + std::abs(n.dx));
        }
        key[i] = neighbours.empty() ? cells_[at(layer[i])].position : sum / static_cast<double>(neighbours.size());
      }
      std::vector<std::size_t> by_key(layer.size());
      std::iota(by_key.begin(), by_key.end(), 0);
      std::stable_sort(by_key.begin(), by_key.end(), [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
      std::vector<int> sorted;
      for (const std::size_t i : by_key) sorted.push_back(layer[i]);
      layer = std::move(sorted);
      for (std::size_t i = 0; i < layer.size(); ++i) cells_[at(layer[i])].position = static_cast<int>(i);
    }
  }

  static double gap(const Cell& a, const Cell& b) {
    return (a.width + b.width) / 2 + (a.piece || b.piece ? piece_gap : node_gap);
  }

  void pack() {
    for (const std::vector<int>& layer : layers_) {
      double x = 0;
      for (std::size_t i = 0; i < layer.size(); ++i) {
        if (i > 0) x += gap(cells_[at(layer[i - 1])], cells_[at(layer[i])]);
        cells_[at(layer[i])].x = x;
      }
      for (const int c : layer) cells_[at(c)].x -= x / 2;
    }
  }

  /// Moves every layer to where its neighbours want it: those that were moved just before, and less so the others.
  void shift(bool down, double other_side) {
    const int count = static_cast<int>(layers_.size());
    for (int k = 0; k < count; ++k) {
      const std::vector<int>& layer = layers_[at(down ? k : count - 1 - k)];
      std::vector<double> wanted, weight, gaps;
      for (std::size_t i = 0; i < layer.size(); ++i) {
        const Cell& cell = cells_[at(layer[i])];
        double sum = 0, total = cell.piece ? 1e-3 : 0.15;  // a slight pull to the middle
        for (const bool up : {true, false}) {
          for (const Neighbour& n : (up ? above_ : below_)[at(layer[i])]) {
            const double w = n.weight * (up == down ? 1 : other_side);
            sum += w * (cells_[at(n.cell)].x + n.dx);
            total += w;
          }
        }
        wanted.push_back(sum / total);
        weight.push_back(total);
        gaps.push_back(i == 0 ? 0 : gap(cells_[at(layer[i - 1])], cell));
      }
      const std::vector<double> x = apart(wanted, weight, gaps);
      for (std::size_t i = 0; i < layer.size(); ++i) cells_[at(layer[i])].x = x[i];
    }
  }

  /// Edges leave and enter a node side by side, in the order in which they come.
  void spread() {
    for (const bool out : {true, false}) {
      std::vector<std::vector<std::size_t>> of(nodes_.size());
      for (std::size_t e = 0; e < edges_.size(); ++e) {
        const LayoutEdge& edge = edges_[e];
        if (out ? edge.spread_from : edge.spread_to) of[at(out ? edge.from : edge.to)].push_back(e);
      }
      for (std::size_t n = 0; n < of.size(); ++n) {
        const auto far = [&](std::size_t e) {
          const std::vector<int>& chain = chains_[e];
          return cells_[at(out ? chain[1] : chain[chain.size() - 2])].x;
        };
        std::stable_sort(of[n].begin(), of[n].end(), [&](std::size_t a, std::size_t b) { return far(a) < far(b); });
        const auto count = static_cast<double>(of[n].size());
        const double step = std::min(nodes_[n].width * 0.7 / count, 44.);
        for (std::size_t k = 0; k < of[n].size(); ++k) {
          LayoutEdge& edge = edges_[of[n][k]];
          (out ? edge.from_dx : edge.to_dx) = step * (static_cast<double>(k) - (count - 1) / 2);
        }
      }
    }
    connect();
  }

  /// Puts the pieces of an edge below each other where their neighbours leave room.
  void straighten() {
    for (const std::vector<int>& chain : chains_) {
      for (std::size_t first = 1; first + 1 < chain.size();) {
        double low = -INFINITY, high = INFINITY, sum = 0;
        std::size_t end = first;
        for (; end + 1 < chain.size(); ++end) {
          const auto [left, right] = free_around(cells_[at(chain[end])]);
          if (std::max(low, left) > std::min(high, right)) break;
          low = std::max(low, left);
          high = std::min(high, right);
          sum += cells_[at(chain[end])].x;
        }
        // A cell that stands as close to its neighbours as may be stays there.
        if (end == first) {
          ++first;
          continue;
        }
        const double x = std::clamp(sum / static_cast<double>(end - first), low, high);
        for (std::size_t k = first; k < end; ++k) cells_[at(chain[k])].x = x;
        first = end;
      }
    }
  }
  /// How far a cell may move.
  std::pair<double, double> free_around(const Cell& cell) const {
    const std::vector<int>& layer = layers_[at(cell.layer)];
    const std::size_t i = at(cell.position);
    std::pair<double, double> range{-INFINITY, INFINITY};
    if (i > 0) range.first = cells_[at(layer[i - 1])].x + gap(cells_[at(layer[i - 1])], cell);
    if (i + 1 < layer.size()) range.second = cells_[at(layer[i + 1])].x - gap(cell, cells_[at(layer[i + 1])]);
    return range;
  }

  /// How far edges go aside between each layer and the next: long ways need more height to be told apart.
  std::vector<double> aside() const {
    std::vector<double> most(layers_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      const std::vector<int>& chain = chains_[e];
      for (std::size_t k = 0; k + 1 < chain.size(); ++k) {
        const Cell &a = cells_[at(chain[k])], &b = cells_[at(chain[k + 1])];
        const double from = a.x + (k == 0 ? edges_[e].from_dx : 0);
        const double to = b.x + (k + 2 == chain.size() ? edges_[e].to_dx : 0);
        most[at(a.layer)] = std::max(most[at(a.layer)], std::abs(from - to));
      }
    }
    return most;
  }

  void write(Layout& layout) const {
    const std::vector<double> aside_below = aside();
    std::vector<double> top, tall;
    double y = 0, left = INFINITY, right = -INFINITY;
    for (const std::vector<int>& layer : layers_) {
      double height = 0;
      for (const int c : layer) {
        const Cell& cell = cells_[at(c)];
        height = std::max(height, cell.height);
        left = std::min(left, cell.x - cell.width / 2);
        right = std::max(right, cell.x + cell.width / 2);
      }
      const bool is_last = top.size() + 1 == layers_.size();
      const double more = std::min(aside_below[top.size()] / 12, 24.);
      top.push_back(y);
      tall.push_back(height);
      y += height;
      if (!is_last) y += (height > 0 || top.size() % 2 == 1 ? layer_gap : unlabelled_gap) + more;
    }
    layout.width = right - left;
    layout.height = y;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Cell& cell = cells_[i];
      layout.nodes[i].x = cell.x - left;
      // At the top of its layer if it comes from there, else at the bottom, near its users.
      const double room = tall[at(cell.layer)] - cell.height;
      layout.nodes[i].y = top[at(cell.layer)] + cell.height / 2 + (above_[i].empty() ? room : room / 2);
    }
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      LayoutEdge& edge = layout.edges[e];
      const LayoutNode &from = layout.nodes[at(edge.from)], &to = layout.nodes[at(edge.to)];
      const int above = cells_[at(edge.from)].layer, below = cells_[at(edge.to)].layer;
      // Beside other nodes of its layer, an edge goes straight down.
      edge.route = {{from.x + edge.from_dx, from.y + from.height / 2}};
      append(edge.route, {from.x + edge.from_dx, top[at(above)] + tall[at(above)]});
      for (const int c : chains_[e]) {
        const Cell& cell = cells_[at(c)];
        if (!cell.piece) continue;
        const double x = cell.x - left, y0 = top[at(cell.layer)], y1 = y0 + tall[at(cell.layer)];
        if (y1 > y0) {
          append(edge.route, {x, y0});
          append(edge.route, {x, y1});
        }
        edge.label = {x, (y0 + y1) / 2};
      }
      append(edge.route, {to.x + edge.to_dx, top[at(below)]});
      append(edge.route, {to.x + edge.to_dx, to.y - to.height / 2});
    }
  }
  static void append(std::vector<Point>& route, Point p) {
    if (p.y > route.back().y) route.push_back(p);
  }

  std::vector<LayoutNode>& nodes_;
  std::vector<LayoutEdge>& edges_;
  std::vector<int> rank_;
  std::vector<Cell> cells_;  // the nodes first
  std::vector<std::vector<int>> layers_, chains_;
  std::vector<std::vector<Neighbour>> above_, below_;
};

}  // namespace

void Layout::run() { Layering(*this).run(*this); }

}  // namespace xgrad::detail
