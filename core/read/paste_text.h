/* The text of a paste, line by line, without what the way to us has put around it: mail quotes, colours
 * whose escape was lost, HTML entities, typographic quotes, line numbers. Each line keeps its number. */
#ifndef DEBRIEF_READ_PASTE_TEXT_H
#define DEBRIEF_READ_PASTE_TEXT_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum paste_kind {
    PASTE_TEXT,
    PASTE_BLANK,
    PASTE_COMMAND, /* somebody typed it: what is below is something new */
    PASTE_FENCE,   /* ``` */
    PASTE_TAKEN,   /* belongs to a region that has its own reader */
};

struct paste_line {
    const char *text; /* without its end; changed lines stand in the arena */
    uint32_t len;
    uint32_t lead; /* bytes in front that carriers of lines put there: a time, a container's name */
    enum paste_kind kind;
};

struct paste_text {
    struct arena *arena;
    struct paste_line *lines;
    size_t len;
    bool changed; /* lines are not as they stand in the source */
};

/* Cuts TEXT, which must outlive OUT, into lines, as they stand. */
void paste_text_init(struct paste_text *out, struct arena *arena, const char *text, size_t len);
void paste_text_release(struct paste_text *text);

/* Takes off what was put around them, and tells what they are. */
void paste_text_clean(struct paste_text *text);

/* A command behind a prompt, or a line that begins with a tool of the trade: where it begins, NULL. */
const char *paste_command(const char *line, size_t len);

bool paste_is_blank(const char *line, size_t len);

#endif
