/* Quoting a record: its excerpt as a citation shows it. */
#ifndef DEBRIEF_FINDING_QUOTE_H
#define DEBRIEF_FINDING_QUOTE_H

#include "base/buf.h"
#include "evidence/evidence.h"

/* The record's own excerpt, or one made from its fields: "name: value, ...". Raw: not redacted. */
void quote_record(struct buf *out, const struct record *record);

/* How many events the record stands for: its `repeats`, 1 for an event without, 0 for a record that
 * is no event (a setting is not something that happened once). */
uint64_t quote_count(const struct record *record);

#endif
