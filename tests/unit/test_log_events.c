/* log_events.c against the dictionary: every event of the log reader has a row, every field a column. */
#include "base/regex.h"
#include "base/str.h"
#include "evidence/dictionary.h"
#include "read/scan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool has_column(const struct dictionary_column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcmp(columns->name, name) == 0)
            return true;
    return false;
}

static bool has_group(const char *pattern, const char *name)
{
    struct err err = ERR_INIT;
    struct regex *regex = pattern ? regex_new(pattern, REGEX_MULTILINE, &err) : NULL;
    bool found = false;
    for (int i = 1; regex && i <= regex_groups(regex); i++)
        found |= regex_group_name(regex, i) && strcmp(regex_group_name(regex, i), name) == 0;
    assert_string_equal(err.text, "");
    regex_free(regex);
    return found;
}

static void check_groups(const struct scan_pattern *pattern, const char *text)
{
    const struct dictionary_row *row = dictionary_find(pattern->event);
    struct err err = ERR_INIT;
    struct regex *regex = regex_new(text, REGEX_MULTILINE, &err);
    assert_non_null(regex);
    for (int i = 1; i <= regex_groups(regex); i++) {
        assert_non_null(regex_group_name(regex, i));
        if (!has_column(row->columns, regex_group_name(regex, i)))
            fail_msg("'%s' has no column '%s'", pattern->event, regex_group_name(regex, i));
    }
    regex_free(regex);
}

static void every_group_is_a_column(void **state)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        assert_non_null(dictionary_find(patterns[i].event));
        check_groups(&patterns[i], patterns[i].pattern);
        if (patterns[i].fields)
            check_groups(&patterns[i], patterns[i].fields);
    }
}

static bool is_group_of(const char *event, const char *name)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    bool found = false;
    for (size_t i = 0; i < len; i++)
        if (strcmp(patterns[i].event, event) == 0)
            found |= has_group(patterns[i].pattern, name) || has_group(patterns[i].fields, name);
    return found;
}

static bool has_pattern(const char *event)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    for (size_t i = 0; i < len; i++)
        if (strcmp(patterns[i].event, event) == 0)
            return true;
    return false;
}

static void every_column_is_a_group(void **state)
{
    size_t len;
    const struct dictionary_row *rows = dictionary_rows(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        if (!str_starts(rows[i].name, "log.") && !str_starts(rows[i].name, "access."))
            continue;
        if (!has_pattern(rows[i].name))
            fail_msg("nothing makes '%s'", rows[i].name);
        for (const struct dictionary_column *column = rows[i].columns; column->name; column++)
            if (!has_column(dictionary_event_columns(), column->name) &&
                !is_group_of(rows[i].name, column->name))
                fail_msg("no pattern of '%s' fills '%s'", rows[i].name, column->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_a_column),
        cmocka_unit_test(every_column_is_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
