/* What reader and runner tell the supervisor (and the scout the registry): one JSON object per line on
 * a pipe. From the collector:
 *   {"failed":"why"}                        not even an index could be written
 * From the reader and its runners:
 *   {"target":{"envoy":{...},"sources":[...],"unrecognised":[...],
 *    "redactions":[...],"pseudonyms":BOOL,"named":[...]}}   the reader, before any runner; named: words
 *                         that name somebody in the evidence, where identities are replaced
 *   {"refused":INDEX,"why":"..."}           a check that cannot be asked
 *   {"runner":PID}                          a runner began
 *   {"begin":INDEX}                         it is about to ask plan->checks[INDEX]
 *   {"end":INDEX,"record":{check record},"findings":[...],"asks":[...],"walks":[...],
 *    "missing":[{"evidence":"...","how":"..."}]}   missing: what the check would have needed
 *   {"died":STATUS}                         the reader: its runner ended before its work (wait status)
 *   {"done":true}                           the reader, at the end
 *   {"failed":"why"}                        the reader cannot go on
 * From the scout:
 *   {"begin":INDEX}                         it is about to look into file INDEX
 *   {"end":INDEX,"plugin":{...}}            what is in it (check/metadata.h)
 *   {"end":INDEX,"refused":"why","name":"..."}   why it is not used
 * Lines longer than 16 MB end the process that writes them. */
#ifndef DEBRIEF_CHECK_MESSAGE_H
#define DEBRIEF_CHECK_MESSAGE_H

#include "base/buf.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

#define MESSAGE_MAX (16u << 20)

/* Writes all of it, blocking. A line that a killed writer left unfinished on the same pipe does not
 * spoil this one. False: nobody listens any more. */
bool message_send(int fd, const cJSON *message);

struct message_reader {
    int fd; /* non-blocking; closing it is the owner's */
    struct buf pending;
    size_t searched; /* bytes of pending that are known to hold no line end */
    bool eof;
};

void message_reader_init(struct message_reader *reader, int fd); /* makes FD non-blocking */
void message_reader_release(struct message_reader *reader);
/* Takes what is there to read now, without blocking beyond it. False: a line is too long. */
bool message_reader_fill(struct message_reader *reader);
/* The next whole message, the caller's to delete; NULL: none yet. Lines that are no message (a writer
 * was killed in mid-line) are passed over. */
cJSON *message_reader_next(struct message_reader *reader);

#endif
