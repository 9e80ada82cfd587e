#pragma once
#include <nn/training/report/findings.hpp>

namespace xgrad::nn::detail {

/// The report as HTML.
std::string report_page(const Module& model, const History& history, const Findings& found,
                        const ReportOptions& options);

}  // namespace xgrad::nn::detail
