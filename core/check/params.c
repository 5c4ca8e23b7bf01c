/* Stage: check. Reads the texts of parameter values, says whether they are of their type and what
 * they amount to. Deliberately keeps them as text otherwise: plans and messages carry text. */
#include "check/params.h"

#include "base/alloc.h"
#include "base/str.h"
#include "debrief/plugin.h"

#include <string.h>

static const char *const names[] = {
    [DEBRIEF_STRING] = "string",
    [DEBRIEF_NUMBER] = "number",
    [DEBRIEF_BOOL] = "bool",
    [DEBRIEF_DURATION] = "duration",
};

const char *params_type_name(int type)
{
    return type > 0 && (size_t)type < ARRAY_LEN(names) ? names[type] : NULL;
}

int params_type(const char *name)
{
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return 0;
}

bool params_valid(int type, const char *value, struct err *err)
{
    double number;
    int64_t ms;
    switch (type) {
    case DEBRIEF_STRING:
        return true;
    case DEBRIEF_NUMBER:
        return str_to_double(value, &number) || err_set(err, "'%s' is no number", value);
    case DEBRIEF_BOOL:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
               err_set(err, "'%s' is neither true nor false", value);
    case DEBRIEF_DURATION:
        return str_to_duration(value, &ms) ||
               err_set(err, "'%s' is no duration like 500ms, 10s or 1m30s", value);
    default:
        return err_set(err, "there is no parameter type %d", type);
    }
}

double params_number(int type, const char *value)
{
    double number = 0;
    int64_t ms = 0;
    if (type == DEBRIEF_BOOL)
        return strcmp(value, "true") == 0;
    if (type == DEBRIEF_DURATION)
        return str_to_duration(value, &ms) ? (double)ms / 1000 : 0;
    return str_to_double(value, &number) ? number : 0;
}
