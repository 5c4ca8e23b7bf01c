/* Stage: read. The table of readers and the driver: opens each source in turn, lets content decide what
 * it is, and hands it to its reader if somebody wants what that reader supplies. Writes kinds, numbers
 * of records and problems of sources. Hashing runs beside it, in a thread that is joined at the end. */
#include "read/read.h"
#include "base/str.h"
#include "read/focus.h"
#include "read/paste.h"
#include "read/peek.h"
#include "read/readers.h"
#include "source/hash.h"
#include <string.h>

const struct reader *const read_readers[] = {&read_server_info,
                                             &read_ready,
                                             &read_stats,
                                             &read_clusters,
                                             &read_listeners,
                                             &read_certs,
                                             &read_ztunnel,
                                             &read_config_dump,
                                             &read_init_dump,
                                             &read_memory,
                                             &read_runtime,
                                             &read_bootstrap,
                                             &read_kubernetes_events,
                                             &read_kubernetes,
                                             &read_ecs_tasks,
                                             &read_ecs_task_definition,
                                             &read_target_health,
                                             &read_target_groups,
                                             &read_aws,
                                             &read_cloudformation,
                                             &read_compose_file,
                                             &read_mesh_sync,
                                             &read_ecs_agent,
                                             &read_inspect,
                                             &read_env,
                                             &read_host,
                                             &read_probe,
                                             &read_log,
                                             NULL};

#define SECOND_SAMPLE "sample-2/"

const struct reader *read_recognise(const struct peek *peek, int *best_score)
{
    const struct reader *best = NULL;
    *best_score = 0;
    for (const struct reader *const *at = read_readers; *at; at++) {
        int score = (*at)->recognise(peek);
        if (score > *best_score) {
            best = *at;
            *best_score = score;
        }
    }
    return best;
}

static bool term_wants(const struct need_term *term, const struct reader *reader)
{
    for (const char *const *name = reader->supplies; *name; name++)
        if (str_glob(*name, term->name))
            return true;
    return false;
}

static bool supplies_identity(const struct reader *reader)
{
    for (const char *const *name = reader->supplies; *name; name++)
        if (strcmp(*name, "proxy") == 0)
            return true;
    return false;
}

static bool wanted(const struct evidence *evidence, const struct reader *reader)
{
    const struct need_set *needs = evidence_needs(evidence);
    if (!needs || supplies_identity(reader))
        return true;
    for (size_t i = 0; i < needs->len; i++)
        if (term_wants(&needs->terms[i], reader))
            return true;
    return false;
}

/* A second sample repeats what the first one told, except for what moves. */
static bool worth_reading(const struct evidence *evidence, const struct source *source,
                          const struct reader *reader)
{
    if (!wanted(evidence, reader))
        return false;
    return !str_starts(source->name, SECOND_SAMPLE) || reader == &read_stats ||
           reader == &read_ready || reader == &read_server_info;
}

/* One reader over one source, from its beginning. */
static void run(struct reading *reading, void (*read)(struct reading *))
{
    uint64_t before = evidence_total(reading->evidence);
    read(reading);
    if (!reading->source->records)
        reading->source->records = evidence_total(reading->evidence) - before;
}

/* Which sources a pass over all of them reads: dumps come last, because they are large and because it
 * is known then what of them can be of use. */
enum pass { PASS_REST, PASS_DUMPS };

static bool is_dump(const struct reader *reader)
{
    return reader == &read_config_dump;
}

/* What begins like JSON and is not recognised may have been cut, or broken, before it said what it is. */
static void say_if_broken(struct reading *reading, const struct peek *peek)
{
    struct err err = ERR_INIT;
    bool json = peek->shape == PEEK_JSON_OBJECT || peek->shape == PEEK_JSON_ARRAY;
    if (!json || !peek->whole)
        return;
    cJSON *tree = json_parse(peek->text, peek->len, &err);
    if (!tree)
        reading_partial(reading, "begins like JSON but is cut short or broken: %s", err.text);
    cJSON_Delete(tree);
}

/* ---- pastes ---- */

static void read_region(struct reading *outer, const struct region *region)
{
    struct reading inner = {.peek = &region->peek,
                            .source = outer->source,
                            .sources = outer->sources,
                            .evidence = outer->evidence,
                            .scan = outer->scan,
                            .stream = paste_stream(region),
                            .complete = outer->source->complete && !region->cut && !region->gaps,
                            .lenient = region->cut};
    if (region->gaps)
        reading_problem(outer, "lines %zu to %zu: somebody left parts out ('...')",
                        region->first + 1, region->end);
    evidence_within(outer->evidence, region->first + 1);
    region->reader->read(&inner);
    evidence_within(outer->evidence, 0);
    stream_close(inner.stream);
}

static void read_regions(struct reading *reading, const struct paste *paste, enum pass pass)
{
    for (size_t i = 0; i < paste->len; i++) {
        const struct region *region = &paste->regions[i];
        if (reading->source->shared && !focus_reads(region->reader))
            continue;
        reading->source->dumps_wait |= is_dump(region->reader);
        if (is_dump(region->reader) == (pass == PASS_DUMPS) &&
            worth_reading(reading->evidence, reading->source, region->reader))
            read_region(reading, region);
    }
    if (pass == PASS_REST)
        paste_say_unread(paste, reading);
}

/* ---- one source ---- */

/* The first bytes of the stream as it is now. */
static void look(struct reading *reading, struct peek *peek, struct arena *arena)
{
    size_t len;
    bool whole;
    const char *text = stream_peek(reading->stream, &len, &whole);
    peek_init(peek, arena, reading->source->name, text, len, whole);
}

/* The paste again, after a reader has been through it. */
static struct paste *open_again(struct reading *reading, const struct peek *peek)
{
    struct err err = ERR_INIT;
    stream_close(reading->stream);
    reading->stream = stream_open(reading->source->path, &err);
    if (!reading->stream)
        reading_problem(reading, "%s", err.text);
    return reading->stream ? paste_open(reading, peek) : NULL;
}

/* What no region is: a document or a log, or what is left of a paste. FIRST: the source as it came. */
static void read_rest(struct reading *reading, const struct peek *first, const struct peek *peek,
                      const struct reader *reader)
{
    reading->peek = peek;
    bool text = reader == &read_host &&
                worth_reading(reading->evidence, reading->source, &read_log);
    if (text || worth_reading(reading->evidence, reading->source, reader))
        run(reading, reader->read);
    /* A session that somebody pasted holds log lines as well as what tools printed. */
    if (!text || !reading->prose)
        return;
    struct paste *paste = open_again(reading, first);
    if (reading->stream)
        run(reading, read_log.read);
    paste_free(paste);
    reading->source->kind = reader->kind;
}

/* A document that no reader knows may still say what a check knows the words of: an answer of the Docker
 * engine, of kube-proxy. Only what is short is looked through, and it is evidence only if it does. */
static void read_unknown(struct reading *reading, const struct peek *peek)
{
    bool json = peek->shape == PEEK_JSON_OBJECT || peek->shape == PEEK_JSON_ARRAY;
    if (!json || !peek->whole || !worth_reading(reading->evidence, reading->source, &read_log))
        return;
    reading->doubtful = true;
    run(reading, read_log.read);
    reading->doubtful = false;
    reading->source->unrecognised = !reading->source->kind[0];
}

static void read_as_file(struct reading *reading, const struct peek *first)
{
    struct err err = ERR_INIT;
    stream_close(reading->stream);
    reading->stream = stream_open(reading->source->path, &err);
    if (!reading->stream)
        return reading_problem(reading, "%s", err.text);
    reading->peek = first;
    run(reading, file_read);
}

static void read_text(struct reading *reading, const struct paste *paste, const struct peek *first,
                      enum pass pass, struct arena *arena)
{
    struct source *source = reading->source;
    struct peek peek;
    int score;
    look(reading, &peek, arena);
    const struct reader *reader = peek.shape == PEEK_EMPTY || (paste && paste->len && !paste->rest)
                                      ? NULL
                                      : read_recognise(&peek, &score);
    if (source->shared && !focus_reads(reader))
        return; /* the rest of the cluster is judged as a target of its own */
    if (is_dump(reader))
        source->dumps_wait = true;
    reading->peek = &peek;
    bool as_file = pass == PASS_REST && file_wanted(reading->evidence, source);
    bool regions = paste && paste->len;
    if (pass == PASS_REST)
        source->unrecognised = !reader && !regions && !as_file;
    if (source->unrecognised) {
        say_if_broken(reading, &peek);
        read_unknown(reading, &peek);
    }
    if (pass == PASS_REST && regions)
        source->kind = paste->len == 1 && !reader ? paste->regions[0].reader->kind
                                                  : READ_PASTE_KIND;
    else if (pass == PASS_REST && (reader || as_file))
        source->kind = reader ? reader->kind : "file";
    const char *kind = source->kind;
    if (reader && is_dump(reader) == (pass == PASS_DUMPS))
        read_rest(reading, first, &peek, reader);
    if (regions)
        source->kind = kind;
    if (as_file)
        read_as_file(reading, first);
}

static void read_opened(struct reading *reading, enum pass pass, struct arena *arena)
{
    struct peek first;
    look(reading, &first, arena);
    reading->peek = &first;
    if (first.shape == PEEK_EMPTY)
        return reading_problem(reading, "is empty");
    uint64_t before = evidence_total(reading->evidence);
    struct paste *paste = paste_open(reading, &first);
    if (paste)
        read_regions(reading, paste, pass);
    uint64_t read = evidence_total(reading->evidence) - before;
    read_text(reading, paste, &first, pass, arena);
    reading->source->records += read;
    paste_free(paste);
}

static void read_source(struct evidence *evidence, struct source *source, struct scan *scan,
                        enum pass pass)
{
    struct reading reading = {.source = source,
                              .sources = evidence_sources(evidence),
                              .evidence = evidence,
                              .scan = scan,
                              .complete = source->complete};
    struct err err = ERR_INIT;
    if (!source->path || source->missing || (pass == PASS_DUMPS && !source->dumps_wait))
        return;
    reading.stream = stream_open(source->path, &err);
    if (!reading.stream && pass == PASS_REST)
        reading_problem(&reading, "%s", err.text);
    if (!reading.stream)
        return;
    struct arena *arena = arena_new();
    read_opened(&reading, pass, arena);
    arena_free(arena);
    stream_close(reading.stream);
}

void read_all(struct evidence *evidence, struct scan *scan)
{
    struct sources *sources = evidence_sources(evidence);
    struct hash_thread *hashing = hash_start(sources);
    for (size_t i = 0; i < sources->len; i++)
        read_source(evidence, &sources->items[i], scan, PASS_REST);
    evidence_narrow(evidence, read_config_dump.supplies);
    for (size_t i = 0; i < sources->len; i++)
        read_source(evidence, &sources->items[i], scan, PASS_DUMPS);
    hash_join(hashing);
}
