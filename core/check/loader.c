/* Stage: check. Reads a plugin's ELF note (libelf), then the file itself (dlopen), and hands out its
 * rows in this host's shape. Deliberately does not validate what the rows say (check/metadata.c) and
 * never unloads. */
#include "check/loader.h"

#include "base/alloc.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list that was not ended would be read until it crashes; nobody has so many rows. */
enum { ROWS_MAX = 1000 };

struct loader {
    struct debrief_stamp stamp;
    const struct debrief_plugin *plugin;
};

/* The first part of each row that has always been there. */
static const struct row_type {
    const char *name;
    size_t offset; /* of the size in the stamp */
    size_t least, host;
} row_types[] = {
    {"debrief_plugin", offsetof(struct debrief_stamp, plugin_size), sizeof(struct debrief_plugin),
     sizeof(struct debrief_plugin)},
    {"debrief_check", offsetof(struct debrief_stamp, check_size), sizeof(struct debrief_check),
     sizeof(struct debrief_check)},
    {"debrief_finding_type", offsetof(struct debrief_stamp, finding_size),
     offsetof(struct debrief_finding_type, explains), sizeof(struct debrief_finding_type)},
    {"debrief_event", offsetof(struct debrief_stamp, event_size),
     offsetof(struct debrief_event, caseless), sizeof(struct debrief_event)},
    {"debrief_param", offsetof(struct debrief_stamp, param_size),
     offsetof(struct debrief_param, dflt), sizeof(struct debrief_param)},
};

/* One PT_NOTE segment may hold several notes; ours is taken when it is whole. */
static bool find_note(Elf_Data *data, struct debrief_stamp *out)
{
    GElf_Nhdr header;
    size_t name, desc, at = 0;
    while ((at = gelf_getnote(data, at, &header, &name, &desc)) > 0) {
        const char *bytes = data->d_buf;
        if (header.n_type != DEBRIEF_NOTE_TYPE || header.n_namesz != sizeof DEBRIEF_NOTE_NAME ||
            memcmp(bytes + name, DEBRIEF_NOTE_NAME, sizeof DEBRIEF_NOTE_NAME) != 0)
            continue;
        /* A stamp may have grown; its first words are enough to refuse it by. */
        if (header.n_descsz < offsetof(struct debrief_stamp, plugin_size))
            continue;
        size_t len = header.n_descsz < sizeof *out ? header.n_descsz : sizeof *out;
        memcpy(out, bytes + desc, len);
        return true;
    }
    return false;
}

static bool find_stamp(Elf *elf, uint64_t size, struct debrief_stamp *out, bool *whole)
{
    size_t count = 0;
    bool found = false;
    if (elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(elf, (int)i, &segment))
            continue;
        /* The loader maps what the header promises; touching what is not there is a SIGBUS. */
        *whole &= segment.p_filesz <= size && segment.p_offset <= size - segment.p_filesz;
        if (found || segment.p_type != PT_NOTE)
            continue;
        Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz,
                                              segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        found = data && find_note(data, out);
    }
    return found;
}

static bool read_stamp(const char *path, struct debrief_stamp *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "'%s' cannot be read: %m", path);
    struct stat facts;
    bool whole = fstat(fd, &facts) == 0;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    bool found = elf && find_stamp(elf, (uint64_t)facts.st_size, out, &whole);
    elf_end(elf);
    close(fd);
    out->name[sizeof out->name - 1] = '\0';
    out->version[sizeof out->version - 1] = '\0';
    if (found && !whole)
        return err_set(err, "'%s' is cut short: copy or build it again", path);
    return found ||
           err_set(err,
                   "'%s' has no debrief stamp (an ELF note): it is no debrief plugin, or it "
                   "was built without DEBRIEF_PLUGIN(...) of <debrief/plugin.h>",
                   path);
}

static bool check_rows(const char *path, const struct debrief_stamp *stamp, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(row_types); i++) {
        const struct row_type *row = &row_types[i];
        uint32_t size;
        memcpy(&size, (const char *)stamp + row->offset, sizeof size);
        if (size >= row->least && size <= row->host && size % sizeof(void *) == 0)
            continue;
        return err_set(
            err,
            "'%s' says that its %s is %u bytes, where this debrief (plugin ABI %d.%d) has "
            "%zu to %zu: rebuild it with this debrief's <debrief/plugin.h>",
            path, row->name, size, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR, row->least, row->host);
    }
    return true;
}

bool loader_stamp(const char *path, struct debrief_stamp *out, struct err *err)
{
    *out = (struct debrief_stamp){0};
    if (!read_stamp(path, out, err))
        return false;
    if (out->magic != DEBRIEF_MAGIC)
        return err_set(
            err,
            "'%s' bears the magic 0x%08x, not debrief's 0x%08x: it was built for another "
            "processor or is damaged; rebuild it here",
            path, out->magic, DEBRIEF_MAGIC);
    if (out->abi_major != DEBRIEF_ABI_MAJOR)
        return err_set(
            err,
            "'%s' is built for plugin ABI %u.%u and this debrief speaks %d.%d: rebuild it "
            "with this debrief's <debrief/plugin.h>, or use a debrief of ABI %u",
            path, out->abi_major, out->abi_minor, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR,
            out->abi_major);
    if (out->abi_minor > DEBRIEF_ABI_MINOR)
        return err_set(
            err,
            "'%s' is built for plugin ABI %u.%u, newer than this debrief's %d.%d: upgrade "
            "debrief, or rebuild the plugin with this debrief's <debrief/plugin.h>",
            path, out->abi_major, out->abi_minor, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR);
    return check_rows(path, out, err);
}

struct loader *loader_open(const char *path, struct err *err)
{
    struct loader loaded;
    if (!loader_stamp(path, &loaded.stamp, err))
        return NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        err_set(err, "'%s' cannot be loaded: %s", path, dlerror());
        return NULL;
    }
    loaded.plugin = dlsym(handle, DEBRIEF_SYMBOL);
    if (!loaded.plugin) {
        err_set(err, "'%s' has a stamp but no symbol '%s': rebuild it with DEBRIEF_PLUGIN(...)",
                path, DEBRIEF_SYMBOL);
        return NULL;
    }
    struct loader *loader = xmalloc(sizeof *loader);
    *loader = loaded;
    return loader;
}

const char *loader_name(const struct loader *loader)
{
    return loader->plugin->name ? loader->plugin->name : "";
}

const char *loader_version(const struct loader *loader)
{
    return loader->plugin->version ? loader->plugin->version : "";
}

size_t loader_checks(const struct loader *loader)
{
    return loader->plugin->checks && loader->plugin->checks_len < ROWS_MAX
               ? loader->plugin->checks_len
               : 0;
}

/* Row I of a list whose rows are SIZE bytes in the plugin and HOST_SIZE here. Rows begin with a pointer
 * that is NULL in the last one. */
static bool copy_row(const void *rows, size_t i, size_t size, void *out, size_t host_size)
{
    memset(out, 0, host_size);
    if (!rows || i >= ROWS_MAX)
        return false;
    memcpy(out, (const char *)rows + i * size, size < host_size ? size : host_size);
    const void *first;
    memcpy(&first, out, sizeof first);
    return first != NULL;
}

bool loader_check(const struct loader *loader, size_t i, struct debrief_check *out)
{
    return i < loader_checks(loader) &&
           copy_row(loader->plugin->checks, i, loader->stamp.check_size, out, sizeof *out);
}

bool loader_finding(const struct loader *loader, const struct debrief_check *check, size_t i,
                    struct debrief_finding_type *out)
{
    return copy_row(check->findings, i, loader->stamp.finding_size, out, sizeof *out);
}

bool loader_event(const struct loader *loader, const struct debrief_check *check, size_t i,
                  struct debrief_event *out)
{
    return copy_row(check->events, i, loader->stamp.event_size, out, sizeof *out);
}

bool loader_param(const struct loader *loader, const struct debrief_check *check, size_t i,
                  struct debrief_param *out)
{
    return copy_row(check->params, i, loader->stamp.param_size, out, sizeof *out);
}
