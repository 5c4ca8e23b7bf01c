/* Values of parameters: what each type takes, and what it amounts to. */
#include "check/params.h"
#include "debrief/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_values(void **state)
{
    static const struct {
        int type;
        const char *value;
        bool valid;
        double number;
    } rows[] = {
        {DEBRIEF_STRING, "", true, 0},
        {DEBRIEF_STRING, "12", true, 12},
        {DEBRIEF_NUMBER, "3", true, 3},
        {DEBRIEF_NUMBER, "-0.5", true, -0.5},
        {DEBRIEF_NUMBER, "3x", false, 0},
        {DEBRIEF_NUMBER, "nan", false, 0},
        {DEBRIEF_NUMBER, "", false, 0},
        {DEBRIEF_BOOL, "true", true, 1},
        {DEBRIEF_BOOL, "false", true, 0},
        {DEBRIEF_BOOL, "yes", false, 0},
        {DEBRIEF_DURATION, "500ms", true, 0.5},
        {DEBRIEF_DURATION, "1m30s", true, 90},
        {DEBRIEF_DURATION, "10", false, 0},
        {0, "x", false, 0},
        {99, "x", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        if (params_valid(rows[i].type, rows[i].value, &err) != rows[i].valid)
            fail_msg("'%s' as %d: %s", rows[i].value, rows[i].type, err.text);
        if (rows[i].valid && params_number(rows[i].type, rows[i].value) != rows[i].number)
            fail_msg("'%s' is %f", rows[i].value, params_number(rows[i].type, rows[i].value));
    }
}

static void test_types(void **state)
{
    (void)state;
    for (int type = DEBRIEF_STRING; type <= DEBRIEF_DURATION; type++)
        assert_int_equal(params_type(params_type_name(type)), type);
    assert_int_equal(params_type("text"), 0);
    assert_null(params_type_name(0));
    assert_null(params_type_name(5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
