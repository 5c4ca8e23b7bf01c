/* The style and the scripts of the HTML report, from core/report/html (cmake/DebriefEmbedded.cmake makes the
 * source). Texts, ended by NUL. */
#ifndef DEBRIEF_REPORT_HTML_ASSETS_H
#define DEBRIEF_REPORT_HTML_ASSETS_H

extern const char html_asset_report_css[];
extern const char html_asset_report_js[]; /* every page */
extern const char html_asset_fleet_js[];  /* pages that hold their targets as data */

#endif
