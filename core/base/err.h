/* Trouble with the environment: a file, a peer, bad input. Functions that can meet it return
 * false (or NULL) and fill an err. The text is lower case, what failed first, the subject in
 * quotes, no full stop; each layer may put what it was doing in front. Never used for bugs (BUG)
 * nor for what a check finds (findings). */
#ifndef DEBRIEF_BASE_ERR_H
#define DEBRIEF_BASE_ERR_H

#include <stdbool.h>

struct err {
    char text[512]; /* "" while nothing happened; cut at a character, never overflowing */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Both return false, so that `return err_set(...)` reads well. err may be NULL. */
bool err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
