/* Source: the choke point for secrets. Reads text in portions, writes it with each secret
 * replaced by a mark. Deliberately keeps no copy of a secret, changes no line end, and never
 * reaches beyond a quote, so that JSON stays JSON and line numbers stay true. */
#include "source/redact.h"

#include "base/alloc.h"
#include "base/str.h"
#include "source/identity_stage.h"
#include "source/redact_key.h"
#include "source/redact_policy.h"
#include "source/redact_rules.h"
#include "source/redact_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 1 << 18,
    CONTEXT =
        1 << 15, /* bytes before the next one that may be looked back at: a record, and more */
    INNER_MAX = 64,
    SMALL = 1 << 15, /* texts that are not worth a coarse look first */
    TEXT_MAX = 1 << 26,
};

struct redact_stream {
    const struct redact_policy *policy; /* NULL: everything passes as it is */
    redact_sink_fn *sink;               /* of this stage */
    void *user;
    struct redact_matching *matching; /* the stages behind this one; NULL: none */
    struct identity_stage *identities;
    char *text; /* the window: context, then what is not written yet from `at` on */
    size_t at, len, cap;
    size_t limit;      /* announcements that begin before it are judged in this window */
    const char *stops; /* a secret reached the end of the last window: drop up to one of these */
    struct redact_key key;
    struct redact_counts counts;
    bool failed; /* the sink takes no more */
};

void redact_count_secrets(struct redact_counts *counts, uint64_t n)
{
    counts->total += n;
    counts->by_kind[REDACT_SECRET] += n;
}

static bool to_identities(void *user, const char *bytes, size_t len)
{
    return identity_stage_feed(user, bytes, len);
}

static bool to_matching(void *user, const char *bytes, size_t len)
{
    return redact_matching_feed(user, bytes, len);
}

struct redact_stream *redact_stream_new(const struct redact_policy *policy, redact_sink_fn *sink,
                                        void *user)
{
    struct redact_stream *stream = xcalloc(1, sizeof *stream);
    stream->policy = policy;
    stream->sink = sink;
    stream->user = user;
    if (policy && policy->names) {
        const struct identity_scan scan = {.names = policy->names,
                                           .counts = &stream->counts,
                                           .kinds = REDACT_ACCOUNT,
                                           .keep_addresses = policy->again};
        stream->identities = identity_stage_new(&scan, sink, user);
        stream->sink = to_identities;
        stream->user = stream->identities;
    }
    if (policy && policy->patterns) {
        stream->matching = redact_matching_new(policy->patterns, &stream->counts, stream->sink,
                                               stream->user);
        stream->sink = to_matching;
        stream->user = stream->matching;
    }
    return stream;
}

void redact_stream_free(struct redact_stream *stream)
{
    if (!stream)
        return;
    redact_matching_free(stream->matching);
    identity_stage_free(stream->identities);
    free(stream->text);
    free(stream);
}

static void put(struct redact_stream *stream, const char *bytes, size_t len)
{
    if (len && !stream->failed)
        stream->failed = !stream->sink(stream->user, bytes, len);
}

static void put_until(struct redact_stream *stream, size_t end)
{
    if (end <= stream->at)
        return;
    put(stream, stream->text + stream->at, end - stream->at);
    stream->at = end;
}

static void put_mark(struct redact_stream *stream, enum redact_kind kind)
{
    char mark[40];
    int len = snprintf(mark, sizeof mark, "[redacted:%s]", redact_kind(stream->policy, kind));
    put(stream, mark, (size_t)len);
    stream->counts.total++;
    stream->counts.by_kind[kind]++;
}

/* Up to one of the stops, over the ends of records. */
static void drop_rest_of_secret(struct redact_stream *stream)
{
    size_t next;
    while (stream->stops && stream->at < stream->len) {
        char c = stream->text[stream->at];
        if (!c || !strchr(stream->stops, c))
            stream->at++;
        else if (redact_split_goes_on(stream->text, stream->len, stream->at, &next))
            put_until(stream, next);
        else
            stream->stops = NULL;
    }
}

/* What is in quotes goes on up to the closing one. */
static const char *stops_of(const struct redact_stream *stream, const struct redact_hit *hit)
{
    char before = hit->start ? stream->text[hit->start - 1] : '\0';
    return before == '"' ? "\"\\\r\n" : before == '\'' ? "'\r\n" : hit->stops;
}

/* Walks on within a private key; false when it goes on behind the window. */
static bool walk_key(struct redact_stream *stream, bool last)
{
    while (stream->key.inside && stream->at < stream->len) {
        size_t keep;
        bool mark;
        size_t step = redact_key_step(&stream->key, stream->text + stream->at,
                                      stream->len - stream->at, last, &keep, &mark);
        if (step == 0 && stream->key.inside)
            return false;
        if (mark)
            put_mark(stream, REDACT_PRIVATE_KEY);
        put(stream, stream->text + stream->at, keep);
        stream->at += step;
    }
    return !stream->key.inside;
}

static void replace(struct redact_stream *stream, const struct redact_hit *hit, bool last)
{
    size_t next;
    if (hit->end < stream->at) /* it has gone with a secret that went on in another record */
        return;
    put_until(stream, hit->start);
    if (hit->key_begins) {
        redact_key_begin(&stream->key);
        walk_key(stream, last);
        return;
    }
    put_mark(stream, hit->kind);
    stream->at = hit->end;
    if (hit->end == stream->len && !last)
        stream->stops = stops_of(stream, hit);
    if (!redact_split_goes_on(stream->text, stream->len, hit->end, &next))
        return;
    stream->stops = stops_of(stream, hit);
    drop_rest_of_secret(stream);
    if (last)
        stream->stops = NULL;
}

/* Two secrets that overlap become one. */
static void merge(struct redact_hit *hit, const struct redact_hit *inner)
{
    if (hit->kind == REDACT_URL_PASSWORD && inner->start >= hit->start)
        return; /* which ends in front of its host */
    if (inner->start < hit->start || hit->kind == REDACT_RANDOM || inner->kind == REDACT_AWS_KEY)
        hit->kind = inner->kind; /* whose key it is says more than that there is one */
    if (inner->start < hit->start)
        hit->start = inner->start;
    if (inner->end > hit->end) {
        hit->end = inner->end;
        hit->stops = inner->stops;
    }
}

/* Replaces HIT; true when its end announces the *next one, which must not be looked for again. */
static bool settle_one(struct redact_stream *stream, struct redact_hit *hit,
                       struct redact_hit *next, bool last)
{
    size_t from = hit->match + 1;
    int tries = hit->key_begins ? INNER_MAX : 0;
    while (tries++ < INNER_MAX &&
           redact_rules_next(stream->text, stream->len, from, hit->end, next)) {
        from = next->match + 1;
        if (next->key_begins) {
            *hit = *next;
            break;
        }
        if (next->start >= hit->end) {
            replace(stream, hit, last);
            return true;
        }
        if (next->end > hit->start) {
            merge(hit, next);
        } else {
            replace(stream, next, last);
            from = next->end;
        }
    }
    replace(stream, hit, last);
    return false;
}

/* Announcements may hold or overlap each other ("token: password: x", a key behind "secret="): no
 * secret may pass because another one came first. */
static void settle(struct redact_stream *stream, struct redact_hit *hit, bool last)
{
    struct redact_hit next;
    while (settle_one(stream, hit, &next, last))
        *hit = next;
}

struct pass {
    struct redact_stream *stream;
    bool last;
};

static void in_stretch(void *user, size_t from, size_t to)
{
    struct pass *pass = user;
    struct redact_stream *stream = pass->stream;
    struct redact_hit hit;
    if (to > stream->limit)
        to = stream->limit;
    for (;;) {
        if (from < stream->at)
            from = stream->at;
        if (stream->key.inside || from >= to ||
            !redact_rules_next(stream->text, stream->len, from, to, &hit))
            return;
        settle(stream, &hit, pass->last);
    }
}

/* Judges the window up to `limit` and writes what was judged. */
static void judge(struct redact_stream *stream, bool last)
{
    struct pass pass = {stream, last};
    stream->limit = last ? stream->len : stream->len - REDACT_OVERLAP;
    drop_rest_of_secret(stream);
    if (stream->key.inside && !walk_key(stream, last))
        return;
    if (stream->len < SMALL)
        in_stretch(&pass, 0, stream->limit);
    else
        redact_rules_scan(stream->text, stream->len, in_stretch, &pass);
    if (!stream->key.inside)
        put_until(stream, stream->limit);
}

static void slide(struct redact_stream *stream)
{
    size_t drop = stream->at > CONTEXT ? stream->at - CONTEXT : 0;
    stream->len -= drop;
    stream->at -= drop;
    memmove(stream->text, stream->text + drop, stream->len);
}

static void reserve(struct redact_stream *stream, size_t want)
{
    size_t need = stream->len + want < WINDOW ? stream->len + want : WINDOW;
    if (need <= stream->cap)
        return;
    size_t twice = stream->cap * 2 < WINDOW ? stream->cap * 2 : WINDOW;
    stream->cap = need > twice ? need : twice;
    stream->text = xrealloc(stream->text, stream->cap);
}

bool redact_stream_feed(struct redact_stream *stream, const char *bytes, size_t len)
{
    if (!stream->policy) {
        put(stream, bytes, len);
        return !stream->failed;
    }
    while (len) {
        reserve(stream, len);
        size_t room = stream->cap - stream->len, n = len < room ? len : room;
        memcpy(stream->text + stream->len, bytes, n);
        stream->len += n;
        bytes += n;
        len -= n;
        if (stream->len == WINDOW) {
            judge(stream, false);
            slide(stream);
        }
    }
    return !stream->failed;
}

bool redact_stream_end(struct redact_stream *stream, struct redact_counts *counts)
{
    judge(stream, true);
    if (stream->matching && !redact_matching_end(stream->matching))
        stream->failed = true;
    if (stream->identities && !identity_stage_end(stream->identities))
        stream->failed = true;
    if (counts)
        *counts = stream->counts;
    return !stream->failed;
}

static bool to_buffer(void *user, const char *bytes, size_t len)
{
    buf_add(user, bytes, len);
    return true;
}

void redact_text(struct buf *out, const char *text, size_t len, const struct redact_policy *policy,
                 struct redact_counts *counts)
{
    struct redact_stream *stream = redact_stream_new(policy, to_buffer, out);
    redact_stream_feed(stream, text, len);
    redact_stream_end(stream, counts);
    redact_stream_free(stream);
}

char *redact_leaving(const char *text, size_t len, size_t cap, const struct redact_policy *policy,
                     bool *cut)
{
    struct buf redacted;
    buf_init(&redacted, TEXT_MAX);
    redact_text(&redacted, text, len, policy, NULL);
    size_t room = redacted.len * 3 + 1 < cap ? redacted.len * 3 + 1 : cap;
    char *out = xmalloc(room);
    size_t kept = str_to_utf8(out, room, buf_str(&redacted), redacted.len);
    if (cut)
        *cut = redacted.overflow || (kept + 4 >= room && redacted.len > kept);
    buf_release(&redacted);
    return out;
}
