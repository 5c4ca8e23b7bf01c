/* The walk: sorted, complete, and never out of its root. */
#include "base/dirscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static void test_order_and_links(void **state)
{
    struct dirscan scan;
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("walk/b.log", "bb");
    scratch_put("walk/a/z.log", "z");
    scratch_put("walk/a-b.log", "x");
    char *inside = scratch_path("walk/inside"), *outside = scratch_path("walk/outside");
    char *broken = scratch_path("walk/broken"), *loop = scratch_path("walk/a/loop");
    char *pipe = scratch_path("walk/pipe"), *root = scratch_path("walk");
    assert_int_equal(symlink("b.log", inside), 0);
    assert_int_equal(symlink("/etc/hostname", outside), 0);
    assert_int_equal(symlink("nowhere", broken), 0);
    assert_int_equal(symlink("..", loop), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_true(dirscan_walk(&scan, root, 100, &err));
    static const char *const names[] = {"a-b.log", "a/z.log", "b.log", "broken", "outside"};
    assert_int_equal(scan.len, ARRAY_LEN(names));
    for (size_t i = 0; i < scan.len; i++)
        assert_string_equal(scan.items[i].name, names[i]);
    assert_int_equal(scan.items[2].size, 2);
    assert_null(scan.items[2].trouble);
    assert_string_equal(scan.items[3].trouble, "No such file or directory");
    assert_string_equal(scan.items[4].trouble, "a link that leaves the directory");
    assert_null(scan.items[4].path);
    assert_false(scan.cut);
    dirscan_release(&scan);
    assert_true(dirscan_walk(&scan, root, 2, &err));
    assert_int_equal(scan.len, 2);
    assert_true(scan.cut);
    dirscan_release(&scan);
    free(inside), free(outside), free(broken), free(loop), free(pipe), free(root);
}

static void test_inside(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    scratch_put("in/x/file", "x");
    scratch_put("secret", "s");
    char *root = scratch_path("in"), *link = scratch_path("in/link");
    assert_int_equal(symlink("..", link), 0);
    char *found = dirscan_inside(root, "x/file", &err);
    assert_non_null(found);
    free(found);
    assert_null(dirscan_inside(root, "../secret", &err));
    assert_string_equal(err.text, "cannot use '../secret': it lies outside the directory");
    assert_null(dirscan_inside(root, "link/secret", &err));
    assert_string_equal(err.text, "cannot use 'link/secret': it lies outside the directory");
    assert_null(dirscan_inside(root, "x", &err));
    assert_string_equal(err.text, "cannot use 'x': not a regular file");
    free(root), free(link);
}

static void test_no_directory(void **state)
{
    struct dirscan scan;
    struct err err = ERR_INIT;
    (void)state;
    assert_false(dirscan_walk(&scan, "/nonexistent", 10, &err));
    assert_string_equal(err.text,
                        "cannot list directory '/nonexistent': No such file or directory");
    dirscan_release(&scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_links),
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_no_directory),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
