/* Stage: read. The table of readers and the driver: opens each source in turn, lets content decide what
 * it is, and hands it to its reader if somebody wants what that reader supplies. Writes kinds, numbers
 * of records and problems of sources. Hashing runs beside it, in a thread that is joined at the end. */
#include "read/read.h"
#include "base/str.h"
#include "read/focus.h"
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
                                             &read_inspect,
                                             &read_env,
                                             &read_host,
                                             &read_probe,
                                             &read_log,
                                             NULL};

#define SECOND_SAMPLE "sample-2/"

enum {
    SURE = 60
}; /* a score that is enough to take JSON out of what a terminal showed around it */

static const struct reader *recognise(const struct peek *peek, int *best_score)
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

static bool drop(struct stream *stream, size_t len)
{
    char bytes[4096];
    size_t got = 1;
    for (; len && got; len -= got)
        if (!stream_read(stream, bytes, len < sizeof bytes ? len : sizeof bytes, &got, NULL))
            return false;
    return !len;
}

/* One reader over one source, from its beginning (behind SKIP bytes). */
static void run(struct reading *reading, void (*read)(struct reading *), size_t skip)
{
    uint64_t before = evidence_total(reading->evidence);
    if (drop(reading->stream, skip))
        read(reading);
    if (!reading->source->records)
        reading->source->records = evidence_total(reading->evidence) - before;
}

static void run_again(struct reading *reading, void (*read)(struct reading *), size_t skip)
{
    struct err err = ERR_INIT;
    stream_close(reading->stream);
    reading->stream = stream_open(reading->source->path, &err);
    if (!reading->stream)
        return reading_problem(reading, "%s", err.text);
    run(reading, read, skip);
}

struct found {
    const struct reader *reader; /* NULL: not recognised */
    struct peek peek;
    size_t skip; /* bytes before what the reader reads */
};

static void look(struct found *found, struct reading *reading, struct arena *arena)
{
    size_t len;
    bool whole;
    int score;
    const char *name = reading->source->name;
    const char *text = stream_peek(reading->stream, &len, &whole);
    peek_init(&found->peek, arena, name, text, len, whole);
    found->reader = recognise(&found->peek, &score);
    found->skip = 0;
    bool plain = found->peek.shape == PEEK_TEXT || found->peek.shape == PEEK_YAML;
    size_t offset = plain ? peek_json_offset(text, len) : 0;
    if (!offset)
        return;
    struct peek inner;
    peek_init(&inner, arena, name, text + offset, len - offset, whole);
    const struct reader *reader = recognise(&inner, &score);
    if (reader && score >= SURE && reader != &read_log)
        *found = (struct found){reader, inner, offset};
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

static void read_opened(struct reading *reading, enum pass pass, struct arena *arena)
{
    struct source *source = reading->source;
    struct found found;
    look(&found, reading, arena);
    if (is_dump(found.reader) != (pass == PASS_DUMPS))
        return;
    if (source->shared && !focus_reads(found.reader))
        return; /* the rest of the cluster is judged as a target of its own */
    reading->peek = &found.peek;
    if (found.peek.shape == PEEK_EMPTY)
        return reading_problem(reading, "is empty");
    bool as_file = file_wanted(reading->evidence, source);
    source->unrecognised = !found.reader && !as_file;
    if (source->unrecognised)
        say_if_broken(reading, &found.peek);
    if (found.reader || as_file)
        source->kind = found.reader ? found.reader->kind : "file";
    bool text = found.reader == &read_host && worth_reading(reading->evidence, source, &read_log);
    bool read_it = found.reader && (text || worth_reading(reading->evidence, source, found.reader));
    if (read_it)
        run(reading, found.reader->read, found.skip);
    /* A session that somebody pasted holds log lines as well as what tools printed. */
    if (text && reading->prose) {
        run_again(reading, read_log.read, found.skip);
        source->kind = found.reader->kind;
    }
    if (as_file && read_it)
        run_again(reading, file_read, found.skip);
    else if (as_file)
        run(reading, file_read, found.skip);
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
    if (!source->path || source->missing || (pass == PASS_DUMPS && source->kind[0]))
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
