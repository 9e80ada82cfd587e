#pragma once
#include <autograd/tensor.hpp>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

/// Text as numbers, and back.
namespace xgrad::nn {

struct VocabularyOptions {
  std::int64_t min_count = 1;  // how often a token must occur
  std::int64_t most = -1;      // the most frequent ones only; -1: all
};

/// The tokens of a text, characters or words, numbered from the most frequent one on and, among those as frequent, in
/// the order of their bytes. Numbers 0 and 1 are not of the text: padding, and what stands for all tokens that are not
/// known.
class Vocabulary {
 public:
  static constexpr std::int64_t padding = 0, unknown = 1;

  /// Characters of UTF-8. Throws ValueError for text that is none.
  static Vocabulary of_characters(std::string_view text, VocabularyOptions options = {}, Place place = Place::here());
  /// Words: what stands between white space.
  static Vocabulary of_words(std::string_view text, VocabularyOptions options = {}, Place place = Place::here());
  /// From the tokens that `tokens` of another one gave, so that it can be stored beside a model.
  Vocabulary(std::vector<std::string> tokens, bool words, Place place = Place::here());

  /// How many numbers there are, those of padding and of the unknown included.
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()) + 2; }
  /// The tokens from number 2 on.
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// The number of a token, or `unknown`.
  std::int64_t operator[](std::string_view token) const;

  /// The numbers of a text's tokens, i64 (length).
  Tensor encode(std::string_view text, Place place = Place::here()) const;
  /// The tokens of numbers (length), words with spaces between them. Padding is left out; the unknown is U+FFFD. Throws
  /// ValueError for a number that is none of the vocabulary's.
  std::string decode(const Tensor& numbers, Place place = Place::here()) const;

 private:
  const std::string& token(std::int64_t number) const { return tokens_[static_cast<std::size_t>(number - 2)]; }

  std::vector<std::string> tokens_;
  std::vector<std::int64_t> sorted_;  // their numbers in the order of their bytes
  bool words_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
