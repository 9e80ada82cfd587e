#include <algorithm>
#include <autograd/factories.hpp>
#include <map>
#include <nn/data/vocabulary.hpp>

/// Characters and words, and their numbers.
namespace xgrad::nn {
namespace {

using Token = std::string_view;

/// The bytes of the character that begins so; 0 if none does.
std::size_t bytes_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

std::vector<Token> characters(const OpScope& scope, std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0, n = 0; at < text.size(); at += n) {
    n = bytes_of(static_cast<unsigned char>(text[at]));
    bool good = n > 0 && at + n <= text.size();
    for (std::size_t i = 1; good && i < n; ++i) good = (static_cast<unsigned char>(text[at + i]) & 0xc0) == 0x80;
    if (!good) scope.fail<ValueError>("byte ", at, " of the text begins no character of UTF-8; convert it first");
    tokens.push_back(text.substr(at, n));
  }
  return tokens;
}

std::vector<Token> words_of(std::string_view text) {
  constexpr std::string_view space = " \t\n\v\f\r";
  std::vector<Token> tokens;
  for (std::size_t at = text.find_first_not_of(space); at != text.npos; at = text.find_first_not_of(space, at)) {
    const std::size_t end = std::min(text.find_first_of(space, at), text.size());
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

std::vector<Token> split(const OpScope& scope, std::string_view text, bool words) {
  return words ? words_of(text) : characters(scope, text);
}

std::vector<std::string> most_frequent(const std::vector<Token>& tokens, const VocabularyOptions& options) {
  std::map<Token, std::int64_t> counts;
  for (const Token token : tokens) ++counts[token];
  std::vector<std::pair<std::int64_t, Token>> ordered;
  for (const auto& [token, count] : counts)
    if (count >= options.min_count) ordered.emplace_back(-count, token);
  std::sort(ordered.begin(), ordered.end());
  if (options.most >= 0 && options.most < std::ssize(ordered)) ordered.resize(static_cast<std::size_t>(options.most));
  std::vector<std::string> result;
  for (const auto& entry : ordered) result.emplace_back(entry.second);
  return result;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens, bool words, Place place)
    : tokens_(std::move(tokens)), words_(words) {
  const OpScope scope("Vocabulary", place);
  for (std::int64_t i = 0; i < std::ssize(tokens_); ++i) sorted_.push_back(i + 2);
  std::sort(sorted_.begin(), sorted_.end(), [this](auto a, auto b) { return token(a) < token(b); });
  const auto twice =
      std::adjacent_find(sorted_.begin(), sorted_.end(), [this](auto a, auto b) { return token(a) == token(b); });
  if (twice != sorted_.end()) scope.fail<ValueError>("the token \"", token(*twice), "\" occurs twice");
}

Vocabulary Vocabulary::of_characters(std::string_view text, VocabularyOptions options, Place place) {
  const OpScope scope("of_characters", place);
  return {most_frequent(characters(scope, text), options), false, place};
}

Vocabulary Vocabulary::of_words(std::string_view text, VocabularyOptions options, Place place) {
  return {most_frequent(words_of(text), options), true, place};
}

std::int64_t Vocabulary::operator[](std::string_view wanted) const {
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), wanted,
                                      [this](std::int64_t n, std::string_view t) { return token(n) < t; });
  return found == sorted_.end() || token(*found) != wanted ? unknown : *found;
}

Tensor Vocabulary::encode(std::string_view text, Place place) const {
  const OpScope scope("encode", place);
  std::vector<std::int64_t> numbers;
  for (const Token token : split(scope, text, words_)) numbers.push_back((*this)[token]);
  return from_values(numbers, Shape{std::ssize(numbers)});
}

std::string Vocabulary::decode(const Tensor& numbers, Place place) const {
  const OpScope scope("decode", place);
  if (numbers.dtype() != i64)
    scope.fail<DtypeError>("the numbers are ", name_of(numbers.dtype()), ", not i64; convert them with .to(i64)");
  if (numbers.ndim() != 1) scope.fail("the numbers are ", numbers.shape(), "; expected (n,)");
  std::string text;
  for (const std::int64_t n : to_vector<std::int64_t>(numbers)) {
    if (n < 0 || n >= size()) scope.fail<ValueError>("the number ", n, " is out of range of ", size(), " tokens");
    if (n == padding) continue;
    if (words_ && !text.empty()) text += ' ';
    text += n == unknown ? std::string_view("\xef\xbf\xbd") : std::string_view(token(n));
  }
  return text;
}

}  // namespace xgrad::nn
