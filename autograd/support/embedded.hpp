#pragma once

/// Style sheets and scripts of pages and pictures. They are files beside the sources that use them; the build makes
/// these texts of them (cmake/Embed.cmake), named after folder and file.
namespace xgrad::detail::embedded {

extern const char explain_page_css[], explain_page_js[];
extern const char support_page_css[];
extern const char gradcheck_page_css[], gradcheck_page_js[];
extern const char picture_chart_css[], picture_graph_css[];
extern const char nn_training_report_page_css[], nn_training_report_page_js[];

}  // namespace xgrad::detail::embedded
