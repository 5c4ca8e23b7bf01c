/* Pictures in the HTML page: text in lines of a known width. Inner header of the writer "html". */
#ifndef DEBRIEF_REPORT_HTML_SVG_H
#define DEBRIEF_REPORT_HTML_SVG_H

#include "report/html.h"

#define HTML_SVG_LINE 17 /* pixels from one line of text to the next */

/* How many lines TEXT takes at COLUMNS characters, at most MAX. */
int html_svg_lines(struct html *html, const char *text, int columns, int max);

/* TEXT in such lines, the first one's foot at Y; the last one ends with an ellipsis when text is left. */
void html_svg_text(struct html *html, int x, int y, int columns, int max, const char *text);

#endif
