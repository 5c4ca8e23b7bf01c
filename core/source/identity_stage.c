/* Source: identities in streams. Reads text in portions, hands lines to the scanner, writes what comes
 * back. Deliberately cuts endless lines between two members, never within a word: one name must not
 * become two. */
#include "source/identity_stage.h"

#include "base/alloc.h"
#include "source/stream.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEN = 1 << 16, TAIL = 1 << 12, PORTION = 1 << 16 };

struct identity_stage {
    struct identity_scan scan;
    redact_sink_fn *sink;
    void *user;
    struct buf out;
    size_t len;
    bool failed;
    char text[LINE_MAX_LEN];
};

struct identity_stage *identity_stage_new(const struct identity_scan *scan, redact_sink_fn *sink,
                                          void *user)
{
    struct identity_stage *stage = xcalloc(1, sizeof *stage);
    stage->scan = *scan;
    stage->sink = sink;
    stage->user = user;
    buf_init(&stage->out, 8 * LINE_MAX_LEN);
    stage->scan.out = sink ? &stage->out : NULL;
    return stage;
}

void identity_stage_free(struct identity_stage *stage)
{
    if (!stage)
        return;
    buf_release(&stage->out);
    free(stage);
}

static void judge(struct identity_stage *stage, size_t len)
{
    identity_scan(&stage->scan, stage->text, len);
    if (stage->sink && stage->out.len && !stage->failed)
        stage->failed = !stage->sink(stage->user, stage->out.data, stage->out.len);
    buf_clear(&stage->out);
    stage->len -= len;
    memmove(stage->text, stage->text + len, stage->len);
}

/* The last place to cut a line that is too long. */
static size_t cut_of(const struct identity_stage *stage)
{
    static const char *const marks[] = {",\n", " ;\t{}[]()<>|"};
    for (int i = 0; i < 2; i++)
        for (size_t at = stage->len; at > stage->len - TAIL; at--)
            if (stage->text[at - 1] && strchr(marks[i], stage->text[at - 1]))
                return at;
    return stage->len;
}

bool identity_stage_feed(struct identity_stage *stage, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end) {
        size_t room = sizeof stage->text - stage->len;
        size_t n = (size_t)(end - bytes) < room ? (size_t)(end - bytes) : room;
        const char *line_end = memchr(bytes, '\n', n);
        if (line_end)
            n = (size_t)(line_end + 1 - bytes);
        memcpy(stage->text + stage->len, bytes, n);
        stage->len += n;
        bytes += n;
        if (line_end)
            judge(stage, stage->len);
        else if (stage->len == sizeof stage->text)
            judge(stage, cut_of(stage));
    }
    return !stage->failed;
}

bool identity_stage_end(struct identity_stage *stage)
{
    judge(stage, stage->len);
    return !stage->failed;
}

/* ---- learning ---- */

static void learn_text(const struct identity_scan *learning, const char *text)
{
    struct identity_scan scan = *learning;
    if (text)
        identity_scan(&scan, text, strlen(text));
}

static void learn_source(const struct identity_scan *learning, const struct source *source,
                         char *bytes)
{
    size_t got;
    struct stream *stream = source->path && !source->missing ? stream_open(source->path, NULL)
                                                             : NULL;
    if (!stream)
        return;
    struct identity_stage *stage = identity_stage_new(learning, NULL, NULL);
    while (stream_read(stream, bytes, PORTION, &got, NULL) && got)
        identity_stage_feed(stage, bytes, got);
    identity_stage_end(stage);
    identity_stage_free(stage);
    stream_close(stream);
}

void identity_learn(struct pseudonyms *names, const struct sources *sources)
{
    const struct identity_scan learning = {.names = names};
    char *bytes = xmalloc(PORTION);
    for (size_t i = 0; i < sources->len; i++) {
        learn_text(&learning, sources->items[i].name);
        learn_text(&learning, sources->items[i].origin);
        learn_source(&learning, &sources->items[i], bytes);
    }
    free(bytes);
}
