#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <nn/nn.hpp>
#include <set>

#include "support.hpp"

// Padding, batches of like length, and vocabularies.
using namespace xgrad;

namespace {

using Numbers = std::vector<std::int64_t>;

/// n sequences of lengths 1 + 7 i mod 11, the numbers of each its index.
std::vector<Tensor> sequences(std::int64_t n) {
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < n; ++i) list.push_back(full({1 + 7 * i % 11}, i, i64));
  return list;
}

std::vector<nn::SequenceBatch> epoch(nn::SequenceLoader& loader) {
  std::vector<nn::SequenceBatch> batches;
  for (const nn::SequenceBatch& batch : loader) batches.push_back(batch);
  return batches;
}

/// Each batch's sequences, which are known by their first number, in order.
std::vector<Numbers> order_of(const std::vector<nn::SequenceBatch>& batches) {
  std::vector<Numbers> order;
  for (const nn::SequenceBatch& batch : batches) order.push_back(to_vector<std::int64_t>(select(batch.x, 1, 0)));
  return order;
}

}  // namespace

TEST_CASE("sequences are padded at their ends") {
  const auto padded = nn::pad_sequences({tensor({1., 2., 3.}), tensor({4.}), zeros({0})}, -1);
  CHECK(to_vector(padded.values) == std::vector<double>{1, 2, 3, 4, -1, -1, -1, -1, -1});
  CHECK(to_vector<std::int64_t>(padded.lengths) == Numbers{3, 1, 0});
  CHECK(to_vector<std::int64_t>(padded.mask().to(i64)) == Numbers{1, 1, 1, 1, 0, 0, 0, 0, 0});
  CHECK(nn::pad_sequences({ones({2, 3}), ones({1, 3})}).values.shape() == Shape{2, 2, 3});
}

TEST_CASE("sequences that do not fit together are refused") {
  CHECK(message_of<ValueError>([] { (void)nn::pad_sequences({}); }) ==
        "pad_sequences: there are no sequences; expected at least one");
  CHECK(message_of<ShapeError>([] {
          (void)nn::pad_sequences({ones({2, 3}), ones({2, 4})});
        }) == "pad_sequences: sequence 0 is (2, 3), sequence 1 is (2, 4); they must agree in all but their lengths");
  CHECK(message_of<DtypeError>([] {
          (void)nn::pad_sequences({ones({2}), ones({2}, f64)});
        }) == "pad_sequences: sequence 0 is f32, sequence 1 is f64; convert one with .to(...)");
  CHECK(message_of<ShapeError>([] { (void)nn::pad_sequences({ones({})}); }) ==
        "pad_sequences: sequence 0 is a single number; expected (length, ...)");
  CHECK(message_of<ShapeError>([] { nn::SequenceDataset(sequences(2), ones({3})); }) ==
        "SequenceDataset: there are 2 sequences, and the labels are (3,); expected a row for each");
  CHECK(message_of<ShapeError>([] {
          nn::SequenceDataset(sequences(2), std::vector<Tensor>{ones({1}), ones({2})});
        }) == "SequenceDataset: sequence 1 has 8 steps and labels for 2");
  CHECK(message_of<ShapeError>([] { nn::SequenceDataset(sequences(2), std::vector<Tensor>{ones({1})}); }) ==
        "SequenceDataset: there are 2 sequences and labels for 1");
  CHECK(message_of<ValueError>([] {
          (void)nn::SequenceDataset(sequences(2)).take({0, 2});
        }) == "take: index 2 is out of range; the dataset has 2");
  CHECK(message_of<ValueError>([] { nn::SequenceLoader(nn::SequenceDataset(sequences(2)), {.batch_size = 0}); }) ==
        "SequenceLoader: batch_size is 0; expected at least 1");
}

TEST_CASE("a batch has labels of its sequences, or of their steps") {
  const nn::SequenceDataset rows(sequences(3), tensor({{0., 1.}, {2., 3.}, {4., 5.}}));
  const auto [x, lengths, y] = rows.take({2, 0});
  CHECK(to_vector<std::int64_t>(lengths) == Numbers{4, 1});
  CHECK(to_vector(y) == std::vector<double>{4, 5, 0, 1});
  CHECK(x.shape() == Shape{2, 4});
  const nn::SequenceDataset stepwise(sequences(3), sequences(3));
  CHECK(to_vector<std::int64_t>(stepwise.take({0, 2}, 0, -100).y) == Numbers{0, -100, -100, -100, 2, 2, 2, 2});
}

TEST_CASE("an epoch has every sequence once, in batches of about one length") {
  nn::SequenceLoader loader(nn::SequenceDataset(sequences(23)), {.batch_size = 4, .shuffle = true, .seed = 1});
  for (int i = 0; i < 3; ++i) {
    std::multiset<std::int64_t> seen;
    const auto batches = epoch(loader);
    CHECK(std::ssize(batches) == loader.size());
    std::int64_t padded = 0, counted = 0;
    for (const nn::SequenceBatch& batch : batches) {
      for (const std::int64_t k : to_vector<std::int64_t>(select(batch.x, 1, 0))) seen.insert(k);
      padded += batch.x.size();
      counted += sum(batch.lengths).item<std::int64_t>();
    }
    CHECK(seen.size() == 23);
    CHECK(*seen.rbegin() == 22);
    CHECK(std::set<std::int64_t>(seen.begin(), seen.end()).size() == 23);
    CHECK(padded < 1.3 * static_cast<double>(counted));
  }
  CHECK(order_of(epoch(loader)) != order_of(epoch(loader)));
  loader.set_epoch(0);
  nn::SequenceLoader again(nn::SequenceDataset(sequences(23)), {.batch_size = 4, .shuffle = true, .seed = 1});
  CHECK(order_of(epoch(loader)) == order_of(epoch(again)));
}

TEST_CASE("batches come as stored where nothing else is asked for, and a last one may be left out") {
  nn::SequenceLoader loader(nn::SequenceDataset(sequences(5)),
                            {.batch_size = 2, .drop_last = true, .like_lengths = false});
  CHECK(order_of(epoch(loader)) == std::vector<Numbers>{{0, 1}, {2, 3}});
  nn::SequenceLoader whole(nn::SequenceDataset(sequences(5)),
                           {.batch_size = std::numeric_limits<std::int64_t>::max(), .shuffle = true, .seed = 1});
  const std::vector<Numbers> found = order_of(epoch(whole));
  CHECK(found.size() == 1);
  CHECK(found[0].size() == 5);
  nn::SequenceLoader none(nn::SequenceDataset(std::vector<Tensor>{}));
  CHECK(epoch(none).empty());
}

TEST_CASE("characters are numbered by how often they occur, and come back as text") {
  const auto vocabulary = nn::Vocabulary::of_characters("abracadabra é");
  CHECK(vocabulary.size() == 9);
  CHECK(vocabulary.tokens() == std::vector<std::string>{"a", "b", "r", " ", "c", "d", "é"});
  const Tensor numbers = vocabulary.encode("bé!");
  CHECK(to_vector<std::int64_t>(numbers) == Numbers{3, 8, nn::Vocabulary::unknown});
  CHECK(vocabulary.decode(numbers) == "bé\xef\xbf\xbd");
  CHECK(vocabulary.decode(tensor({2, 0, 0}, i64)) == "a");
  CHECK(vocabulary.encode("").shape() == Shape{0});
  CHECK(nn::Vocabulary::of_characters("aab", {.min_count = 2}).tokens() == std::vector<std::string>{"a"});
}

TEST_CASE("words are what stands between white space") {
  const auto vocabulary = nn::Vocabulary::of_words(" the cat\tthe  dog\nthe cat", {.most = 2});
  CHECK(vocabulary.tokens() == std::vector<std::string>{"the", "cat"});
  CHECK(vocabulary["dog"] == nn::Vocabulary::unknown);
  CHECK(vocabulary.decode(vocabulary.encode("cat the")) == "cat the");
  const nn::Vocabulary same(vocabulary.tokens(), true);
  CHECK(same_bits(same.encode("the dog"), vocabulary.encode("the dog")));
}

TEST_CASE("text that is no UTF-8 and numbers of no token are refused") {
  CHECK(message_of<ValueError>([] { (void)nn::Vocabulary::of_characters("a\xff"); }) ==
        "of_characters: byte 1 of the text begins no character of UTF-8; convert it first");
  CHECK(message_of<ValueError>([] { (void)nn::Vocabulary::of_characters("a\xe2\x82"); }) ==
        "of_characters: byte 1 of the text begins no character of UTF-8; convert it first");
  CHECK(message_of<ValueError>([] { (void)nn::Vocabulary::of_characters("ab").decode(tensor({4}, i64)); }) ==
        "decode: the number 4 is out of range of 4 tokens");
  CHECK(message_of<DtypeError>([] { (void)nn::Vocabulary::of_characters("ab").decode(tensor({4.})); }) ==
        "decode: the numbers are f32, not i64; convert them with .to(i64)");
  CHECK(message_of<ShapeError>([] { (void)nn::Vocabulary::of_characters("ab").decode(tensor({{2}}, i64)); }) ==
        "decode: the numbers are (1, 1); expected (n,)");
  CHECK(message_of<ValueError>([] { nn::Vocabulary({"a", "a"}, true); }) == "Vocabulary: the token \"a\" occurs twice");
}
