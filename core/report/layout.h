/* Laying text out for people: glyphs with an ASCII fall-back, colour, wrapping with hanging indents. All
 * text passes through here on its way to a terminal, so nothing in the evidence can steer it. */
#ifndef DEBRIEF_REPORT_LAYOUT_H
#define DEBRIEF_REPORT_LAYOUT_H

#include "base/buf.h"
#include "report/report.h"
#include <stdbool.h>

enum glyph { GLYPH_ERROR, GLYPH_WARNING, GLYPH_OK, GLYPH_UNKNOWN, GLYPH_NOTE, GLYPH_SKIP };
enum ink { INK_PLAIN, INK_ERROR, INK_WARNING, INK_OK, INK_DIM, INK_BOLD };

#define LAYOUT_LABEL 9 /* columns of a label, its blank included */

struct layout {
    struct buf *out;
    const struct report_style *style;
};

const char *layout_glyph(const struct layout *layout, enum glyph glyph);
enum ink layout_ink(enum glyph glyph);

/* TEXT with colour around it, uncleaned: for words of our own. */
void layout_paint(const struct layout *layout, enum ink ink, const char *text);

/* Appends TEXT to OUT with everything that could steer a terminal replaced; line ends become blanks
 * unless KEEP_LINES. At most CAP bytes of it (0: all), then an ellipsis. */
void layout_clean(const struct layout *layout, struct buf *out, const char *text, bool keep_lines,
                  size_t cap);

/* INDENT blanks, LABEL padded to LAYOUT_LABEL columns (NULL: as many blanks), then TEXT, wrapped at
 * the width with a hanging indent. */
void layout_field(const struct layout *layout, int indent, const char *label, const char *text);

/* The same with "NUMBER. " in front of TEXT and the hanging indent behind it. */
void layout_step(const struct layout *layout, int indent, const char *label, int number,
                 const char *text);

/* INDENT blanks, LEAD in INK, then TEXT wrapped; continuation lines are indented by HANGING. */
void layout_item(const struct layout *layout, int indent, const char *lead, enum ink ink,
                 int hanging, const char *text);

/* TEXT line by line, each indented, never wrapped and never cut: commands and files to paste. */
void layout_verbatim(const struct layout *layout, int indent, const char *lead, const char *text);

#endif
