/* Each distinct text gets a number, in the order in which they come: ids that must not repeat or are looked
 * up often, and values that many targets of a fleet share. */
#ifndef DEBRIEF_REPORT_INTERN_H
#define DEBRIEF_REPORT_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern_item {
    char *text; /* owned */
    uint64_t hash;
};

struct intern { /* zeroed is empty */
    struct intern_item *items;
    size_t len, cap;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slots_len;
};

void intern_release(struct intern *intern);

/* The number of TEXT; *added tells whether it is new (may be NULL). */
uint32_t intern_add(struct intern *intern, const char *text, bool *added);

/* The number of TEXT, or INTERN_NONE. */
uint32_t intern_find(const struct intern *intern, const char *text);

#endif
