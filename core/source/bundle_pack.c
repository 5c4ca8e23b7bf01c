/* Source: a bundle for keeping. Reads the sources of a working bundle, writes them through
 * redaction into an archive or a directory, and bundle.json last. Deliberately stores text plain
 * and decoded: what was not looked at cannot be called redacted. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "source/bundle.h"
#include "source/bundle_row.h"
#include "source/hash.h"
#include "source/identity_stage.h"
#include "source/redact_json.h"
#include "source/redact_map.h"
#include "source/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORTION = 1 << 16 };

struct pack {
    const struct bundle *bundle;
    const char *path;
    const struct redact_policy *policy; /* NULL: copied as it is */
    struct archive *archive;            /* NULL: PATH is a directory */
    cJSON *files;
    struct err *err;
};

struct copy { /* one source on its way */
    int fd;
    struct hash *hash;
    uint64_t size;
    int error; /* errno of the first write that failed */
};

static bool copy_bytes(void *user, const char *bytes, size_t len)
{
    struct copy *copy = user;
    hash_add(copy->hash, bytes, len);
    copy->size += len;
    while (len && !copy->error) {
        ssize_t n = write(copy->fd, bytes, len);
        if (n < 0 && errno != EINTR)
            copy->error = errno;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return !copy->error;
}

/* ---- where the bytes go ---- */

static bool make_folders(char *path, size_t from)
{
    for (char *at = path + from; (at = strchr(at, '/')); at++) {
        *at = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = '/';
        if (!made)
            return false;
    }
    return true;
}

static int create_file(const struct pack *pack, const char *name)
{
    char *path = xasprintf("%s/%s", pack->path, name);
    int fd = -1;
    if (make_folders(path, strlen(pack->path) + 1))
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    free(path);
    return fd;
}

/* An archive wants to know the size first, so its members pass through a file without a name. */
static int create_spool(const struct pack *pack)
{
    char *path = xasprintf("%s/.pack-XXXXXX", pack->bundle->dir);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

static bool archive_failed(const struct pack *pack)
{
    return err_set(pack->err, "cannot write '%s': %s", pack->path,
                   archive_error_string(pack->archive));
}

static bool start_member(const struct pack *pack, const char *name, uint64_t size)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_mtime(entry, pack->bundle->when / 1000000000, 0);
    int status = archive_write_header(pack->archive, entry);
    archive_entry_free(entry);
    return status >= ARCHIVE_WARN || archive_failed(pack);
}

static bool add_member(const struct pack *pack, const char *name, const struct copy *copy)
{
    char *bytes = xmalloc(PORTION);
    ssize_t got = 0;
    bool added = start_member(pack, name, copy->size);
    off_t at = 0;
    while (added && (got = pread(copy->fd, bytes, PORTION, at)) > 0) {
        at += got;
        if (archive_write_data(pack->archive, bytes, (size_t)got) != got)
            added = archive_failed(pack);
    }
    free(bytes);
    return added;
}

/* ---- the copy ---- */

/* A Secret can be named anywhere in what kubectl prints, and behind what it holds. */
static unsigned find_form(const struct source *source)
{
    struct stream *stream = stream_open(source->path, NULL);
    unsigned form = REDACT_MAP_NONE;
    char *bytes = xmalloc(PORTION + REDACT_MAP_AGAIN);
    size_t got = 0, kept = 0;
    bool whole;
    const char *begin = stream ? stream_peek(stream, &got, &whole) : NULL;
    bool looks = begin && memmem(begin, got, "apiVersion", strlen("apiVersion"));
    while (looks && form != (REDACT_MAP_JSON | REDACT_MAP_YAML) &&
           stream_read(stream, bytes + kept, PORTION, &got, NULL) && got) {
        form |= redact_map_form(bytes, kept + got);
        size_t all = kept + got;
        kept = all < REDACT_MAP_AGAIN ? all : REDACT_MAP_AGAIN;
        memmove(bytes, bytes + all - kept, kept);
    }
    free(bytes);
    stream_close(stream);
    return form;
}

static bool to_redaction(void *user, const char *bytes, size_t len)
{
    return redact_stream_feed(user, bytes, len);
}

static const struct redact_policy *policy_for(const struct pack *pack, const struct source *source)
{
    return source->pseudonyms ? redact_policy_again(pack->policy) : pack->policy;
}

static void copy_redacted(const struct pack *pack, const struct source *source, struct copy *copy,
                          struct redact_counts *counts, struct err *err)
{
    struct stream *stream = stream_open(source->path, err);
    if (!stream)
        return;
    struct redact_stream *redact = redact_stream_new(policy_for(pack, source), copy_bytes, copy);
    struct redact_map *map = redact_map_new(find_form(source), to_redaction, redact);
    char *bytes = xmalloc(PORTION);
    uint64_t in_maps;
    size_t got;
    while (stream_read(stream, bytes, PORTION, &got, err) && got)
        if (!redact_map_feed(map, bytes, got))
            break;
    redact_map_end(map, &in_maps);
    redact_stream_end(redact, counts);
    redact_count_secrets(counts, in_maps);
    redact_map_free(map);
    redact_stream_free(redact);
    free(bytes);
    stream_close(stream);
}

static void copy_as_is(const struct source *source, struct copy *copy, struct err *err)
{
    int fd = open(source->path, O_RDONLY | O_CLOEXEC);
    char *bytes = xmalloc(PORTION);
    ssize_t got = fd < 0 ? -1 : 0;
    while (fd >= 0 && (got = read(fd, bytes, PORTION)) > 0)
        if (!copy_bytes(copy, bytes, (size_t)got))
            break;
    if (got < 0)
        err_set(err, "cannot read it: %s", strerror(errno));
    free(bytes);
    if (fd >= 0)
        close(fd);
}

/* Hosts and addresses are in names of files, too. */
static char *shown_name(const struct pack *pack, const struct source *source)
{
    if (!redact_policy_names(pack->policy))
        return xstrdup(source->name);
    return redact_leaving(source->name, strlen(source->name), SIZE_MAX, policy_for(pack, source),
                          NULL);
}

/* The name of the stored file: without ".gz" and the like when what is stored is plain. */
static char *stored_name(const struct pack *pack, const char *shown)
{
    static const char *const endings[] = {".gz", ".zst", ".bz2", ".xz"};
    char *name = xstrdup(shown);
    for (size_t i = 0; pack->policy && i < ARRAY_LEN(endings); i++) {
        size_t stem = strlen(name) - strlen(endings[i]);
        if (!str_ends(name, endings[i]) || stem == 0 || name[stem - 1] == '/')
            continue;
        name[stem] = '\0';
        if (!sources_find(&pack->bundle->sources, name) && strcmp(name, BUNDLE_INDEX) != 0)
            return name;
        name[stem] = '.';
    }
    return name;
}

/* To what was removed before. */
static void put_redactions(cJSON *row, const struct redact_policy *policy,
                           const struct redact_counts *counts)
{
    cJSON *redactions = cJSON_GetObjectItemCaseSensitive(row, "redactions");
    if (!redactions)
        redactions = json_put_object(row, "redactions");
    for (size_t i = 0; redact_kind(policy, i); i++) {
        double before = 0;
        if (!counts->by_kind[i])
            continue;
        json_num(redactions, redact_kind(policy, i), &before);
        cJSON_DeleteItemFromObjectCaseSensitive(redactions, redact_kind(policy, i));
        json_put_num(redactions, redact_kind(policy, i), before + (double)counts->by_kind[i]);
    }
}

static void replace_member(cJSON *row, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(row, name);
    cJSON_AddItemToObject(row, name, value);
}

static void put_stored(cJSON *row, const struct source *source, struct copy *copy,
                       const struct redact_policy *policy, const struct redact_counts *counts)
{
    char sha256[65], original[65] = "";
    hash_end(copy->hash, sha256);
    copy->hash = NULL;
    replace_member(row, "size", cJSON_CreateNumber((double)copy->size));
    json_put_str(row, "sha256", sha256);
    if (!source->sha256[0] && hash_file(source->path, original, NULL))
        replace_member(row, "original_sha256", cJSON_CreateString(original));
    put_redactions(row, policy, counts);
    if (redact_policy_names(policy))
        replace_member(row, "pseudonyms", cJSON_CreateBool(true));
}

static void put_trouble(cJSON *row, const struct err *trouble)
{
    if (!trouble->text[0])
        return;
    char clean[sizeof trouble->text];
    str_to_utf8(clean, sizeof clean, trouble->text, strlen(trouble->text));
    cJSON *problems = cJSON_GetObjectItemCaseSensitive(row, "problems");
    cJSON_AddItemToArray(problems, cJSON_CreateString(clean));
    replace_member(row, "complete", cJSON_CreateBool(false));
}

/* A name that only this directory cannot hold ("a" beside "a/b", too long) costs that source. */
static bool cannot_create(const struct pack *pack, const char *name, cJSON *row)
{
    struct err why = ERR_INIT;
    int error = errno;
    err_set(&why, "cannot write '%s' of bundle '%s': %s", name, pack->path, strerror(error));
    if (error != ENOTDIR && error != EISDIR && error != EEXIST && error != ENAMETOOLONG)
        return err_set(pack->err, "%s", why.text);
    put_trouble(row, &why);
    replace_member(row, "missing", cJSON_CreateBool(true));
    return true;
}

/* False only when the bundle cannot be written any more. */
static bool store(struct pack *pack, const struct source *source, const char *name, cJSON *row)
{
    struct copy copy = {.fd = pack->archive ? create_spool(pack) : create_file(pack, name)};
    struct redact_counts counts = {0};
    struct err trouble = ERR_INIT;
    if (copy.fd < 0)
        return cannot_create(pack, name, row);
    copy.hash = hash_new();
    if (pack->policy)
        copy_redacted(pack, source, &copy, &counts, &trouble);
    else
        copy_as_is(source, &copy, &trouble);
    put_stored(row, source, &copy, pack->policy, &counts);
    put_trouble(row, &trouble);
    bool stored = !copy.error;
    if (!stored)
        err_set(pack->err, "cannot write '%s' of bundle '%s': %s", name, pack->path,
                strerror(copy.error));
    else if (pack->archive)
        stored = add_member(pack, name, &copy);
    close(copy.fd);
    return stored;
}

static bool pack_source(struct pack *pack, const struct source *source)
{
    cJSON *row = bundle_row(source);
    cJSON_AddItemToArray(pack->files, row);
    char *shown = shown_name(pack, source), *name = stored_name(pack, shown);
    bool there = !source->missing && source->path, stored = true;
    replace_member(row, "name", cJSON_CreateString(shown));
    if (there && strcmp(name, shown) != 0)
        json_put_str(row, "file", name);
    if (there)
        stored = store(pack, source, name, row);
    free(shown);
    free(name);
    return stored;
}

/* What the collector says for people may name hosts, and hold what a command line held. */
static void redact_index(const struct pack *pack, cJSON *index)
{
    static const char *const ours[] = {"schema",          "tool", "when", "name", "file", "sha256",
                                       "original_sha256", NULL};
    struct redact_counts counts = {0};
    redact_json(index, ours, pack->policy, &counts);
}

static bool pack_index(struct pack *pack, cJSON *index)
{
    struct buf text;
    redact_index(pack, index);
    struct copy copy = {.fd = pack->archive ? create_spool(pack) : create_file(pack, BUNDLE_INDEX)};
    buf_init(&text, 64 << 20);
    json_write(&text, index, true);
    copy.hash = hash_new();
    bool written = copy.fd >= 0 && !text.overflow && copy_bytes(&copy, buf_str(&text), text.len);
    if (!written)
        err_set(pack->err, "cannot write the index of bundle '%s': %s", pack->path,
                strerror(copy.error ? copy.error : errno));
    else if (pack->archive)
        written = add_member(pack, BUNDLE_INDEX, &copy);
    hash_end(copy.hash, NULL);
    buf_release(&text);
    if (copy.fd >= 0)
        close(copy.fd);
    return written;
}

static bool pack_all(struct pack *pack)
{
    cJSON *index = bundle_index(pack->bundle);
    bool packed = true;
    if (redact_policy_names(pack->policy)) {
        redact_json_learn(index, pack->policy);
        identity_learn(redact_policy_names(pack->policy), &pack->bundle->sources);
    }
    pack->files = cJSON_GetObjectItemCaseSensitive(index, "files");
    for (size_t i = 0; packed && i < pack->bundle->sources.len; i++)
        packed = pack_source(pack, &pack->bundle->sources.items[i]);
    packed = packed && pack_index(pack, index);
    cJSON_Delete(index);
    return packed;
}

/* ---- archive or directory ---- */

static bool is_empty_directory(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    int entries = 0;
    while (readdir(dir))
        entries++;
    closedir(dir);
    errno = EEXIST;
    return entries == 2; /* itself and its parent */
}

static bool pack_directory(struct pack *pack)
{
    if (mkdir(pack->path, 0700) < 0 && !(errno == EEXIST && is_empty_directory(pack->path)))
        return err_set(pack->err, "cannot write bundle '%s': %s", pack->path, strerror(errno));
    return pack_all(pack);
}

static void choose_format(struct archive *archive, const char *path)
{
    if (str_ends(path, ".zip")) {
        archive_write_set_format_zip(archive);
        return;
    }
    archive_write_set_format_pax_restricted(archive);
    if (str_ends(path, ".tar.zst"))
        archive_write_add_filter_zstd(archive);
    else
        archive_write_add_filter_gzip(archive);
    /* The same sources shall give the same bytes. */
    archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
}

static bool pack_archive(struct pack *pack)
{
    int fd = open(pack->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(pack->err, "cannot write bundle '%s': %s", pack->path, strerror(errno));
    pack->archive = archive_write_new();
    if (!pack->archive)
        BUG("no memory for a writer");
    choose_format(pack->archive, pack->path);
    bool packed = archive_write_open_fd(pack->archive, fd) == ARCHIVE_OK || archive_failed(pack);
    packed = packed && pack_all(pack);
    if (packed && archive_write_close(pack->archive) != ARCHIVE_OK)
        packed = archive_failed(pack);
    archive_write_free(pack->archive);
    if (close(fd) < 0 && packed)
        packed = err_set(pack->err, "cannot write bundle '%s': %s", pack->path, strerror(errno));
    if (!packed)
        unlink(pack->path);
    return packed;
}

bool bundle_pack(const struct bundle *bundle, const char *path, const struct redact_policy *policy,
                 struct err *err)
{
    struct pack pack = {.bundle = bundle, .path = path, .policy = policy, .err = err};
    bool archive = str_ends(path, ".tar.gz") || str_ends(path, ".tgz") ||
                   str_ends(path, ".tar.zst") || str_ends(path, ".zip");
    return archive ? pack_archive(&pack) : pack_directory(&pack);
}
