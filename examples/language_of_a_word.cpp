// How do I tell the language of a word that I have never seen?
//
// Its letters tell. A word becomes the bag of its runs of two to four letters, with beginning and end marked. Each run
// learns a number for each language, and their means over the bag are the scores: logistic regression on counts, which
// is fastText's classifier (Joulin et al. 2017) without a hidden layer. Capitals, by which German nouns are known, are
// folded. Some words stand in several lists, and many are forms of others, of which some have been learnt from.
#include <fstream>
#include <set>
#include <xgrad.hpp>
#include "command_line.hpp"
#include "drawn.hpp"

using namespace xgrad;

constexpr const char* lists[] = {"american-english", "french", "ngerman", "italian", "spanish"};
constexpr int count = 20'000;  // of words of each language

/// Adds `count` words of a list, from all over the alphabet; none with an apostrophe, which would tell English.
bool read_words(const std::string& list, std::vector<std::string>& words) {
  std::set<std::string> found;
  std::ifstream file(list);
  for (std::string word; std::getline(file, word);) {
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (word.size() >= 4 && word.size() <= 16 && word.find('\'') == std::string::npos) found.insert(word);
  }
  const std::vector<std::string> all(found.begin(), found.end());
  for (std::size_t i = 0; i < count && !all.empty(); ++i) words.push_back(all[i * all.size() / count]);
  return !all.empty();
}

/// The runs of a word, with blanks between them: "^o ol ld d$ ^ol old ld$ ^old old$ " of "old".
std::string runs(const std::string& word) {
  std::vector<std::string> letters{"^"};
  for (const char c : word) (c & 0xc0) == 0x80 ? letters.back() += c : letters.emplace_back(1, c);  // one of many bytes
  letters.push_back("$");
  std::string all;
  for (std::size_t length = 2; length <= 4; ++length)
    for (std::size_t from = 0; from + length <= letters.size(); ++from, all += ' ')
      for (std::size_t i = from; i < from + length; ++i) all += letters[i];
  return all;
}

/// How many words of each list (row) were taken for each (column), and which runs speak for it most.
std::string picture(const Tensor& counts, const Tensor& telling, const nn::Vocabulary& vocabulary) {
  std::string drawings = drawn(sqrt(counts.to(f32)), 0, sqrt(max(counts).to(f32)).item(), {110, 30}, 300);
  for (int row = 0, y = 64; row < 5; ++row, y += 60) {
    drawings += text("<text x='10' y='", y, "'>", lists[row], "</text>\n<text x='430' y='", y, "'>",
                     vocabulary.decode(telling[row]), "</text>\n");
    for (int column = 0; column < 5; ++column)
      drawings += text("<text x='", 128 + 60 * column, "' y='", y, row == column ? "' fill='#fff'>" : "'>",
                       counts.at(row, column).item(), "</text>\n");
  }
  return svg_picture(680, 340, drawings);
}

int main(int argc, char** argv) {
  CommandLine options("Tells languages by single words, and draws which it confuses.", "language_of_a_word.svg");
  std::string folder = "/usr/share/dict";
  options.add("--lists", folder, "folder of word lists");
  options.read(argc, argv);

  std::vector<std::string> words;
  for (const char* const list : lists)
    if (!read_words(folder + '/' + list, words)) {
      std::printf("no list %s: install Debian's packages wamerican wfrench wngerman witalian wspanish\n", list);
      return 77;
    }
  std::string all;
  for (std::string& word : words) all += word = runs(word);
  const auto vocabulary = nn::Vocabulary::of_words(all, {.min_count = 2});
  std::vector<Tensor> bags;
  for (const std::string& word : words) bags.push_back(vocabulary.encode(word));
  const Tensor x = nn::pad_sequences(bags, nn::Vocabulary::padding).values;
  const nn::TensorDataset dataset(x, repeat_interleave(arange(0, 5, 1, i64), count, 0));
  const auto parts = nn::random_split(dataset, {4 * count, count}, options.seed);  // the last to be held out

  nn::EmbeddingBag model{vocabulary.size(), 5, {.padding = nn::Vocabulary::padding, .weight_init = nn::init::zeros()}};
  optim::Adam optimizer{model.parameters(), {.lr = 0.05}};
  nn::Trainer trainer{model, optimizer, nn::cross_entropy, {.metrics = {nn::categorical_accuracy}}};
  trainer.fit(parts[0], {.epochs = 5, .batch_size = 200, .validation = parts[1], .seed = options.seed});
  options.check_time();
  nn::Metric confusion = nn::confusion_table;
  confusion.update(trainer.predict(parts[1].features()), parts[1].labels());
  const Tensor frequent = slice(model.weight, 0, 2, 402);  // 0 and 1 are padding and what is unknown
  const Tensor telling = topk(transpose(frequent - mean(frequent, 1, true)), 9, 1).indices + 2;
  write_file_atomically(options.picture, picture(confusion.counts(), telling, vocabulary));
  std::printf("%.4f of the held-out words are right\n", confusion.value());
  return confusion.value() >= 0.89 ? 0 : 1;
}
