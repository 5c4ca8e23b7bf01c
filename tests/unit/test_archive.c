/* Archives from strangers: members become sources, and nothing leaves the bundle's directory. */
#include "collect/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scratch.h"
#include <archive.h>
#include <archive_entry.h>

struct member {
    const char *name, *text, *symlink, *hardlink;
};

static char *make_archive(const char *name, const struct member *members, size_t len)
{
    char *path = scratch_path(name);
    struct archive *archive = archive_write_new();
    if (strstr(name, ".zip"))
        archive_write_set_format_zip(archive);
    else
        archive_write_set_format_pax_restricted(archive);
    if (strstr(name, ".gz"))
        archive_write_add_filter_gzip(archive);
    else if (strstr(name, ".zst"))
        archive_write_add_filter_zstd(archive);
    else if (strstr(name, ".bz2"))
        archive_write_add_filter_bzip2(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (size_t i = 0; i < len; i++) {
        struct archive_entry *entry = archive_entry_new();
        const char *text = members[i].text ? members[i].text : "";
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_filetype(entry, members[i].symlink ? AE_IFLNK : AE_IFREG);
        if (members[i].symlink)
            archive_entry_set_symlink(entry, members[i].symlink);
        if (members[i].hardlink)
            archive_entry_set_hardlink(entry, members[i].hardlink);
        archive_entry_set_size(entry, (la_int64_t)strlen(text));
        assert_true(archive_write_header(archive, entry) >= ARCHIVE_WARN);
        archive_write_data(archive, text, strlen(text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return path;
}

static struct collection collected(const char *path)
{
    static const struct collect_options options;
    static int number;
    struct collection collection = {
        .options = &options,
        .deadline = clock_monotonic() + 60 * CLOCK_SECOND,
    };
    char *name = xasprintf("work-%d", number++), *dir = scratch_path(name);
    assert_int_equal(mkdir(dir, 0700), 0);
    bundle_init(&collection.bundle, dir, NULL);
    archive_collect(&collection, path, "", NULL);
    free(name), free(dir);
    return collection;
}

static void assert_source(const struct collection *collection, const char *name, const char *text)
{
    size_t len;
    const struct source *source = sources_find(&collection->bundle.sources, name);
    assert_non_null(source);
    assert_true(source->complete);
    assert_null(source->problems);
    char *found = scratch_read(source->path, &len);
    assert_string_equal(found, text);
    assert_int_equal(source->size, len);
    free(found);
}

static bool has_problem(const struct collection *collection, const char *needle)
{
    for (size_t i = 0; i < collection->bundle.sources.len; i++)
        for (const struct source_problem *each = collection->bundle.sources.items[i].problems; each;
             each = each->next)
            if (strstr(each->text, needle))
                return true;
    return false;
}

static void test_members(void **state)
{
    static const struct member members[] = {{.name = "./pod/envoy.log", .text = "log"},
                                            {.name = "pod/env", .text = "A=b"}};
    static const char *const names[] = {"m.tar", "m.tar.gz", "m.tar.zst", "m.zip"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = make_archive(names[i], members, ARRAY_LEN(members));
        assert_true(archive_recognise(path));
        struct collection collection = collected(path);
        assert_int_equal(collection.bundle.sources.len, 2);
        assert_source(&collection, "pod/envoy.log", "log");
        assert_source(&collection, "pod/env", "A=b");
        bundle_release(&collection.bundle);
        free(path);
    }
}

static void test_hostile_names(void **state)
{
    static const struct member members[] = {
        {.name = "../../escape", .text = "x"},  {.name = "/absolute/file", .text = "absolute"},
        {.name = "link", .symlink = "/etc"},    {.name = "link/passwd", .text = "not over there"},
        {.name = "hard", .hardlink = "/etc/x"}, {.name = "same", .text = "1"},
        {.name = "same", .text = "2"},
    };
    (void)state;
    char *path = make_archive("hostile.tar", members, ARRAY_LEN(members));
    struct collection collection = collected(path);
    assert_true(has_problem(&collection, "member '../../escape': its name leads out"));
    assert_source(&collection, "absolute/file", "absolute");
    assert_source(&collection, "link/passwd", "not over there");
    assert_source(&collection, "same", "1");
    assert_source(&collection, "same-2", "2");
    assert_null(sources_find(&collection.bundle.sources, "link"));
    assert_null(sources_find(&collection.bundle.sources, "hard"));
    for (size_t i = 0; i < collection.bundle.sources.len; i++) {
        const char *file = collection.bundle.sources.items[i].path;
        assert_true(!file || strncmp(file, scratch_dir, strlen(scratch_dir)) == 0);
    }
    bundle_release(&collection.bundle);
    free(path);
}

static void cut(const char *path, double part)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, (off_t)((double)status.st_size * part)), 0);
}

static void test_cut_archives(void **state)
{
    static const char *const names[] = {"cut.tar", "cut.tar.gz", "cut.zip"};
    char *noise = xcalloc(1, 40001);
    (void)state;
    for (uint32_t i = 0, x = 1; i < 40000; i++, x = x * 1664525u + 1013904223u)
        noise[i] = (char)('a' + (x >> 24) % 26);
    const struct member members[] = {{.name = "first.log", .text = "first"},
                                     {.name = "second.log", .text = noise},
                                     {.name = "third.log", .text = "third"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = make_archive(names[i], members, ARRAY_LEN(members));
        cut(path, 0.4);
        assert_true(archive_recognise(path));
        struct collection collection = collected(path);
        assert_source(&collection, "first.log", "first");
        const struct source *second = sources_find(&collection.bundle.sources, "second.log");
        assert_non_null(second);
        assert_false(second->complete);
        assert_true(second->size > 5000 && second->size < 40000);
        assert_true(has_problem(&collection, "member 'second.log': ends early"));
        assert_true(has_problem(&collection, "the archive ends early"));
        assert_null(sources_find(&collection.bundle.sources, "third.log"));
        bundle_release(&collection.bundle);
        free(path);
    }
    free(noise);
}

static void test_a_bomb_is_cut(void **state)
{
    enum { SIZE = 100 << 20 };
    char *zeros = xcalloc(1, SIZE + 1), *path;
    (void)state;
    memset(zeros, '0', SIZE);
    const struct member members[] = {{.name = "before", .text = "fine"},
                                     {.name = "bomb", .text = zeros},
                                     {.name = "after", .text = "late"}};
    path = make_archive("bomb.tar.bz2", members, ARRAY_LEN(members));
    free(zeros);
    struct collection collection = collected(path);
    assert_source(&collection, "before", "fine");
    assert_true(has_problem(&collection, "expands more than 1000 times"));
    assert_null(sources_find(&collection.bundle.sources, "after"));
    const struct source *bomb = sources_find(&collection.bundle.sources, "bomb");
    assert_false(bomb->complete);
    assert_true(bomb->size < 66 << 20);
    bundle_release(&collection.bundle);
    free(path);
}

static void test_an_index_among_the_members(void **state)
{
    static const char index[] =
        "{\"schema\":\"debrief.bundle/1\",\"target\":\"t\",\"when\":\"2026-11-21T08:00:00Z\","
        "\"files\":[{\"name\":\"old.log.gz\",\"file\":\"old.log\",\"complete\":true,"
        "\"original_sha256\":"
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"},"
        "{\"name\":\"gone.log\"},{\"name\":\"never\",\"missing\":true}]}";
    static const struct member members[] = {{.name = "b/old.log", .text = "old"},
                                            {.name = "b/extra.log", .text = "extra"},
                                            {.name = "b/bundle.json", .text = index}};
    (void)state;
    char *path = make_archive("indexed.tar.gz", members, ARRAY_LEN(members));
    struct collection collection = collected(path);
    assert_int_equal(collection.bundle.sources.len, 4);
    assert_source(&collection, "old.log.gz", "old");
    assert_source(&collection, "b/extra.log", "extra");
    assert_string_equal(sources_find(&collection.bundle.sources, "old.log.gz")->sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(sources_find(&collection.bundle.sources, "gone.log")->missing);
    assert_true(sources_find(&collection.bundle.sources, "never")->missing);
    assert_true(collection.bundle.when > 0);
    bundle_release(&collection.bundle);
    free(path);
}

static void test_a_bad_index_is_no_index(void **state)
{
    static const struct member members[] = {
        {.name = "a.log", .text = "a"},
        {.name = "bundle.json",
         .text = "{\"schema\":\"debrief.bundle/1\",\"files\":[{\"name\":\"../x\"}]}"}};
    (void)state;
    char *path = make_archive("bad.zip", members, ARRAY_LEN(members));
    struct collection collection = collected(path);
    assert_true(has_problem(&collection, "outside of the bundle: '../x'; the members are taken"));
    assert_source(&collection, "a.log", "a");
    bundle_release(&collection.bundle);
    free(path);
}

/* What stands in an archive that stands in another one; names in it lead out no more than others. */
static void test_archives_within(void **state)
{
    static const struct member inner[] = {{.name = "a.log", .text = "a"},
                                          {.name = "../../up", .text = "x"}};
    size_t len;
    (void)state;
    char *path = make_archive("inner.tar.gz", inner, ARRAY_LEN(inner));
    char *bytes = scratch_read(path, &len);
    char *outer = scratch_path("outer.tar");
    struct archive *archive = archive_write_new();
    archive_write_set_format_pax_restricted(archive);
    assert_int_equal(archive_write_open_filename(archive, outer), ARCHIVE_OK);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, "logs/old.tgz");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t)len);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    archive_write_data(archive, bytes, len);
    archive_entry_free(entry);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    struct collection collection = collected(outer);
    assert_source(&collection, "logs/old.tgz/a.log", "a");
    assert_true(has_problem(&collection, "its name leads out"));
    assert_null(sources_find(&collection.bundle.sources, "logs/old.tgz"));
    assert_int_equal(collection.bundle.sources.len, 2);
    bundle_release(&collection.bundle);
    free(path), free(bytes), free(outer);
}

static void test_what_is_no_archive(void **state)
{
    char zeros[2048] = "";
    (void)state;
    char *path = scratch_write("zeros", zeros, sizeof zeros);
    assert_false(archive_recognise(path));
    free(path);
    path = scratch_write("PK", "PK\3\4 is how this text begins", 28);
    assert_false(archive_recognise(path));
    free(path);
    assert_false(archive_recognise("/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_cut_archives),
        cmocka_unit_test(test_a_bomb_is_cut),
        cmocka_unit_test(test_an_index_among_the_members),
        cmocka_unit_test(test_a_bad_index_is_no_index),
        cmocka_unit_test(test_archives_within),
        cmocka_unit_test(test_what_is_no_archive),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
