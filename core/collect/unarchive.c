/* Collect: opens archives. Reads a file, through unpack.c for tar (a cut tar.gz then gives all that
 * stands before the cut), writes members and their bytes. Deliberately offers libarchive no other
 * format: each would be one more parser for hostile input. */
#include "collect/unarchive.h"

#include "base/alloc.h"
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
    struct err why; /* what unpack said */
    char portion[PORTION];
};

static la_ssize_t feed(struct archive *archive, void *user, const void **bytes)
{
    struct unarchive *reader = user;
    size_t got;
    (void)archive;
    *bytes = reader->portion;
    /* A failure looks like the end: libarchive then gives out the last bytes before it complains. */
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

struct archive_entry *unarchive_next(struct unarchive *reader, struct err *err)
{
    struct archive_entry *entry = NULL;
    int status = archive_read_next_header(reader->archive, &entry);
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
        return entry;
    if (status == ARCHIVE_EOF && !reader->why.text[0])
        return NULL;
    err_set(err, "%s",
            reader->why.text[0] ? reader->why.text : archive_error_string(reader->archive));
    return NULL;
}

bool unarchive_read(struct unarchive *reader, char *bytes, size_t cap, size_t *got, struct err *err)
{
    la_ssize_t n = archive_read_data(reader->archive, bytes, cap);
    *got = n > 0 ? (size_t)n : 0;
    return n >= 0 ||
           err_set(err, "%s",
                   reader->why.text[0] ? reader->why.text : archive_error_string(reader->archive));
}
