/* Source: takes the compression off. Reads a file, writes its plain bytes. gzip goes through
 * zlib and not through libarchive, which throws away the last 64 kB of a cut file: of a small
 * log, all of it. Deliberately knows nothing of archives or of text. */
#include "source/unpack.h"

#include "base/alloc.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_SIZE = 1 << 16, RATIO_MAX = 1000 };

static const uint64_t ratio_from = 64
                                   << 20; /* below this much output nobody is hurt by any ratio */

struct unpack {
    int fd;
    enum { PLAIN, GZIP, FILTER } method;
    uint64_t in, out;       /* bytes so far, compressed and plain */
    bool ended;             /* no more bytes will come */
    struct err failure;     /* why, unless the end was reached in order */
    z_stream inflate;       /* GZIP */
    bool between;           /* GZIP: a member ended here, another may follow */
    struct archive *filter; /* FILTER */
    const void *block;      /* FILTER: what it gave out last */
    size_t block_len;
    unsigned char input[]; /* INPUT_SIZE bytes unless PLAIN */
};

static bool read_some(int fd, void *bytes, size_t cap, size_t *got, struct err *err)
{
    ssize_t n;
    do
        n = read(fd, bytes, cap);
    while (n < 0 && errno == EINTR);
    *got = n > 0 ? (size_t)n : 0;
    return n >= 0 || err_set(err, "cannot read: %s", strerror(errno));
}

static bool is_magic(const unsigned char *head, size_t len, const char *magic, size_t magic_len)
{
    return len >= magic_len && memcmp(head, magic, magic_len) == 0;
}

static int method_of(const unsigned char *head, size_t len)
{
    if (is_magic(head, len, "\x1F\x8B\x08", 3))
        return GZIP;
    bool zstd = is_magic(head, len, "\x28\xB5\x2F\xFD", 4);
    bool bzip2 = is_magic(head, len, "BZh", 3) && len >= 8 && memcmp(head + 4, "1AY&", 4) == 0;
    bool xz = is_magic(head, len, "\xFD\x37zXZ", 5);
    return zstd || bzip2 || xz ? FILTER : PLAIN;
}

static la_ssize_t feed_filter(struct archive *archive, void *user, const void **bytes)
{
    struct unpack *unpack = user;
    struct err err = ERR_INIT;
    size_t got;
    if (!read_some(unpack->fd, unpack->input, INPUT_SIZE, &got, &err)) {
        archive_set_error(archive, EIO, "%s", err.text);
        return -1;
    }
    unpack->in += got;
    *bytes = unpack->input;
    return (la_ssize_t)got;
}

static bool start_filter(struct unpack *unpack, struct err *err)
{
    struct archive_entry *entry;
    unpack->filter = archive_read_new();
    if (!unpack->filter)
        BUG("no memory for a reader");
    archive_read_support_filter_zstd(unpack->filter);
    archive_read_support_filter_bzip2(unpack->filter);
    archive_read_support_filter_xz(unpack->filter);
    archive_read_support_format_raw(unpack->filter);
    archive_read_support_format_empty(unpack->filter);
    if (archive_read_open(unpack->filter, unpack, NULL, feed_filter, NULL) != ARCHIVE_OK)
        return err_set(err, "cannot decompress: %s", archive_error_string(unpack->filter));
    int status = archive_read_next_header(unpack->filter, &entry);
    if (status == ARCHIVE_EOF)
        unpack->ended = true;
    else if (status < ARCHIVE_WARN)
        return err_set(err, "cannot decompress: %s", archive_error_string(unpack->filter));
    return true;
}

static bool start(struct unpack *unpack, struct err *err)
{
    if (unpack->method == FILTER)
        return start_filter(unpack, err);
    if (unpack->method == GZIP && inflateInit2(&unpack->inflate, 16 + MAX_WBITS) != Z_OK)
        BUG("zlib does not start");
    return true;
}

static int open_regular(const char *path, struct err *err)
{
    struct stat status;
    /* O_NONBLOCK: a pipe that nobody writes to must not hold us up before we see what it is. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0)
        err_set(err, "cannot open '%s': %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        err_set(err, "cannot open '%s': not a regular file", path);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

struct unpack *unpack_open(const char *path, struct err *err)
{
    unsigned char head[8];
    int fd = open_regular(path, err);
    if (fd < 0)
        return NULL;
    ssize_t len = pread(fd, head, sizeof head, 0);
    if (len < 0) {
        err_set(err, "cannot read '%s': %s", path, strerror(errno));
        close(fd);
        return NULL;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    int method = method_of(head, (size_t)len);
    struct unpack *unpack = xcalloc(1, sizeof *unpack + (method == PLAIN ? 0 : INPUT_SIZE));
    unpack->fd = fd;
    unpack->method = method;
    if (!start(unpack, err)) {
        unpack_close(unpack);
        return NULL;
    }
    return unpack;
}

void unpack_close(struct unpack *unpack)
{
    if (!unpack)
        return;
    if (unpack->method == GZIP)
        inflateEnd(&unpack->inflate);
    archive_read_free(unpack->filter);
    close(unpack->fd);
    free(unpack);
}

bool unpack_compressed(const struct unpack *unpack)
{
    return unpack->method != PLAIN;
}

static void fail(struct unpack *unpack, const char *why)
{
    unpack->ended = true;
    err_set(&unpack->failure, "%s", why);
}

/* More input for zlib; between two members it must begin like one, else it is padding. */
static bool refill(struct unpack *unpack)
{
    size_t got;
    if (!read_some(unpack->fd, unpack->input, INPUT_SIZE, &got, &unpack->failure)) {
        unpack->ended = true;
        return false;
    }
    unpack->in += got;
    unpack->inflate.next_in = unpack->input;
    unpack->inflate.avail_in = (uInt)got;
    if (got == 0 && unpack->between)
        unpack->ended = true;
    else if (got == 0)
        fail(unpack, "compressed data ends early");
    return got > 0;
}

static void next_member(struct unpack *unpack)
{
    if (unpack->inflate.next_in[0] != 0x1F)
        unpack->ended = true;
    else
        inflateReset(&unpack->inflate);
    unpack->between = false;
}

static void inflate_some(struct unpack *unpack, char *bytes, size_t cap, size_t *got)
{
    z_stream *z = &unpack->inflate;
    z->next_out = (unsigned char *)bytes;
    z->avail_out = cap < UINT32_MAX ? (uInt)cap : UINT32_MAX;
    uInt room = z->avail_out;
    while (z->avail_out == room && !unpack->ended) {
        if (z->avail_in == 0 && !refill(unpack))
            break;
        if (unpack->between) {
            next_member(unpack);
            continue;
        }
        int status = inflate(z, Z_NO_FLUSH);
        if (status == Z_STREAM_END)
            unpack->between = true;
        else if (status != Z_OK && status != Z_BUF_ERROR)
            fail(unpack, "compressed data is damaged");
    }
    *got = room - z->avail_out;
}

/* By blocks, because archive_read_data forgets what it has copied when a failure follows. */
static void filter_some(struct unpack *unpack, char *bytes, size_t cap, size_t *got)
{
    la_int64_t offset;
    while (unpack->block_len == 0 && !unpack->ended) {
        int status = archive_read_data_block(unpack->filter, &unpack->block, &unpack->block_len,
                                             &offset);
        if (status == ARCHIVE_EOF)
            unpack->ended = true;
        else if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            fail(unpack, archive_error_string(unpack->filter));
        if (unpack->ended)
            unpack->block_len = 0;
    }
    *got = unpack->block_len < cap ? unpack->block_len : cap;
    if (*got == 0)
        return;
    memcpy(bytes, unpack->block, *got);
    unpack->block = (const char *)unpack->block + *got;
    unpack->block_len -= *got;
}

static void check_expansion(struct unpack *unpack)
{
    if (unpack->out > UNPACK_EXPANSION_MAX)
        fail(unpack, "compressed data expands beyond 4 GB; the rest was not read");
    else if (unpack->out > ratio_from && unpack->out / RATIO_MAX > unpack->in)
        fail(unpack, "compressed data expands more than 1000 times; the rest was not read");
}

bool unpack_read(struct unpack *unpack, char *bytes, size_t cap, size_t *got, struct err *err)
{
    *got = 0;
    if (unpack->method == PLAIN)
        return read_some(unpack->fd, bytes, cap, got, err);
    if (!unpack->ended) {
        if (unpack->method == GZIP)
            inflate_some(unpack, bytes, cap, got);
        else
            filter_some(unpack, bytes, cap, got);
        unpack->out += *got;
        check_expansion(unpack);
    }
    if (*got == 0 && unpack->failure.text[0])
        return err_set(err, "%s", unpack->failure.text);
    return true;
}
