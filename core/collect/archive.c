/* Collect: archives. Reads a tar or a zip, writes its regular members below the bundle.
 * Deliberately uses the names of members as names only, never as paths to write to, and passes
 * over links and devices; every cap that is hit is a problem that names the member. */
#include "collect/archive.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/unarchive.h"
#include "source/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTION = 1 << 16, RATIO_MAX = 1000 };

static const uint64_t member_max = UINT64_C(2) << 30, total_max = UINT64_C(4) << 30,
                      ratio_from = 64 << 20;

struct member {
    const char *name; /* in the archive, without "./" in front */
    const char *path; /* where it was unpacked; NULL when it was not */
    uint64_t size;
    char sha256[65];
    const char *trouble; /* NULL when all is well */
    bool opened;         /* an archive itself, whose members stand beside it */
};

struct unpacking {
    struct collection *collection;
    const char *archive;         /* as the user named it */
    const struct target *within; /* what of it is this target's; NULL: all */
    uint64_t stored;             /* bytes of the archive that holds all the others */
    struct arena *arena;
    struct member *members;
    size_t len, cap;
    uint64_t total;
    struct err stop; /* why no further member was unpacked; empty at the end of the archive */
};

bool archive_recognise(const char *path)
{
    struct unarchive *reader = unarchive_open(path, NULL);
    bool known = reader && unarchive_next(reader, NULL);
    unarchive_close(reader);
    return known;
}

/* ---- unpacking ---- */

/* The new member's index; they move when there are more of them. */
static size_t new_member(struct unpacking *unpacking, const char *name)
{
    if (unpacking->len == unpacking->cap) {
        unpacking->cap = unpacking->cap ? unpacking->cap * 2 : 64;
        unpacking->members = xrealloc(unpacking->members,
                                      unpacking->cap * sizeof *unpacking->members);
    }
    while (str_starts(name, "./"))
        name += 2;
    unpacking->members[unpacking->len] = (struct member){
        .name = arena_strdup(unpacking->arena, name)};
    return unpacking->len++;
}

static bool leaves(const char *name)
{
    while (*name) {
        size_t len = strcspn(name, "/");
        if (len == 2 && memcmp(name, "..", 2) == 0)
            return true;
        name += len + (name[len] == '/');
    }
    return false;
}

static bool too_much(struct unpacking *unpacking, const struct member *member)
{
    if (unpacking->total > total_max)
        err_set(&unpacking->stop, "expands beyond 4 GB at member '%s'", member->name);
    else if (unpacking->total > ratio_from && unpacking->total / RATIO_MAX > unpacking->stored)
        err_set(&unpacking->stop, "expands more than 1000 times at member '%s'", member->name);
    else if (collection_is_late(unpacking->collection))
        err_set(&unpacking->stop, "unpacking reached the time limit at member '%s'", member->name);
    return unpacking->stop.text[0];
}

static void copy_member(struct unpacking *unpacking, struct unarchive *from, struct member *member,
                        int fd)
{
    struct err err = ERR_INIT;
    struct hash *hash = hash_new();
    char *bytes = xmalloc(PORTION);
    size_t got = 0;
    while (!member->trouble && unarchive_read(from, bytes, PORTION, &got, &err) && got) {
        hash_add(hash, bytes, got);
        member->size += got;
        unpacking->total += got;
        if (!collection_write(fd, bytes, got))
            member->trouble = arena_printf(unpacking->arena, "cannot keep it: %s", strerror(errno));
        else if (member->size > member_max)
            member->trouble = "longer than 2 GB; the rest was not unpacked";
        else if (too_much(unpacking, member))
            member->trouble = "cut here, because the archive is too much";
    }
    if (err.text[0])
        member->trouble = arena_printf(unpacking->arena, "ends early: %s", err.text);
    free(bytes);
    hash_end(hash, member->sha256);
}

/* Its index, for an archive within to be opened. */
static size_t unpack_member(struct unpacking *unpacking, struct unarchive *from, const char *name)
{
    size_t index = new_member(unpacking, name);
    struct member *member = &unpacking->members[index];
    if (leaves(member->name)) {
        member->trouble = "its name leads out of the archive, so it was not unpacked";
        return index;
    }
    char *below = xasprintf("members/%u", unpacking->collection->unpacked++);
    char *path = collection_path(unpacking->collection, below);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        member->trouble = arena_printf(unpacking->arena, "cannot keep it: %s", strerror(errno));
    } else {
        member->path = arena_strdup(unpacking->arena, path);
        copy_member(unpacking, from, member, fd);
        close(fd);
    }
    free(path);
    free(below);
    return index;
}

static const char *entry_name(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        name = archive_entry_pathname_utf8(entry); /* the C locale cannot say every name */
    if (!name || !*name)
        return "member";
    while (str_starts(name, "./"))
        name += 2;
    return name;
}

static void unpack_all(struct unpacking *unpacking, struct unarchive *from, const char *prefix,
                       int depth);

/* An archive in the archive: its members stand for it, below its name. */
static void unpack_nested(struct unpacking *unpacking, size_t index, int depth)
{
    const char *path = unpacking->members[index].path;
    bool whole = path && !unpacking->members[index].trouble && !unpacking->stop.text[0];
    if (depth == UNARCHIVE_DEPTH_MAX || !whole || !unarchive_recognise(path))
        return;
    struct unarchive *nested = unarchive_open(path, NULL);
    if (!nested)
        return;
    unpacking->members[index].opened = true;
    char *prefix = xasprintf("%s/", unpacking->members[index].name);
    unpack_all(unpacking, nested, prefix, depth + 1);
    free(prefix);
    unarchive_close(nested);
    unlink(path);
}

static void say_end(struct unpacking *unpacking, const char *prefix, const struct err *why)
{
    char *name = xasprintf("%.*s", (int)strlen(prefix) - 1, prefix);
    collection_missing(unpacking->collection, name, unpacking->archive,
                       "the archive in the archive ends early: %s; what came before was kept",
                       why->text);
    free(name);
}

static void unpack_all(struct unpacking *unpacking, struct unarchive *from, const char *prefix,
                       int depth)
{
    struct archive_entry *entry;
    struct err end = ERR_INIT;
    while (!unpacking->stop.text[0] && (entry = unarchive_next(from, &end))) {
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
            continue;
        char *name = xasprintf("%s%s", prefix, entry_name(entry));
        if (!target_takes(unpacking->within, name))
            ;
        else if (unpacking->len == BUNDLE_FILES_MAX)
            err_set(&unpacking->stop, "holds more than %d members; '%s' and what follows was left",
                    BUNDLE_FILES_MAX, name);
        else
            unpack_nested(unpacking, unpack_member(unpacking, from, name), depth);
        free(name);
    }
    if (end.text[0] && *prefix)
        say_end(unpacking, prefix, &end);
    else if (end.text[0])
        err_set(&unpacking->stop, "%s", end.text);
}

/* ---- as sources ---- */

static void fill(struct unpacking *unpacking, struct source *source, const struct member *member)
{
    source->path = member->path;
    source->missing = !member->path;
    source->size = member->size;
    source->complete = member->path && !member->trouble;
    memcpy(source->sha256, member->sha256, sizeof source->sha256);
    if (member->trouble)
        source_problem(&unpacking->collection->bundle.sources, source, "member '%s': %s",
                       member->name, member->trouble);
}

static void add_member(struct unpacking *unpacking, const struct member *member)
{
    if (member->opened)
        return;
    char *origin = xasprintf("%s: %s", unpacking->archive, member->name);
    struct source *source = collection_add(unpacking->collection, member->name, origin);
    source->shared = target_shares(unpacking->within, member->name);
    fill(unpacking, source, member);
    free(origin);
}

/* The index at the top, or in the folder that holds all there is. */
static const struct member *find_index(const struct unpacking *unpacking)
{
    const struct member *found = NULL;
    for (size_t i = 0; i < unpacking->len; i++) {
        const struct member *member = &unpacking->members[i];
        const char *slash = strrchr(member->name, '/');
        if (strcmp(member->name, BUNDLE_INDEX) == 0)
            return member->path ? member : NULL;
        if (slash && strcmp(slash + 1, BUNDLE_INDEX) == 0 && member->path && !found)
            found = member;
    }
    size_t folder = found ? strlen(found->name) - strlen(BUNDLE_INDEX) : 0;
    for (size_t i = 0; found && i < unpacking->len; i++)
        if (!unpacking->members[i].opened &&
            strncmp(unpacking->members[i].name, found->name, folder) != 0 &&
            !target_shares(unpacking->within, unpacking->members[i].name))
            return NULL;
    return found;
}

struct indexed {
    const struct unpacking *unpacking;
    const struct member **sorted; /* by name */
    size_t folder;                /* length of what stands before each name */
    const char *prefix;
    bool *used; /* by position in unpacking->members */
};

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct member *const *)a)->name,
                  (*(const struct member *const *)b)->name);
}

static const char *locate(void *user, const cJSON *row, struct err *err)
{
    struct indexed *indexed = user;
    const char *file = json_str(row, "file");
    char *name = xasprintf("%.*s%s", (int)indexed->folder, indexed->prefix,
                           file ? file : json_str(row, "name"));
    const struct member wanted = {.name = name}, *key = &wanted;
    const struct member **found = bsearch(&key, indexed->sorted, indexed->unpacking->len,
                                          sizeof *indexed->sorted, by_name);
    free(name);
    if (!found)
        return NULL;
    indexed->used[*found - indexed->unpacking->members] = true;
    if ((*found)->trouble)
        err_set(err, "member '%s': %s", (*found)->name, (*found)->trouble);
    return (*found)->path;
}

static void use_index(struct unpacking *unpacking, const struct member *index, bool *used)
{
    struct bundle *bundle = &unpacking->collection->bundle;
    struct err why = ERR_INIT;
    struct indexed indexed = {
        .unpacking = unpacking,
        .sorted = xcalloc(unpacking->len, sizeof *indexed.sorted),
        .folder = strlen(index->name) - strlen(BUNDLE_INDEX),
        .prefix = index->name,
        .used = used,
    };
    for (size_t i = 0; i < unpacking->len; i++)
        indexed.sorted[i] = &unpacking->members[i];
    qsort(indexed.sorted, unpacking->len, sizeof *indexed.sorted, by_name);
    if (!bundle_read_index(bundle, index->path, locate, &indexed, &why))
        collection_missing(unpacking->collection, index->name, unpacking->archive,
                           "%s; the members are taken as they are", why.text);
    free(indexed.sorted);
}

static void add_all(struct unpacking *unpacking)
{
    const struct member *index = find_index(unpacking);
    bool *used = xcalloc(unpacking->len, sizeof *used);
    if (index) {
        used[index - unpacking->members] = true;
        use_index(unpacking, index, used);
    }
    for (size_t i = 0; i < unpacking->len; i++)
        if (!used[i])
            add_member(unpacking, &unpacking->members[i]);
    free(used);
}

void archive_collect(struct collection *collection, const char *path, const char *name,
                     const struct target *within)
{
    struct unpacking unpacking = {
        .collection = collection,
        .archive = path,
        .within = within,
        .arena = collection->bundle.sources.arena,
    };
    struct unarchive *from = unarchive_open(path, &unpacking.stop);
    char *prefix = xasprintf("%s%s", name, *name ? "/" : "");
    if (from) {
        unpacking.stored = unarchive_stored_size(from);
        unpack_all(&unpacking, from, prefix, *name ? 1 : 0);
    }
    free(prefix);
    add_all(&unpacking);
    if (unpacking.stop.text[0])
        collection_missing(collection, collection_base_name(path), path,
                           "the archive ends early: %s; what came before was kept",
                           unpacking.stop.text);
    unarchive_close(from);
    free(unpacking.members);
}
