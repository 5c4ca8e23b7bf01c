/* Stage: finding. Finds the line of a citation by reading its manifest once more: readers keep pointers,
 * which are all that checks need, and few records are ever cited. Bounded by the caller's work. */
#include "finding/manifest.h"
#include "base/buf.h"
#include "base/yaml_line.h"
#include "source/stream.h"

static bool load(struct buf *text, const char *path)
{
    char portion[16384];
    size_t got = 0;
    struct stream *stream = stream_open(path, NULL);
    bool good = stream != NULL;
    do {
        good = good && stream_read(stream, portion, sizeof portion, &got, NULL);
        buf_add(text, portion, good ? got : 0);
    } while (good && got && !text->overflow);
    stream_close(stream);
    return good && !text->overflow;
}

uint64_t manifest_line(const struct record *record, size_t *work)
{
    const struct source *source = record->source;
    struct buf text;
    if (!source || !source_is_manifest(source) || !source->path || !record->pointer ||
        record->pointer[0] != '/' || source->size > *work)
        return 0;
    buf_init(&text, *work);
    bool good = load(&text, source->path);
    *work -= text.len;
    uint64_t line = good ? yaml_line(buf_str(&text), text.len, record->pointer) : 0;
    buf_release(&text);
    return line;
}
