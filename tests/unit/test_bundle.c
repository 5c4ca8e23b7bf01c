/* Bundles: what goes in comes out, redacted, and no index leads out of its directory. */
#include "source/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "collect/collect.h"
#include "scratch.h"
#include "source/hash.h"
#include <zlib.h>

static const char log_text[] = "line one\nDB_PASSWORD=hunter2\nline three\n";
static const char log_redacted[] = "line one\nDB_PASSWORD=[redacted:password]\nline three\n";

/* A working bundle of a fetched page, a local log, a compressed one, and one that is missing. */
static void make_working(struct bundle *bundle)
{
    char *dir = scratch_path("work"), *gz = scratch_path("old.log.gz");
    mkdir(dir, 0700);
    scratch_put("work/admin/ready.txt", "LIVE\n");
    bundle_init(bundle, dir, "http://127.0.0.1:9901");
    bundle->when = INT64_C(1795248000) * 1000000000;
    struct source *source = sources_add(&bundle->sources, "admin/ready.txt");
    source->path = arena_printf(bundle->sources.arena, "%s/admin/ready.txt", dir);
    source->origin = "http://127.0.0.1:9901/ready";
    source->complete = source->asked = true;
    hash_source(source, NULL);
    char *log = scratch_write("envoy.log", log_text, strlen(log_text));
    source = sources_add(&bundle->sources, "envoy.log");
    source->path = arena_strdup(bundle->sources.arena, log);
    source->complete = source->asked = true;
    gzFile packed = gzopen(gz, "w");
    gzwrite(packed, log_text, strlen(log_text));
    gzclose(packed);
    source = sources_add(&bundle->sources, "old.log.gz");
    source->path = arena_strdup(bundle->sources.arena, gz);
    source->complete = true;
    source = sources_add(&bundle->sources, "admin/certs.json");
    source->missing = source->asked = true;
    source_problem(&bundle->sources, source, "answered with HTTP %d", 500);
    free(dir), free(gz), free(log);
}

static void assert_text(const struct source *source, const char *expected)
{
    size_t len;
    assert_non_null(source);
    assert_non_null(source->path);
    char *text = scratch_read(source->path, &len);
    assert_string_equal(text, expected);
    free(text);
}

static void test_working_index(void **state)
{
    struct bundle bundle, again;
    struct err err = ERR_INIT;
    (void)state;
    make_working(&bundle);
    assert_true(bundle_write_index(&bundle, &err));
    assert_true(bundle_open(&again, bundle.dir, &err));
    assert_string_equal(again.target, "http://127.0.0.1:9901");
    assert_int_equal(again.when, bundle.when);
    assert_int_equal(again.sources.len, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct source *a = &bundle.sources.items[i], *b = &again.sources.items[i];
        assert_string_equal(a->name, b->name);
        assert_string_equal(a->origin, b->origin);
        assert_string_equal(a->sha256, b->sha256);
        assert_int_equal(a->missing, b->missing);
        assert_int_equal(a->complete, b->complete);
        assert_int_equal(a->asked, b->asked);
        assert_true(!a->path == !b->path && (!a->path || strcmp(a->path, b->path) == 0));
    }
    assert_string_equal(again.sources.items[3].problems->text, "answered with HTTP 500");
    bundle_release(&again);
    bundle_release(&bundle);
}

/* Collects PATH as a target would be; the result is in scratch/NAME. */
static void collect_into(struct bundle *bundle, const char *path, const char *name)
{
    static const struct collect_options options;
    struct targets targets;
    struct err err = ERR_INIT;
    char *dir = scratch_path(name), *argument = xstrdup(path);
    mkdir(dir, 0700);
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, &argument, 1, &err));
    assert_int_equal(targets.len, 1);
    assert_true(collect_target(&targets.items[0], &options, dir, &err));
    assert_true(bundle_open(bundle, dir, &err));
    targets_release(&targets);
    free(argument);
    free(dir);
}

static struct redact_policy *policy;

static int begin(void **state)
{
    policy = redact_policy_new(&(struct redact_options){0}, NULL);
    return scratch_begin(state);
}

static int end(void **state)
{
    redact_policy_free(policy);
    return scratch_end(state);
}

static void check_packed(const char *name, bool redacted)
{
    struct bundle bundle, again;
    struct err err = ERR_INIT;
    char original[65], *path = scratch_path(name), *dir = xasprintf("%s.read", name);
    make_working(&bundle);
    assert_true(bundle_pack(&bundle, path, redacted ? policy : NULL, &err));
    assert_false(bundle_pack(&bundle, path, redacted ? policy : NULL, &err));
    assert_non_null(strstr(err.text, "File exists"));
    collect_into(&again, path, dir);
    assert_int_equal(again.when, bundle.when);
    assert_int_equal(again.sources.len, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(again.sources.items[i].name, bundle.sources.items[i].name);
    assert_text(&again.sources.items[0], "LIVE\n");
    assert_text(&again.sources.items[1], redacted ? log_redacted : log_text);
    if (redacted)
        assert_text(&again.sources.items[2], log_redacted);
    for (size_t i = 0; i < 3; i++) {
        assert_true(hash_file(bundle.sources.items[i].path, original, &err));
        assert_string_equal(again.sources.items[i].sha256, original);
        assert_true(again.sources.items[i].complete);
    }
    assert_true(again.sources.items[3].missing);
    assert_string_equal(again.sources.items[3].problems->text, "answered with HTTP 500");
    bundle_release(&again);
    bundle_release(&bundle);
    free(path), free(dir);
}

static void test_packing(void **state)
{
    (void)state;
    check_packed("b.tar.gz", true);
    check_packed("b.tar.zst", true);
    check_packed("b.zip", true);
    check_packed("b", true);
    check_packed("raw.tar.gz", false);
}

static void test_the_packed_index(void **state)
{
    struct bundle bundle;
    struct err err = ERR_INIT;
    struct stat status;
    char *path = scratch_path("plain"), *index = scratch_path("plain/bundle.json"), sha256[65];
    char *log = scratch_path("plain/envoy.log");
    size_t len;
    (void)state;
    make_working(&bundle);
    assert_true(bundle_pack(&bundle, path, policy, &err));
    char *text = scratch_read(index, &len);
    cJSON *tree = json_parse(text, len, &err);
    assert_string_equal(json_str(tree, "schema"), "debrief.bundle/1");
    assert_string_equal(json_str(tree, "when"), "2026-11-21T08:00:00Z");
    assert_string_equal(json_str(tree, "tool.name"), "debrief");
    double count = 0, size = 0;
    assert_true(json_num(tree, "files[1].redactions.password", &count));
    assert_true(count == 1);
    assert_true(json_num(tree, "files[1].size", &size));
    assert_true(size == (double)strlen(log_redacted));
    assert_true(hash_file(log, sha256, &err));
    assert_string_equal(json_str(tree, "files[1].sha256"), sha256);
    assert_string_not_equal(json_str(tree, "files[1].original_sha256"), sha256);
    assert_null(json_at(tree, "files[1].path"));
    assert_string_equal(json_str(tree, "files[2].name"), "old.log.gz");
    assert_string_equal(json_str(tree, "files[2].file"), "old.log");
    assert_int_equal(stat(log, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    cJSON_Delete(tree);
    free(text), free(path), free(index), free(log);
    bundle_release(&bundle);
}

static void test_same_sources_same_bytes(void **state)
{
    struct bundle bundle;
    char first[65], second[65];
    char *a = scratch_path("same-a.tar.gz"), *b = scratch_path("same-b.tar.gz");
    (void)state;
    make_working(&bundle);
    assert_true(bundle_pack(&bundle, a, policy, NULL));
    assert_true(bundle_pack(&bundle, b, policy, NULL));
    assert_true(hash_file(a, first, NULL) && hash_file(b, second, NULL));
    assert_string_equal(first, second);
    bundle_release(&bundle);
    free(a), free(b);
}

static const struct source *find_problem(const struct bundle *bundle, const char *needle)
{
    for (size_t i = 0; i < bundle->sources.len; i++)
        for (const struct source_problem *each = bundle->sources.items[i].problems; each;
             each = each->next)
            if (strstr(each->text, needle))
                return &bundle->sources.items[i];
    return NULL;
}

/* The index is not used, that is said, and the files beside it are judged all the same. */
static void assert_refused(const char *files, const char *why)
{
    static int number;
    struct bundle bundle;
    struct err err = ERR_INIT;
    char *text = xasprintf("{\"schema\":\"debrief.bundle/1\",\"files\":%s}", files);
    char *name = xasprintf("hostile-%d/bundle.json", number);
    char *log = xasprintf("hostile-%d/a.log", number);
    char *dir = xasprintf("%s/hostile-%d", scratch_dir, number++);
    scratch_put(name, text);
    scratch_put(log, "text");
    bundle_init(&bundle, dir, NULL);
    assert_true(bundle_add_directory(&bundle, dir, &err));
    assert_non_null(find_problem(&bundle, why));
    const struct source *source = sources_find(&bundle.sources, "a.log");
    assert_non_null(source);
    assert_text(source, "text");
    for (size_t i = 0; i < bundle.sources.len; i++)
        assert_true(!bundle.sources.items[i].path ||
                    strncmp(bundle.sources.items[i].path, dir, strlen(dir)) == 0);
    bundle_release(&bundle);
    free(text), free(name), free(log), free(dir);
}

static void test_hostile_indexes(void **state)
{
    (void)state;
    assert_refused("[{\"name\":\"../../etc/passwd\"}]", "outside of the bundle");
    assert_refused("[{\"name\":\"/etc/passwd\"}]", "outside of the bundle");
    assert_refused("[{\"name\":\"x\",\"file\":\"a/../../x\"}]", "outside of the bundle");
    assert_refused("[{\"name\":\"a.log\"},{\"name\":\"./a.log\"}]", "twice");
    assert_refused("[{\"size\":1}]", "has no name");
    assert_refused("{}", "no list of files");
    assert_refused("[", "cannot read");
    assert_refused("[{\"name\":\"p\",\"path\":\"/etc/passwd\"}]", "not followed");
    assert_refused("[{\"name\":\"gone\"}]", "No such file");
}

static void test_an_index_with_a_link(void **state)
{
    struct bundle bundle;
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("linked/bundle.json",
                "{\"schema\":\"debrief.bundle/1\",\"files\":[{\"name\":\"up/hostname\"}]}");
    char *dir = scratch_path("linked"), *link = scratch_path("linked/up");
    assert_int_equal(symlink("/etc", link), 0);
    bundle_init(&bundle, dir, NULL);
    assert_true(bundle_add_directory(&bundle, dir, &err));
    assert_non_null(find_problem(&bundle, "lies outside the directory"));
    assert_null(bundle.sources.items[0].path);
    bundle_release(&bundle);
    free(dir), free(link);
}

static void test_what_the_index_does_not_list(void **state)
{
    struct bundle bundle;
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("more/bundle.json", "{\"schema\":\"debrief.bundle/1\",\"target\":\"t\",\"files\":"
                                    "[{\"name\":\"old.log.gz\",\"file\":\"old.log\"}]}");
    scratch_put("more/old.log", "old");
    scratch_put("more/notes.txt", "notes");
    char *dir = scratch_path("more");
    bundle_init(&bundle, dir, NULL);
    assert_true(bundle_add_directory(&bundle, dir, &err));
    assert_string_equal(bundle.target, "t");
    assert_int_equal(bundle.sources.len, 2);
    assert_string_equal(bundle.sources.items[0].name, "old.log.gz");
    assert_string_equal(bundle.sources.items[1].name, "notes.txt");
    bundle_release(&bundle);
    free(dir);
}

static void test_names_are_safe_and_unique(void **state)
{
    struct sources sources;
    (void)state;
    sources_init(&sources);
    assert_string_equal(sources_add(&sources, "../../etc//passwd")->name, "etc/passwd");
    assert_string_equal(sources_add(&sources, "/a b\xC3\xA9.log")->name, "a_b__.log");
    assert_string_equal(sources_add(&sources, "x/envoy.log")->name, "x/envoy.log");
    assert_string_equal(sources_add(&sources, "x/envoy.log")->name, "x/envoy-2.log");
    assert_string_equal(sources_add(&sources, ".env")->name, ".env");
    assert_string_equal(sources_add(&sources, ".env")->name, ".env-2");
    assert_string_equal(sources_add(&sources, "..")->name, "source");
    assert_string_equal(sources_add(&sources, "bundle.json")->name, "bundle-2.json");
    for (int i = 0; i < 5000; i++)
        sources_add(&sources, "same");
    assert_non_null(sources_find(&sources, "x/envoy-2.log"));
    assert_null(sources_find(&sources, "x/envoy-3.log"));
    sources_release(&sources);
}

static void test_problems_are_clean_and_counted(void **state)
{
    struct sources sources;
    (void)state;
    sources_init(&sources);
    struct source *source = sources_add(&sources, "a");
    for (int i = 0; i < 200; i++)
        source_problem(&sources, source, "bad \xFF %d", i);
    int count = 0;
    const struct source_problem *last = NULL;
    for (const struct source_problem *each = source->problems; each; each = each->next, count++)
        last = each;
    assert_int_equal(count, 51);
    assert_string_equal(source->problems->text, "bad \xEF\xBF\xBD 0");
    assert_string_equal(last->text, "further problems are not listed");
    cJSON *row = source_report(source);
    assert_null(json_at(row, "kind"));
    assert_null(json_at(row, "sha256"));
    assert_int_equal(cJSON_GetArraySize(json_at(row, "problems")), 51);
    cJSON_Delete(row);
    sources_release(&sources);
}

static void test_hashing_beside(void **state)
{
    struct sources sources;
    (void)state;
    sources_init(&sources);
    char *path = scratch_write("abc", "abc", 3);
    sources_add(&sources, "abc")->path = path;
    sources_add(&sources, "gone")->path = "/nonexistent";
    sources_add(&sources, "missing")->missing = true;
    struct hash_thread *thread = hash_start(&sources);
    assert_non_null(thread);
    hash_join(thread);
    assert_string_equal(sources.items[0].sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sources.items[1].sha256, "");
    sources.items[1].path = NULL;
    assert_null(hash_start(&sources));
    sources_release(&sources);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_working_index),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_the_packed_index),
        cmocka_unit_test(test_same_sources_same_bytes),
        cmocka_unit_test(test_hostile_indexes),
        cmocka_unit_test(test_an_index_with_a_link),
        cmocka_unit_test(test_what_the_index_does_not_list),
        cmocka_unit_test(test_names_are_safe_and_unique),
        cmocka_unit_test(test_problems_are_clean_and_counted),
        cmocka_unit_test(test_hashing_beside),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
