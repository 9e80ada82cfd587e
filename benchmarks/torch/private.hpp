#pragma once
#include "peer.hpp"

namespace bench {

std::unique_ptr<Trainer> torch_reference_network(const Task& task);
std::unique_ptr<Trainer> torch_classifier(const Task& task);
std::unique_ptr<Trainer> torch_lstm(const Task& task);
std::unique_ptr<Trainer> torch_transformer(const Task& task);

}  // namespace bench
