/* What a failing client means, in one line for people: which permission is missing, that its login has
 * expired, that it knows no cluster. The full words are kept beside, see follow.c. */
#ifndef DEBRIEF_COLLECT_FOLLOW_SAID_H
#define DEBRIEF_COLLECT_FOLLOW_SAID_H

enum follow_failure {
    FOLLOW_OTHER,   /* costs this answer only */
    FOLLOW_NOTHING, /* an answer in itself ("no such kind here"), not worth a word */
    FOLLOW_ABSENT,  /* what was asked for is not there */
    FOLLOW_DENIED,  /* a permission is missing */
    FOLLOW_SHUT,    /* no call will succeed: no login, no server, no configuration */
};

struct follow_said {
    enum follow_failure failure;
    char text[600]; /* valid UTF-8, one line; never empty */
};

/* SAID: the beginning of what ARGV printed on standard error, valid UTF-8; STATUS its exit status. */
void follow_said(const char *const *argv, const char *said, int status, struct follow_said *out);

#endif
