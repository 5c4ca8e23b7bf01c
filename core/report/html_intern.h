/* Each distinct text gets a number, in the order in which they come: ids that must not repeat, and values
 * that many targets of a fleet share. */
#ifndef DEBRIEF_REPORT_HTML_INTERN_H
#define DEBRIEF_REPORT_HTML_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct html_intern_item {
    char *text; /* owned */
    uint64_t hash;
};

struct html_intern { /* zeroed is empty */
    struct html_intern_item *items;
    size_t len, cap;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slots_len;
};

void html_intern_release(struct html_intern *intern);

/* The number of TEXT; *added tells whether it is new (may be NULL). */
uint32_t html_intern(struct html_intern *intern, const char *text, bool *added);

#endif
