/* Trouble with the environment: a file, a peer, bad input. Functions that can meet it return
 * false (or NULL) and fill an err. The text is lower case, what failed first, the subject in
 * quotes, no full stop; each layer may put what it was doing in front. Never used for bugs (BUG)
 * nor for what a check finds (findings). */
#ifndef DEBRIEF_BASE_ERR_H
#define DEBRIEF_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum { ERR_QUOTED_MAX = 120 }; /* bytes of a subject in quotes that are shown */

struct err {
    char text[512]; /* "" while nothing happened; cut at a character, never overflowing */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* All return false, so that `return err_set(...)` reads well. err may be NULL. */
bool err_vset(struct err *err, const char *format, va_list args);
bool err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shortens every subject in quotes that is longer than ERR_QUOTED_MAX to its start, cut at a character:
 * 'aaaa...'. In place; err_set() and err_prefix() do so. */
void err_cut_quotes(char *text);

#endif
