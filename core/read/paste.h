/* A pasted text, in regions: what several tools have printed stands in one source, and each of it has a
 * reader of its own. What is left when the regions are taken out is a text like any other. */
#ifndef DEBRIEF_READ_PASTE_H
#define DEBRIEF_READ_PASTE_H

#include "read/paste_text.h"
#include "read/read.h"

enum { PASTE_UNREAD_MAX = 5 };

struct region {
    size_t first, end; /* lines, from 0; END is the first one behind it */
    char *text;        /* what its reader gets; as many lines as it has */
    size_t len;
    bool cut;    /* it stops before its own end */
    bool gaps;   /* somebody left something out of it, and said so ("...") */
    bool plain;  /* a text that readers know, no document */
    bool merged; /* its last line goes on with other text, which stays */
    struct peek peek;
    const struct reader *reader;
};

struct paste {
    struct paste_text text;
    struct arena *arena;
    const char *name;
    struct region *regions;
    size_t len, cap;
    size_t failed;      /* attempts that led to nothing */
    uint64_t looked_at; /* bytes that failed attempts have cost */
    const char *head;   /* as it came; NULL once the stream has the rest */
    size_t head_len;
    bool whole; /* the source is no longer than the head */
    bool rest;  /* something is left beside the regions and what was typed */
    struct paste_unread {
        size_t first, end;
        const char *what;
    } unread[PASTE_UNREAD_MAX]; /* structured text that nobody knows */
    size_t unread_len;
};

/* Finds the regions of what stands in READING's stream, none when it is one document or a log, and leaves
 * the stream with the rest: the same lines, empty where regions are. NULL when it is no text. */
struct paste *paste_open(struct reading *reading, const struct peek *peek);
void paste_free(struct paste *paste);

/* A stream in which REGION stands alone, at the line where it stands in the paste. */
struct stream *paste_stream(const struct region *region);

/* Names structured text that nobody could read. */
void paste_say_unread(const struct paste *paste, struct reading *reading);

/* ---- inside of it: one function per kind of region ---- */

/* What begins in LINE. True: OUT is filled but for peek and reader. False: it is nothing of that kind. */
typedef bool paste_find_fn(struct paste *paste, size_t line, struct region *out);
bool paste_find_json(struct paste *paste, size_t line, struct region *out);
bool paste_find_yaml(struct paste *paste, size_t line, struct region *out);
bool paste_find_table(struct paste *paste, size_t line, struct region *out);
bool paste_find_aws_text(struct paste *paste, size_t line, struct region *out);
bool paste_find_events(struct paste *paste, size_t line, struct region *out);

/* The line without what carriers put in front, and without blanks in front. */
const char *paste_content(const struct paste_line *line, size_t *len);
/* A line that only says that something was left out, or what a pager shows. */
bool paste_is_gap(const char *at, size_t len);
bool paste_is_pager(const char *at, size_t len);
/* A line of a log that is nothing else. */
bool paste_is_log(const char *at, size_t len);

#endif
