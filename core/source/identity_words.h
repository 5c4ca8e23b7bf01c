/* Words that identify nobody, and therefore stay when identities are replaced. */
#ifndef DEBRIEF_SOURCE_IDENTITY_WORDS_H
#define DEBRIEF_SOURCE_IDENTITY_WORDS_H

#include <stdbool.h>

bool identity_word_is_plain(const char *word); /* in small letters */

#endif
