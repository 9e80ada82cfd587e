#pragma once
#include "harness.hpp"
#include "machine.hpp"

namespace bench {

/// Brings rows that differ in size only together, in the order in which the first of each came.
void group(std::vector<Row>& rows);
/// The table, a line a row, under the machine and above the notes; for a terminal.
std::string table(const Machine& machine, const std::vector<Row>& rows, const std::vector<std::string>& notes);
/// An array with an object a row: name, batch or size, threads ("best" where each side had its better number), against,
/// unit, ours, peer, ratio, low, high.
std::string json(const std::vector<Row>& rows);
/// The table as a picture: bars of the ratios, readable on light and dark pages.
std::string picture(const Machine& machine, const std::vector<Row>& rows);

}  // namespace bench
