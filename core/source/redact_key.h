/* The inside of a private key in PEM, from behind its BEGIN line on: its base64 lines are
 * dropped and one mark stands for them. Line ends, indentation and escapes stay, so that line
 * numbers, YAML and JSON around the key stay what they are. */
#ifndef DEBRIEF_SOURCE_REDACT_KEY_H
#define DEBRIEF_SOURCE_REDACT_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct redact_key {
    bool inside;
    bool marked;   /* the mark was written */
    bool in_run;   /* the last portion ended within key material */
    bool fresh;    /* nothing but blanks so far in this line */
    int idle;      /* lines before the first one with key material */
    size_t behind; /* bytes since BEGIN: a key without END must not swallow a log */
};

void redact_key_begin(struct redact_key *key);

/* One step through TEXT[at..len): how many bytes it deals with, *keep of which are to be written as
 * they are (the first ones); *mark: the mark goes in front of them. 0: more text is needed to tell,
 * never when LAST. The key has ended when `inside` is false afterwards. */
size_t redact_key_step(struct redact_key *key, const char *text, size_t len, bool last,
                       size_t *keep, bool *mark);

#endif
