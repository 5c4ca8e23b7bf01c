/* Texts as GitHub-flavoured Markdown, where all of them are data: no link, image, mention, HTML, table
 * or fence of theirs comes to life. Inner header of the writer "markdown". */
#ifndef DEBRIEF_REPORT_MARKDOWN_TEXT_H
#define DEBRIEF_REPORT_MARKDOWN_TEXT_H

#include "base/buf.h"
#include <stddef.h>

enum markdown_place {
    MARKDOWN_LINE, /* in a line that has begun already */
    MARKDOWN_CELL, /* of a table */
    MARKDOWN_HTML, /* between the tags of <summary>, where Markdown looks for nothing */
};

/* Plain words as they are; a word with a character that means something to Markdown becomes code. At
 * most CAP bytes of TEXT (0: all). */
void markdown_add(struct buf *out, enum markdown_place place, const char *text, size_t cap);

/* TEXT as code in a line, whatever is in it. */
void markdown_code(struct buf *out, enum markdown_place place, const char *text, size_t cap);

/* TEXT in a fence that is longer than any run of backticks in it, each line behind INDENT blanks. INFO is
 * a word of our own: "sh", "text". */
void markdown_fence(struct buf *out, int indent, const char *info, const char *text, size_t cap);

/* URL as a link when it is a web address and nothing else, as text when not. */
void markdown_link(struct buf *out, const char *url, size_t cap);

#endif
