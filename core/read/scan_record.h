/* From a hit to a record of evidence: the text around it is copied while the window is there, and
 * becomes a record with fields once it is certain that the hit is kept. */
#ifndef DEBRIEF_READ_SCAN_RECORD_H
#define DEBRIEF_READ_SCAN_RECORD_H

#include "base/regex.h"
#include "read/scan.h"
#include "read/scan_view.h"

struct scan_copy {
    uint64_t place; /* line number of the record's first byte, or number of the item */
    bool item;
    size_t head; /* bytes of the header's line, when the record's own first line is not copied */
    size_t len;  /* bytes of the record, behind the head */
    size_t end;  /* of the match, in the record */
    size_t excerpt_len; /* bytes behind the record: what the source says; 0: the record itself */
    char bytes[];
};

/* The record around the match that ends at END, at most MAX bytes of it. The caller's to free(). */
struct scan_copy *scan_record_copy(struct scan_view *view, size_t end, size_t max);

/* A copy of a text that is a record as a whole; the match ends at END. */
struct scan_copy *scan_record_whole(const char *text, size_t len, size_t end);

struct scan_item { /* how a JSON array's item is pointed at: "/events/3/message" */
    const char *before, *behind;
};

struct scan_target { /* where records go */
    struct evidence *evidence;
    struct source *source;
    const char *event;
    const struct regex *pattern, *fields; /* fields may be NULL */
    struct scan_item item;
    const struct scan_text *context; /* of a text out of a structured source; NULL: a log's line */
    size_t text_max;                 /* cells are cut there */
};

/* False: it is no hit after all (the match ran over a record's end), nothing was written. A record that
 * the evidence has no room for is a hit all the same; *written tells. */
bool scan_record_write(const struct scan_target *target, const struct scan_copy *copy,
                       size_t *written);

#endif
