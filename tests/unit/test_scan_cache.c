/* scan_cache.c and scan_db.c: compiled patterns come back from the cache, and nothing but our own does. */
#include "base/alloc.h"
#include "read/scan_cache.h"
#include "read/scan_db.h"
#include <dirent.h>
#include <fcntl.h>
#include <hs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char home[64];

static char *path_of(const char *name)
{
    return xasprintf("%s/debrief/%s", home, name);
}

static int remove_all(void **state)
{
    char *command = xasprintf("rm -rf '%s'", home);
    (void)state;
    int status = system(command);
    free(command);
    return status;
}

static int new_home(void **state)
{
    (void)state;
    strcpy(home, "/tmp/debrief-cache-XXXXXX");
    if (!mkdtemp(home))
        return -1;
    setenv("XDG_CACHE_HOME", home, 1);
    return 0;
}

static void key_for(const char *text, char key[SCAN_CACHE_KEY])
{
    scan_cache_digest(&(struct scan_cache_part){text, strlen(text)}, 1, key);
}

static bool loads(const char *key, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    bool loaded = scan_cache_load(key, &out);
    if (loaded)
        assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
    return loaded;
}

static char *file_of(const char *key)
{
    char name[SCAN_CACHE_KEY + 8];
    snprintf(name, sizeof name, "scan-%s", key);
    return path_of(name);
}

static void what_is_stored_comes_back(void **state)
{
    char key[SCAN_CACHE_KEY], other[SCAN_CACHE_KEY];
    struct stat st;
    (void)state;
    key_for("a", key);
    key_for("b", other);
    assert_false(loads(key, ""));
    scan_cache_store(key, "database", 8);
    assert_true(loads(key, "database"));
    assert_false(loads(other, ""));
    char *file = file_of(key), *dir = path_of(".");
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    free(file);
    free(dir);
}

static void change_byte(const char *file, off_t at)
{
    int fd = open(file, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "\xff", 1, at), 1);
    close(fd);
}

static void a_damaged_file_is_no_cache(void **state)
{
    char key[SCAN_CACHE_KEY];
    (void)state;
    key_for("a", key);
    char *file = file_of(key);
    for (off_t at = 0; at < 87; at++) {
        scan_cache_store(key, "database", 8);
        assert_true(loads(key, "database"));
        change_byte(file, at);
        assert_false(loads(key, ""));
    }
    for (off_t len = 0; len < 87; len++) {
        scan_cache_store(key, "database", 8);
        assert_int_equal(truncate(file, len), 0);
        assert_false(loads(key, ""));
    }
    free(file);
}

static void others_files_are_no_cache(void **state)
{
    char key[SCAN_CACHE_KEY];
    (void)state;
    key_for("a", key);
    scan_cache_store(key, "database", 8);
    char *file = file_of(key), *away = path_of("away"), *dir = path_of(".");
    assert_int_equal(chmod(file, 0622), 0); /* others may write it */
    assert_false(loads(key, ""));
    assert_int_equal(chmod(file, 0600), 0);
    assert_true(loads(key, "database"));
    assert_int_equal(chmod(dir, 0777), 0);
    assert_false(loads(key, ""));
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(rename(file, away), 0); /* a link, however good what it points to */
    assert_int_equal(symlink(away, file), 0);
    assert_false(loads(key, ""));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkfifo(file, 0600), 0); /* and reading never waits */
    assert_false(loads(key, ""));
    free(file);
    free(away);
    free(dir);
}

static void no_cache_is_no_trouble(void **state)
{
    char key[SCAN_CACHE_KEY];
    (void)state;
    key_for("a", key);
    setenv("XDG_CACHE_HOME", "/proc/no/such/place", 1);
    scan_cache_store(key, "database", 8);
    assert_false(loads(key, ""));
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", home, 1); /* a relative one counts as none */
    scan_cache_store(key, "database", 8);
    assert_true(loads(key, "database"));
    unsetenv("HOME");
    assert_false(loads(key, ""));
    setenv("XDG_CACHE_HOME", home, 1);
}

static size_t count_files(void)
{
    char *dir = path_of(".");
    DIR *stream = opendir(dir);
    size_t len = 0;
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        len += entry->d_name[0] != '.';
    closedir(stream);
    free(dir);
    return len;
}

static void old_files_go(void **state)
{
    char key[SCAN_CACHE_KEY], first[SCAN_CACHE_KEY];
    (void)state;
    key_for("first", first);
    scan_cache_store(first, "database", 8);
    char *file = file_of(first);
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, file, old, 0), 0);
    for (int i = 0; i < SCAN_CACHE_FILES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        key_for(name, key);
        scan_cache_store(key, "database", 8);
    }
    assert_int_equal(count_files(), SCAN_CACHE_FILES);
    assert_false(loads(first, ""));
    assert_true(loads(key, "database"));
    free(file);
}

/* ---- the database ---- */

static const struct scan_db_row rows[] = {
    {"closed: \\d+", NULL, 0},
    {"(?<=look)behind", NULL, 0},      /* libhs cannot */
    {"(a)\\1", NULL, 0},               /* nor this */
    {"x.{1,40000}y", NULL, 0},         /* too large for it */
    {"unclosed(", NULL, 0},            /* nobody can */
    {"fine", "(?<broken>unclosed", 0}, /* PCRE2's part cannot be read */
    {"DENIED", NULL, HS_FLAG_CASELESS},
    {"a*", NULL, 0}, /* matches nothing at all */
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static int on_match(unsigned int id, unsigned long long from, unsigned long long to,
                    unsigned int flags, void *user)
{
    (void)from;
    (void)to;
    (void)flags;
    ((unsigned *)user)[id]++;
    return 0;
}

static void check_db(void)
{
    static const char text[] = "closed: 7, denied fine aa xy";
    unsigned hits[ROWS] = {0};
    struct scan_db db;
    scan_db_open(&db, rows, ROWS);
    assert_null(db.refused[0]);
    for (size_t i = 1; i < 6; i++)
        assert_non_null(db.refused[i]);
    assert_null(db.refused[6]);
    assert_non_null(db.refused[7]);
    assert_int_equal(hs_scan(db.hs, text, sizeof text - 1, 0, db.scratch, on_match, hits),
                     HS_SUCCESS);
    assert_int_equal(hits[0], 1);
    assert_int_equal(hits[6], 1);
    for (size_t i = 1; i < 6; i++)
        assert_int_equal(hits[i], 0);
    assert_non_null(scan_db_pattern(&db, 0));
    assert_null(scan_db_fields(&db, 0));
    scan_db_close(&db);
}

static void a_bad_pattern_spoils_only_itself(void **state)
{
    (void)state;
    check_db();
    assert_int_equal(count_files(), 1);
    check_db(); /* the same from the cache, refusals included */
    assert_int_equal(count_files(), 1);
}

static void a_spoilt_cache_is_compiled_anew(void **state)
{
    (void)state;
    check_db();
    char *command = xasprintf("for f in '%s'/debrief/*; do : > \"$f\"; done", home);
    assert_int_equal(system(command), 0);
    check_db();
    free(command);
}

/* What is whole as a file but no database, as another version of libhs would leave it. */
static void a_foreign_database_is_compiled_anew(void **state)
{
    char key[SCAN_CACHE_KEY] = "";
    (void)state;
    check_db();
    char *dir = path_of(".");
    DIR *stream = opendir(dir);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (strncmp(entry->d_name, "scan-", 5) == 0)
            strcpy(key, entry->d_name + 5);
    closedir(stream);
    free(dir);
    static const char foreign[ROWS + 16] = "";
    scan_cache_store(key, foreign, sizeof foreign);
    check_db();
    scan_cache_store(key, "no zero", 7);
    check_db();
}

static void nothing_to_look_for_is_fine(void **state)
{
    struct scan_db db;
    (void)state;
    scan_db_open(&db, rows + 1, 3);
    assert_null(db.hs);
    scan_db_close(&db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, new_home, remove_all)
    const struct CMUnitTest tests[] = {
        TEST(what_is_stored_comes_back),
        TEST(a_damaged_file_is_no_cache),
        TEST(others_files_are_no_cache),
        TEST(no_cache_is_no_trouble),
        TEST(old_files_go),
        TEST(a_bad_pattern_spoils_only_itself),
        TEST(a_spoilt_cache_is_compiled_anew),
        TEST(a_foreign_database_is_compiled_anew),
        TEST(nothing_to_look_for_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
