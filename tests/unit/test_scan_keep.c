/* scan_keep.c: which hits are kept, and how they are counted. */
#include "base/alloc.h"
#include "read/scan_keep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct keep keep;
    size_t live; /* copies that were not dropped */
    uint64_t given[4096], seen;
    size_t given_len;
    uint64_t wrong; /* this hit's number is none after all */
};

static void drop(void *user, void *copy)
{
    ((struct world *)user)->live--;
    free(copy);
}

/* A copy is the number that stands at the beginning of the hit's line. */
static void *take(void *user, size_t event, const struct keep_hit *hit)
{
    struct world *world = user;
    const char *text = world->keep.text;
    size_t at = hit->end - 1;
    uint64_t *copy = xmalloc(sizeof *copy);
    assert_in_range(event, 0, 1);
    while (at && text[at - 1] != '\n')
        at--;
    *copy = strtoull(text + at, NULL, 10);
    world->live++;
    return copy;
}

static bool give(void *user, size_t event, const struct keep_hit *hit)
{
    struct world *world = user;
    if (event != 0)
        return true;
    if (hit->number == world->wrong)
        return false;
    world->given[world->given_len++] = *(uint64_t *)hit->copy;
    return true;
}

static void seen(void *user, size_t event, uint64_t count)
{
    if (event == 0)
        ((struct world *)user)->seen = count;
}

static void begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    keep_init(&world->keep, 2, drop, world);
}

/* Lines "NUMBER TEXT\n"; each hit ends at its line's end. */
static void window(struct world *world, int from, int to, const char *(*text)(int))
{
    char *lines = xmalloc(64 * (size_t)(to - from) + 1);
    size_t len = 0, *ends = xcalloc((size_t)(to - from), sizeof *ends);
    for (int i = from; i < to; i++) {
        len += (size_t)sprintf(lines + len, "%d %s", i, text(i));
        ends[i - from] = len;
        lines[len++] = '\n';
    }
    keep_begin(&world->keep, lines, len, false);
    for (int i = from; i < to; i++)
        keep_match(&world->keep, 0, 0, ends[i - from]);
    keep_end(&world->keep, take, world);
    free(lines);
    free(ends);
}

static void end(struct world *world)
{
    keep_flush(&world->keep, give, seen, world);
    keep_release(&world->keep);
    assert_int_equal(world->live, 0);
}

static const char *usual(int i)
{
    return i == 5000 ? "closed: 7777" : "closed: 1414";
}

static void first_last_and_different_ones_are_kept(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    for (int i = 1; i <= 10000; i += 100)
        window(&world, i, i + 100, usual);
    end(&world);
    assert_int_equal(world.seen, 10000);
    assert_int_equal(world.given_len, KEEP_FIRST + KEEP_LAST + 1);
    for (uint64_t i = 0; i < KEEP_FIRST; i++)
        assert_int_equal(world.given[i], i + 1);
    assert_int_equal(world.given[KEEP_FIRST], 5000);
    for (uint64_t i = 0; i < KEEP_LAST; i++)
        assert_int_equal(world.given[KEEP_FIRST + 1 + i], 10000 - KEEP_LAST + 1 + i);
}

static const char *always_new(int i)
{
    static char text[32];
    sprintf(text, "closed %08d", i);
    return text;
}

static void different_ones_have_an_end(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    window(&world, 1, 3001, always_new);
    end(&world);
    assert_int_equal(world.seen, 3000);
    assert_int_equal(world.given_len, KEEP_FIRST + KEEP_DISTINCT + KEEP_LAST);
    assert_int_equal(world.given[world.given_len - 1], 3000);
}

static void few_hits_are_all_kept(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    window(&world, 1, KEEP_FIRST + KEEP_LAST + 1, usual);
    end(&world);
    assert_int_equal(world.seen, KEEP_FIRST + KEEP_LAST);
    assert_int_equal(world.given_len, KEEP_FIRST + KEEP_LAST);
}

static size_t hit_end, hit_row;

static void *take_end(void *user, size_t event, const struct keep_hit *hit)
{
    struct world *world = user;
    (void)event;
    world->live++;
    hit_end = hit->end;
    hit_row = hit->row;
    return xcalloc(1, 8);
}

static void one_hit_per_line_its_last_end_and_first_pattern(void **state)
{
    static const char text[] = "closed: 14\nclosed: 1\n";
    struct world world;
    (void)state;
    begin(&world);
    keep_begin(&world.keep, text, strlen(text), false);
    keep_match(&world.keep, 0, 3, 9);
    keep_match(&world.keep, 0, 3, 10);
    keep_end(&world.keep, take_end, &world);
    assert_int_equal(hit_end, 10);
    keep_begin(&world.keep, text, strlen(text), false);
    keep_match(&world.keep, 0, 3, 9);
    keep_match(&world.keep, 0, 5, 10); /* a later pattern does not take the line over */
    keep_end(&world.keep, take_end, &world);
    assert_int_equal(hit_end, 9);
    assert_int_equal(hit_row, 3);
    keep_begin(&world.keep, text, strlen(text), false);
    keep_match(&world.keep, 0, 5, 9);
    keep_match(&world.keep, 0, 3, 10);
    keep_match(&world.keep, 0, 3, 20); /* the next line */
    keep_end(&world.keep, take_end, &world);
    end(&world);
    assert_int_equal(world.seen, 4);
}

/* A line that is longer than windows: an event counts once for it, however many pieces it has. */
static void a_line_over_several_windows_counts_once(void **state)
{
    static const char *const pieces[] = {"1 a\n2 hit..", "..hit..", "hit\n3 hit\n"};
    struct world world;
    (void)state;
    begin(&world);
    for (size_t i = 0; i < 3; i++) {
        const char *piece = pieces[i];
        keep_begin(&world.keep, piece, strlen(piece), i > 0);
        for (const char *at = piece; (at = strstr(at, "hit")) != NULL; at += 3)
            keep_match(&world.keep, 0, 0, (size_t)(at - piece) + 3);
        keep_end(&world.keep, take, &world);
    }
    end(&world);
    assert_int_equal(world.seen, 2);
    assert_int_equal(world.given[0], 2);
    assert_int_equal(world.given[1], 3);
}

static void what_proves_no_hit_is_not_counted(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    window(&world, 1, 11, usual);
    world.wrong = 4;
    end(&world);
    assert_int_equal(world.seen, 9);
    assert_int_equal(world.given_len, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_last_and_different_ones_are_kept),
        cmocka_unit_test(different_ones_have_an_end),
        cmocka_unit_test(few_hits_are_all_kept),
        cmocka_unit_test(one_hit_per_line_its_last_end_and_first_pattern),
        cmocka_unit_test(a_line_over_several_windows_counts_once),
        cmocka_unit_test(what_proves_no_hit_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
