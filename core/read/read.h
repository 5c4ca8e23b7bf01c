/* Reading: sources become evidence. Content decides what a source is; names and endings lie. A reader
 * never fails a run: what it could not read is a problem of that source. */
#ifndef DEBRIEF_READ_READ_H
#define DEBRIEF_READ_READ_H

#include "base/buf.h"
#include "base/json.h"
#include "evidence/evidence.h"
#include "source/stream.h"
#include <stdbool.h>

enum peek_shape {
    PEEK_EMPTY,
    PEEK_JSON_OBJECT,
    PEEK_JSON_ARRAY,
    PEEK_YAML,
    PEEK_TEXT,
    PEEK_BINARY
};

struct peek {         /* what recognition may look at: the first 64 kB, decoded */
    const char *name; /* path name of the source; a weak hint, never proof */
    const char *text;
    size_t len;
    bool whole; /* that is all there is */
    enum peek_shape shape;
    /* Member names of the top-level object (JSON, or block mappings of the first YAML document), or
     * of the first element of a top-level array; as far as they stand in `text`. NULL-terminated. */
    const char *keys[48];
};

bool peek_has_key(const struct peek *peek, const char *key);
bool peek_has(const struct peek *peek, const char *needle); /* plain text search */

struct scan; /* read/scan.h */

struct reading { /* one source being read */
    const struct peek *peek;
    struct source *source;
    struct sources *sources;
    struct evidence *evidence;
    struct scan *scan; /* where texts found inside structured sources go; NULL: nobody listens */
    struct stream *stream;
    bool complete; /* true until a reader learns otherwise */
    bool full;     /* there were more objects than are kept, and that was said */
    bool doubtful; /* no reader knows the source: it is a text only where a pattern matches in it */
    bool prose;    /* set by a reader: the log reader should see it as well */
    void *user;    /* the reader's own, for its callbacks */
    /* In pointers, names behind this many bytes begin with a capital where they stand in the source
     * (CloudFormation, read in the API's spelling); 0: as they are. */
    size_t capitals_from;
    /* Manifests are read as far as they go: placeholders of templates are texts, and a document that
     * was cut ends where it was cut (then the evidence is partial). */
    bool lenient;
    bool relaxed; /* comments in its JSON were looked for */
};

struct reader {
    const char *kind;            /* as reports show it: "server_info", "ecs.tasks" */
    const char *const *supplies; /* evidence names, NULL-terminated; "log.*" for all of them */
    int (*recognise)(
        const struct peek *peek); /* 0 not mine .. 100 certain; highest wins, then order */
    void (*read)(struct reading *reading);
};

/* The table of readers, NULL-terminated. */
extern const struct reader *const read_readers[];

/* The reader that takes what PEEK shows, and how sure it is; NULL. */
const struct reader *read_recognise(const struct peek *peek, int *score);
enum {
    READ_SURE = 60 /* enough to take something out of what stands around it */
};

/* Reads every source of EVIDENCE, one after the other. */
void read_all(struct evidence *evidence, struct scan *scan);

/* ---- helpers for readers ---- */
void reading_problem(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Problem, and the evidence of this source is partial. */
void reading_partial(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a record placed at POINTER (copied); NULL when nobody wants it. */
struct record *reading_add(struct reading *reading, const char *name, const char *pointer);

/* Each document of a JSON source (one) or YAML source (many) as a tree, at most MAX bytes each, larger
 * ones are a problem. PREFIX is "" or "/0", "/1" ... when there are several documents. */
typedef void reading_document_fn(struct reading *reading, const cJSON *document, const char *prefix,
                                 uint64_t line);
void reading_documents(struct reading *reading, size_t max, reading_document_fn *each);

/* Splits a JSON or YAML source of any size by RULES (base/json.h). */
void reading_split(struct reading *reading, const char *const *rules, json_piece_fn *piece,
                   void *user);

/* Line by line, without line ends; lines above 64 kB are cut and marked as a problem. */
typedef void reading_line_fn(struct reading *reading, const char *line, size_t len,
                             uint64_t number);
void reading_lines(struct reading *reading, reading_line_fn *each);

#endif
