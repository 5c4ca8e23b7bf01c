/* Stage: report. Chooses which parts of a long proof are shown where there is little room. Reads the text,
 * writes places in it. Deliberately changes nothing of it: the whole text is in the report. */
#include "report/excerpt.h"
#include "base/alloc.h"
#include <string.h>

enum {
    HEAD = 120, /* bytes that are shown of every beginning */
    LEAD = 60,  /* and before the words that tell why */
    WORD = 24,  /* so much less of both, for no word to be cut */
};

/* Where in TEXT the words stand that tell why, the surest first; NULL. */
static const char *decisive(const char *text)
{
    static const char *const words[] = {"CERTIFICATE_VERIFY_FAILED",
                                        "failure reason",
                                        "failure_reason",
                                        "TLS_error",
                                        "TLS error",
                                        "desc = ",
                                        "reset reason",
                                        "not authorized",
                                        "denied",
                                        "refused"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *at = strcasestr(text, words[i]);
        if (at)
            return at;
    }
    return NULL;
}

static size_t character_start(const char *text, size_t at)
{
    while (at && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Where the last word before AT ends, when that is near; else AT. */
static size_t word_end(const char *text, size_t at)
{
    for (size_t end = at; end > at - WORD; end--)
        if (text[end] == ' ')
            return end;
    return at;
}

/* Where the first word behind AT begins, when that is near; else AT. */
static size_t word_start(const char *text, size_t at)
{
    for (size_t start = at; start < at + WORD && text[start]; start++)
        if (text[start - 1] == ' ')
            return start;
    return at;
}

struct excerpt excerpt_of(const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len <= max)
        return (struct excerpt){0, 0, len};
    const char *word = decisive(text + HEAD - LEAD);
    size_t last = len - (max - HEAD), from = last;
    if (word && (size_t)(word - text) - LEAD < last)
        from = (size_t)(word - text) - LEAD;
    from = character_start(text, from);
    size_t to = character_start(text, from + (max - HEAD));
    if (from <= HEAD) /* what tells why follows the beginning */
        return (struct excerpt){0, 0, character_start(text, max)};
    return (struct excerpt){word_end(text, character_start(text, HEAD)), word_start(text, from),
                            to};
}
