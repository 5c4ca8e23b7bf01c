/* Source: one forward pass over a source as text. Reads a file through unpack.c, writes UTF-8
 * without byte order marks and ANSI escapes. Deliberately leaves bytes that are no UTF-8 alone:
 * they are evidence, and cleaned only where text leaves for a report. */
#include "source/stream.h"

#include "base/alloc.h"
#include "source/ansi.h"
#include "source/unpack.h"
#include "source/utf16.h"

#include <stdlib.h>
#include <string.h>

enum {
    SNIFF_MAX = 4096, /* also the size of one portion of UTF-16 */
    PEEK_MAX = 1 << 16,
    READY_MAX = 2 * PEEK_MAX,
};

struct stream {
    struct unpack *unpack;
    struct utf16 *utf16; /* NULL: the bytes are taken as they are */
    struct ansi ansi;
    char raw[SNIFF_MAX]; /* bytes that were read to tell the encoding */
    size_t raw_at, raw_len;
    char *ready; /* decoded bytes that nobody has taken yet; NULL until needed */
    size_t ready_at, ready_len, ready_cap;
    bool ended;         /* the last byte was decoded, or reading failed: */
    struct err failure; /* said once the bytes before it were taken */
};

/* Undecoded bytes: first what telling the encoding has left over. */
static bool pull(struct stream *stream, char *bytes, size_t cap, size_t *got)
{
    size_t left = stream->raw_len - stream->raw_at;
    if (left) {
        *got = left < cap ? left : cap;
        memmove(bytes, stream->raw + stream->raw_at, *got);
        stream->raw_at += *got;
        return true;
    }
    if (!unpack_read(stream->unpack, bytes, cap, got, &stream->failure))
        stream->ended = true;
    else if (*got == 0)
        stream->ended = true;
    return !stream->ended;
}

static size_t decode_utf16(struct stream *stream, char *out, size_t cap)
{
    char raw[SNIFF_MAX];
    size_t got, room = (cap - 8) / 2;
    if (!pull(stream, raw, room < sizeof raw ? room : sizeof raw, &got))
        return utf16_end(stream->utf16, out);
    return utf16_decode(stream->utf16, raw, got, out);
}

/* Decodes something into OUT; 0 only at the end. CAP is at least SNIFF_MAX. */
static size_t decode(struct stream *stream, char *out, size_t cap)
{
    size_t len = 0;
    while (len == 0 && !stream->ended) {
        if (stream->utf16)
            len = decode_utf16(stream, out, cap);
        else if (!pull(stream, out, cap, &len))
            len = 0;
        len = ansi_strip(&stream->ansi, out, len);
    }
    return len;
}

/* Reads enough to tell the encoding and steps over a byte order mark. */
static void tell_encoding(struct stream *stream)
{
    size_t got = 1;
    while (got && stream->raw_len < SNIFF_MAX) {
        /* A failure comes again when the bytes before it are taken. */
        if (!unpack_read(stream->unpack, stream->raw + stream->raw_len, SNIFF_MAX - stream->raw_len,
                         &got, NULL))
            break;
        stream->raw_len += got;
    }
    if (stream->raw_len >= 3 && memcmp(stream->raw, "\xEF\xBB\xBF", 3) == 0)
        stream->raw_at = 3;
    else
        stream->utf16 = utf16_sniff(stream->raw, stream->raw_len, &stream->raw_at);
}

struct stream *stream_open(const char *path, struct err *err)
{
    struct unpack *unpack = unpack_open(path, err);
    if (!unpack)
        return NULL;
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->unpack = unpack;
    tell_encoding(stream);
    return stream;
}

struct stream *stream_open_text(char *text, size_t len)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->ended = true;
    stream_unread(stream, text, len);
    return stream;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    unpack_close(stream->unpack);
    utf16_free(stream->utf16);
    free(stream->ready);
    free(stream);
}

void stream_unread(struct stream *stream, char *text, size_t len)
{
    size_t left = stream->ready_len - stream->ready_at;
    stream->ready_cap = len + left < READY_MAX ? READY_MAX : len + left;
    text = xrealloc(text, stream->ready_cap);
    if (left)
        memcpy(text + len, stream->ready + stream->ready_at, left);
    free(stream->ready);
    stream->ready = text;
    stream->ready_at = 0;
    stream->ready_len = len + left;
}

static size_t take_ready(struct stream *stream, char *bytes, size_t cap)
{
    size_t left = stream->ready_len - stream->ready_at;
    size_t n = left < cap ? left : cap;
    if (n)
        memcpy(bytes, stream->ready + stream->ready_at, n);
    stream->ready_at += n;
    return n;
}

static void fill_ready(struct stream *stream, size_t want)
{
    if (!stream->ready) {
        stream->ready_cap = READY_MAX;
        stream->ready = xmalloc(stream->ready_cap);
    }
    if (stream->ready_len - stream->ready_at >= want)
        return;
    stream->ready_len -= stream->ready_at;
    memmove(stream->ready, stream->ready + stream->ready_at, stream->ready_len);
    stream->ready_at = 0;
    while (stream->ready_len < want && !stream->ended)
        stream->ready_len += decode(stream, stream->ready + stream->ready_len,
                                    stream->ready_cap - stream->ready_len);
}

bool stream_read(struct stream *stream, char *bytes, size_t cap, size_t *got, struct err *err)
{
    *got = take_ready(stream, bytes, cap);
    if (*got == 0 && cap < SNIFF_MAX) {
        fill_ready(stream, 1);
        *got = take_ready(stream, bytes, cap);
    } else if (*got == 0) {
        *got = decode(stream, bytes, cap);
    }
    if (*got == 0 && cap && stream->failure.text[0])
        return err_set(err, "%s", stream->failure.text);
    return true;
}

const char *stream_peek(struct stream *stream, size_t *len, bool *whole)
{
    /* One byte more than is shown, to know whether that is all. */
    fill_ready(stream, PEEK_MAX + 1);
    size_t ready = stream->ready_len - stream->ready_at;
    *len = ready < PEEK_MAX ? ready : PEEK_MAX;
    *whole = ready <= PEEK_MAX;
    return stream->ready + stream->ready_at;
}
