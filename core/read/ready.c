/* Stage: read. /ready: one word. */
#include "base/str.h"
#include "evidence/identity.h"
#include "read/readers.h"
#include <string.h>

static size_t state_len(const char *text)
{
    static const char *const states[] = {"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        size_t len = strlen(states[i]);
        if (str_starts(text, states[i]) && !text[len + strspn(text + len, " \t\r\n")])
            return len;
    }
    return 0;
}

static int recognise(const struct peek *peek)
{
    return peek->shape == PEEK_TEXT && peek->whole && state_len(peek->text) ? 95 : 0;
}

static void read_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    char state[32];
    if (!len || len >= sizeof state)
        return;
    memcpy(state, line, len);
    state[len] = '\0';
    state[state_len(state)] = '\0';
    identity_note(reading->evidence, reading->source, number, NULL, IDENTITY_STATED, "state",
                  state);
    struct record *record = evidence_add(reading->evidence, "ready", reading->source);
    if (!record)
        return;
    record->line = number;
    evidence_excerpt(reading->evidence, record, line, len);
    evidence_set(reading->evidence, record, "state", state);
}

static void read_source(struct reading *reading)
{
    reading_lines(reading, read_line);
    evidence_supplied(reading->evidence, "ready", reading->complete);
}

const struct reader read_ready = {"ready", (const char *const[]){"ready", "proxy", NULL}, recognise,
                                  read_source};
