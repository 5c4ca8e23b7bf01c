/* Stage: compare. What two texts must have in common to be the same: the instance's own names and
 * addresses are taken out, sets are put in order, numbers are read. Reads texts, writes texts. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "compare/compare.h"
#include <ctype.h>
#include <string.h>

enum { PLAIN_MAX = 8192 };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0;
}

/* The own name that stands at AT as a word of its own; its length, 0: none does. */
static size_t own_at(const char *const *own, const char *text, const char *at)
{
    for (; own && *own; own++) {
        size_t len = strlen(*own);
        bool begins = at == text || !is_word(at[-1]) || !is_word(**own);
        if (begins && strncmp(at, *own, len) == 0 && !is_word(at[len]))
            return len;
    }
    return 0;
}

static void add_plain(struct buf *out, const char *const *own, const char *text)
{
    for (const char *at = text; *at;) {
        size_t len = own_at(own, text, at);
        if (len)
            buf_adds(out, "(own)");
        else
            buf_addch(out, *at);
        at += len ? len : 1;
    }
}

static const char *ended(const struct compare_side *side, const char *text)
{
    int64_t time;
    if (!side->gathered || !clock_parse(text, strlen(text), &time))
        return NULL;
    return time <= side->gathered ? "ended" : "valid";
}

static bool is_in_use(const char *state)
{
    static const char *const states[] = {"static", "active", "accepted"};
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

const char *compare_plain(const struct comparison *all, const struct compare_side *side,
                          enum compare_how how, const char *text)
{
    struct buf plain, set;
    double number;
    if (how == COMPARE_PRESENT)
        return "there";
    if (how == COMPARE_EXPIRY)
        return ended(side, text);
    if ((how == COMPARE_NUMBER || how == COMPARE_COUNT || how == COMPARE_RISEN) &&
        str_to_double(text, &number))
        return arena_printf(all->arena, "%.15g", number);
    if (how == COMPARE_SETTLED && is_in_use(text))
        return "in use";
    if (how == COMPARE_SWITCH && text[0] && !text[1] && strchr("01", text[0]))
        return text[0] == '1' ? "true" : "false";
    buf_init(&plain, PLAIN_MAX);
    buf_init(&set, PLAIN_MAX);
    add_plain(&plain, side->own, text);
    if (how == COMPARE_SET || how == COMPARE_HOLDER)
        compare_set(&set, buf_str(&plain), how == COMPARE_HOLDER);
    const char *result = arena_strdup(all->arena, buf_str(set.len ? &set : &plain));
    buf_release(&plain);
    buf_release(&set);
    return result;
}
