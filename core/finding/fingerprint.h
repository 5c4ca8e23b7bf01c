/* The fingerprint of a finding: id and subject, without target, place, time or wording. */
#ifndef DEBRIEF_FINDING_FINGERPRINT_H
#define DEBRIEF_FINDING_FINGERPRINT_H

enum { FINGERPRINT_LEN = 32 }; /* hexadecimal digits */

void fingerprint_of(char hex[FINGERPRINT_LEN + 1], const char *id, const char *kind,
                    const char *name);

#endif
