/* Inner header of the writer "html": one page, put together by several files. All that is not markup of
 * our own goes through html_addf and is escaped there: no function here takes markup as a value. */
#ifndef DEBRIEF_REPORT_HTML_H
#define DEBRIEF_REPORT_HTML_H

#include "base/buf.h"
#include "report/intern.h"
#include "report/relations.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define HTML_TARGETS_MAX 50 /* more of them are a fleet: data that the page's script draws */

/* A finding of the target that is being written, with its place in the page. */
struct html_finding {
    const cJSON *json;
    char id[80]; /* of its element: "finding-FINGERPRINT" */
    bool written;
};

struct html {
    struct buf *out;
    struct buf scratch; /* of html_addf */
    const cJSON *report, *target;
    struct intern ids;             /* given to elements so far */
    struct html_finding *findings; /* in the order of the document, as in `relations` */
    size_t findings_len;
    struct relations relations;
    int number; /* of the target, from 1 */
    int level;  /* of the headings in the part that is written */
};

/* ---- html_put.c: the only way into the page ---- */

/* FORMAT is markup with %s (text, escaped for elements and quoted attributes alike; NULL: nothing), %d (int) and
 * nothing else. */
void html_addf(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes TEXT fit to be shown: valid UTF-8, nothing that steers the direction of writing. Borrowed until
 * the next call. */
const struct buf *html_clean(struct html *html, const char *text);

/* TEXT as a string of JSON that may stand in a script element. */
void html_add_json_str(struct html *html, const char *text);

/* A time for people: "2026-11-21 07:50:12"; on the day of SAME_DAY the clock alone (NULL: never). */
void html_add_time(struct html *html, const char *time, const char *same_day);

/* "error", "warning", "note", "ok", "unknown": its shape and, when WORD, its word. */
void html_add_mark(struct html *html, const char *kind, const char *word);

/* A web address as a link, anything else as text. */
void html_add_link(struct html *html, const char *url);

/* A block of text to copy; LABEL is what is copied ("command"). */
void html_add_code(struct html *html, const char *label, const char *text);

void html_add_heading(struct html *html, int level, const char *id, const char *text);

/* ---- html_finding.c ---- */

/* Sets the target that is written from here on, and gives its findings their places. */
void html_target_begin(struct html *html, const cJSON *target, int number);
void html_target_end(struct html *html);

/* "error", "warning", "note": by what its mark is chosen; a waived one is "waived". */
const char *html_finding_kind(const cJSON *finding);

/* The first finding with this id; NULL. */
const struct html_finding *html_finding_of(const struct html *html, const char *id);

/* All findings of the target: causes with what follows from them, then what is left. */
void html_findings(struct html *html);

/* The steps of a finding's repair, as a list; and one of them. */
void html_add_fix(struct html *html, const cJSON *finding);
void html_add_step(struct html *html, const cJSON *step);

/* ---- a part of the page each ---- */

void html_proofs(struct html *html, const cJSON *finding); /* html_proof.c */
void html_chain(struct html *html);                        /* html_chain.c: causes, consequences */
void html_timeline(struct html *html);                     /* html_timeline.c */
void html_walks(struct html *html);                        /* html_walks.c */
void html_asks(struct html *html);                         /* html_asks.c */
void html_add_decisive(struct html *html); /* of the asks those that decide which cause it is */
void html_unexplained(struct html *html);  /* html_coverage.c, and the next three */
void html_coverage(struct html *html);
void html_sources(struct html *html);
void html_redactions(struct html *html);
void html_answer(
    struct html *html); /* html_answer.c: what is wrong, since when, what to do first */
void html_policy(struct html *html); /* html_policy.c: what the findings were judged by */
void html_facts(struct html *html);  /* html_answer.c: what proxy it is */

/* The first step of CAUSE's repair. */
void html_add_first_step(struct html *html, const cJSON *cause);

/* ---- many targets: html_groups.c, html_data.c ---- */

void html_sum(struct html *html);    /* the answer over all targets */
void html_groups(struct html *html); /* what is wrong, by finding, with some of its targets */

/* The targets as one JSON value for the page's script. What makes it too large is left out, the
 * least telling first; returns what that was, in words, or NULL. */
const char *html_data(struct html *html);

#endif
