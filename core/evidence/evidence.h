/* Evidence: what readers took from the sources of one target, as records under dotted names. Written
 * by readers, read-only afterwards. Every record knows its source and place, so a citation costs a
 * check nothing. Absent, partial and complete are different answers, and never look alike. */
#ifndef DEBRIEF_EVIDENCE_EVIDENCE_H
#define DEBRIEF_EVIDENCE_EVIDENCE_H

#include "base/arena.h"
#include "evidence/dictionary.h"
#include "evidence/need.h"
#include "source/source.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_ROWS_MAX    50000 /* records per table; what comes after is counted only */
#define EVIDENCE_EXCERPT_MAX 4096

enum evidence_state {
    EVIDENCE_ABSENT,  /* no source supplies it */
    EVIDENCE_PARTIAL, /* a source does, but was cut short, unreadable in part, or over a cap */
    EVIDENCE_COMPLETE,
};

struct evidence_table;

struct record {
    const struct evidence_table *table;
    const struct source *source;
    uint64_t line;       /* 1-based; 0 when `pointer` says the place */
    const char *pointer; /* JSON pointer or stat name; NULL when `line` does */
    const char
        *excerpt; /* the evidence itself, valid UTF-8, at most 4 kB; NULL: made from the fields */
    int64_t time; /* ns since the epoch, 0 unknown */
    const char **cells; /* one per column of the table, NULL where not known */
    const cJSON *doc;   /* for documents: the tree, read by path; NULL otherwise */
};

struct evidence;

/* NEEDS tells readers what somebody asked for; NULL keeps everything. Both are borrowed. */
struct evidence *evidence_new(struct sources *sources, const struct need_set *needs);
void evidence_free(struct evidence *evidence);
struct arena *evidence_arena(struct evidence *evidence);
struct sources *evidence_sources(const struct evidence *evidence);
const struct need_set *evidence_needs(const struct evidence *evidence); /* NULL: everything */
uint64_t evidence_total(const struct evidence *evidence); /* records of all names so far */

/* Only events from SINCE to UNTIL (ns since the epoch; 0: no bound) are to be kept. */
void evidence_set_window(struct evidence *evidence, int64_t since, int64_t until);
/* Whether there is such a bound, and whether TIME is within it: an unknown one (0) is. */
bool evidence_bounded(const struct evidence *evidence);
bool evidence_in_window(const struct evidence *evidence, int64_t time);

/* ---- writing, for readers ---- */

/* Whether any selected check wants records of NAME whose key column holds KEY (NULL: any). Cheap: ask
 * before building a record. */
bool evidence_wants(const struct evidence *evidence, const char *name, const char *key);

/* Only sources that supply these names are still to be read: forgets what is wanted of them by checks
 * that cannot be asked any more, because something else that they must have is absent. So the many
 * routes of a large dump are not kept for a check that had no load balancer's question to follow. */
void evidence_narrow(struct evidence *evidence, const char *const *supplies);

/* Adds a column to a log table whose fields come from a pattern; known names are left as they are. */
void evidence_add_column(struct evidence *evidence, const char *name, const char *column);

/* A new record, its cells empty; owned by the evidence. NULL when NAME's table is full (then it
 * becomes partial and counts what it dropped) or nobody wants NAME. NAME must be in the dictionary, or
 * declared by evidence_declare. */
struct record *evidence_add(struct evidence *evidence, const char *name,
                            const struct source *source);
void evidence_set(struct evidence *evidence, struct record *record, const char *column,
                  const char *value); /* copied; NULL is ignored; an unknown column is a BUG */
void evidence_setf(struct evidence *evidence, struct record *record, const char *column,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* From here on a document is read that begins in LINE of its source: JSON pointers are told apart by it
 * ("line 12/tasks/0"). 0: sources are documents again. */
void evidence_within(struct evidence *evidence, uint64_t line);
const char *evidence_outer(const struct evidence *evidence); /* "line 12", or "" */

/* The record's place, as a JSON pointer or the name of a statistic; copied. */
void evidence_place(struct evidence *evidence, struct record *record, const char *pointer);

/* The record's excerpt: TEXT made valid UTF-8 and cut at EVIDENCE_EXCERPT_MAX. */
void evidence_excerpt(struct evidence *evidence, struct record *record, const char *text,
                      size_t len);

/* A document belongs to the evidence from here on; it is freed with it. */
void evidence_set_doc(struct evidence *evidence, struct record *record, cJSON *document);

/* Whether documents of NODES further values may be kept, of MAX in all; counts them if so. */
bool evidence_room(struct evidence *evidence, size_t nodes, size_t max);

/* Declares a name that only a check knows: its own log events ("event.NAME"), with the columns that
 * every log event has, and "file.NAME", with the column "text". Twice is once. */
void evidence_declare(struct evidence *evidence, const char *name);

/* SOURCE was read for NAME, to its end or not. Absent names with no call stay absent. */
void evidence_supplied(struct evidence *evidence, const char *name, bool complete);
/* How many records there were in all sources, when more were seen than kept; the last call counts. */
void evidence_counted(struct evidence *evidence, const char *name, uint64_t seen);

/* Puts events into time order (stable; records without time keep their place after their
 * predecessor). Called once, after the last reader. */
void evidence_finish(struct evidence *evidence);

/* ---- reading, for checks ---- */

/* The state of `log.*` and `access.*` is that of `log`, the state of `event.*` that of `text`: a log
 * was read and holds no such line, or no log was read. */
enum evidence_state evidence_state(const struct evidence *evidence, const char *name);
uint64_t evidence_count(const struct evidence *evidence, const char *name); /* seen in all */
/* Records of NAME after AFTER (NULL: the first), in order. NULL at the end. */
const struct record *evidence_next(const struct evidence *evidence, const char *name,
                                   const struct record *after);

/* The same of those whose FIELD (column, or path into a document) holds VALUE; NULL: of which it is not
 * known. Quick in large tables, too. */
const struct record *evidence_next_with(const struct evidence *evidence, const char *name,
                                        const char *field, const char *value,
                                        const struct record *after);

/* The first record of NAME whose key column (dictionary) holds KEY; NULL when there is none. */
struct record *evidence_find(const struct evidence *evidence, const char *name, const char *key);

/* A field as text: a column of a table record, a path into a document. NULL when not known. BUF is
 * used for numbers and booleans of documents. */
const char *record_text(const struct record *record, const char *field, char buf[32]);
/* Whether it can have such a field: a column of its table, or anything if it is a document. */
bool record_can_have(const struct record *record, const char *field);
bool record_number(const struct record *record, const char *field, double *out);
/* "line 118", "whole document", "/configs/2/dynamic_listeners/0", "listener_manager.lds.update_rejected". */
const char *record_locator(const struct record *record, char buf[32]);
/* Column names of a table, NULL-terminated. */
const char *const *record_columns(const struct record *record);
const char *record_name(const struct record *record); /* evidence name: "log.xds_closed" */

#endif
