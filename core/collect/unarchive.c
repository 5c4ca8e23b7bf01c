/* Collect: opens archives. Reads a file, through unpack.c for tar (a cut tar.gz then gives all that
 * stands before the cut), writes members and their bytes. Deliberately offers libarchive no other
 * format: each would be one more parser for hostile input. */
#include "collect/unarchive.h"

#include "base/alloc.h"
#include "base/str.h"
#include "source/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PORTION = 1 << 16 };

struct unarchive {
    struct archive *archive;
    struct unpack *unpack; /* NULL for zip */
    uint64_t stored_size;
    struct err why;    /* what unpack said */
    const char *block; /* of the member, what libarchive gave out last: */
    size_t block_at, block_len;
    la_int64_t block_offset, position; /* a block may begin behind a hole */
    char portion[PORTION];
};

static la_ssize_t feed(struct archive *archive, void *user, const void **bytes)
{
    struct unarchive *reader = user;
    size_t got;
    (void)archive;
    *bytes = reader->portion;
    /* A failure looks like the end: libarchive then gives out the last bytes before it
     * complains. */
    unpack_read(reader->unpack, reader->portion, PORTION, &got, &reader->why);
    return (la_ssize_t)got;
}

static bool is_zip(const char *path)
{
    char head[4] = "";
    FILE *file = fopen(path, "re");
    bool zip = file && fread(head, 1, 4, file) == 4 &&
               (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0);
    if (file)
        fclose(file);
    return zip;
}

static bool open_archive(struct unarchive *reader, const char *path, struct err *err)
{
    struct archive *archive = reader->archive;
    int status;
    if (is_zip(path)) {
        archive_read_support_format_zip(archive);
        status = archive_read_open_filename(archive, path, PORTION);
    } else {
        archive_read_support_format_tar(archive);
        reader->unpack = unpack_open(path, err);
        if (!reader->unpack)
            return false;
        status = archive_read_open(archive, reader, NULL, feed, NULL);
    }
    return status == ARCHIVE_OK ||
           err_set(err, "cannot open '%s' as an archive: %s", path, archive_error_string(archive));
}

struct unarchive *unarchive_open(const char *path, struct err *err)
{
    struct stat status;
    struct unarchive *reader = xcalloc(1, sizeof *reader);
    reader->archive = archive_read_new();
    if (!reader->archive)
        BUG("no memory for a reader");
    if (stat(path, &status) == 0)
        reader->stored_size = (uint64_t)status.st_size;
    if (open_archive(reader, path, err))
        return reader;
    unarchive_close(reader);
    return NULL;
}

/* What tells most files apart from archives without opening them as one. */
bool unarchive_magic(const char *bytes, size_t len)
{
    static const struct {
        const char *text;
        size_t len, at;
    } magics[] = {{"PK\3\4", 4, 0},
                  {"PK\5\6", 4, 0},
                  {"\x1f\x8b", 2, 0},
                  {"\x28\xb5\x2f\xfd", 4, 0},
                  {"\xfd"
                   "7zXZ",
                   5, 0},
                  {"BZh", 3, 0},
                  {"ustar", 5, 257}};
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (len >= magics[i].at + magics[i].len &&
            memcmp(bytes + magics[i].at, magics[i].text, magics[i].len) == 0)
            return true;
    return false;
}

static bool begins_like_one(const char *path)
{
    char head[512];
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    return unarchive_magic(head, len);
}

bool unarchive_recognise(const char *path)
{
    struct unarchive *reader = begins_like_one(path) ? unarchive_open(path, NULL) : NULL;
    bool known = reader && unarchive_next(reader, NULL);
    unarchive_close(reader);
    return known;
}

void unarchive_close(struct unarchive *reader)
{
    if (!reader)
        return;
    archive_read_free(reader->archive);
    unpack_close(reader->unpack);
    free(reader);
}

uint64_t unarchive_stored_size(const struct unarchive *reader)
{
    return reader->stored_size;
}

static const char *reason(const struct unarchive *reader)
{
    return reader->why.text[0] ? reader->why.text : archive_error_string(reader->archive);
}

struct archive_entry *unarchive_next(struct unarchive *reader, struct err *err)
{
    struct archive_entry *entry = NULL;
    int status = archive_read_next_header(reader->archive, &entry);
    reader->block_at = reader->block_len = 0;
    reader->position = 0;
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
        return entry;
    if (status != ARCHIVE_EOF || reader->why.text[0])
        err_set(err, "%s", reason(reader));
    return NULL;
}

static size_t take_hole(struct unarchive *reader, char *bytes, size_t cap)
{
    uint64_t hole = (uint64_t)(reader->block_offset - reader->position);
    size_t n = hole < cap ? (size_t)hole : cap;
    memset(bytes, 0, n);
    return n;
}

static size_t take_block(struct unarchive *reader, char *bytes, size_t cap)
{
    size_t left = reader->block_len - reader->block_at, n = left < cap ? left : cap;
    memcpy(bytes, reader->block + reader->block_at, n);
    reader->block_at += n;
    reader->block_offset += (la_int64_t)n;
    return n;
}

/* By blocks, because archive_read_data forgets what it has copied when a failure follows. */
bool unarchive_read(struct unarchive *reader, char *bytes, size_t cap, size_t *got, struct err *err)
{
    *got = 0;
    while (reader->block_at == reader->block_len) {
        const void *block;
        int status = archive_read_data_block(reader->archive, &block, &reader->block_len,
                                             &reader->block_offset);
        reader->block = block;
        reader->block_at = 0;
        if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
            continue;
        reader->block_len = 0;
        return status == ARCHIVE_EOF || err_set(err, "%s", reason(reader));
    }
    *got = reader->block_offset > reader->position ? take_hole(reader, bytes, cap)
                                                   : take_block(reader, bytes, cap);
    reader->position += (la_int64_t)*got;
    return true;
}
