/* A proof's text in a few lines: which parts of a long one are shown. */
#ifndef DEBRIEF_REPORT_EXCERPT_H
#define DEBRIEF_REPORT_EXCERPT_H

#include <stddef.h>

/* TEXT from 0 to HEAD, by which one finds it again, and from FROM to TO, where it tells why. All of it when it
 * is short: then HEAD is 0, FROM 0 and TO its length. */
struct excerpt {
    size_t head, from, to;
};

/* At most MAX bytes of TEXT, cut between characters: the words that tell why with what surrounds them, else
 * its end, as a line of a log begins with when and where and ends with why. */
struct excerpt excerpt_of(const char *text, size_t max);

#endif
