/* Source: words that are made of others. Reads one word, writes where in it known names stand.
 * Deliberately careful: what is left over must be plain words, or the name a long one; else every
 * "marketing" would go with a "market". */
#include "source/pseudonym_parts.h"

#include "source/identity_words.h"

#include <ctype.h>
#include <string.h>

enum { START = 3, NAME_MIN = 4, PLAIN_MIN = 3, WHOLE_MIN = 6 };

size_t pseudonym_part_end(const char *word, size_t len, size_t from)
{
    size_t to = from + 1;
    if (isupper((unsigned char)word[from]))
        while (to < len && isupper((unsigned char)word[to]) &&
               (to + 1 == len || !islower((unsigned char)word[to + 1])))
            to++;
    if (to == from + 1)
        while (to < len && !isupper((unsigned char)word[to]))
            to++;
    return to;
}

static unsigned start_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < START; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash >> 20;
}

void pseudonym_starts_add(struct pseudonym_starts *starts, const char *name)
{
    if (strlen(name) < START)
        return;
    unsigned start = start_of(name);
    starts->bits[start / 64] |= UINT64_C(1) << start % 64;
}

static bool may_start(const struct pseudonym_starts *starts, const char *name)
{
    unsigned start = start_of(name);
    return starts->bits[start / 64] >> start % 64 & 1;
}

bool pseudonym_starts_in(const struct pseudonym_starts *starts, const char *word)
{
    for (size_t at = 0, len = strlen(word); at + START <= len; at++)
        if (may_start(starts, word + at))
            return true;
    return false;
}

/* ---- how a part can be cut up ---- */

struct cutting {
    char part[PSEUDONYM_MAX];
    size_t len;
    const struct pseudonym_starts *starts;
    pseudonym_known_fn *known;
    void *user;
    bool whole; /* a long name stands somewhere in it */
    /* By where a piece ends, and whether a name stands before that: */
    bool reached[PSEUDONYM_MAX][2], is_name[PSEUDONYM_MAX][2], came_named[PSEUDONYM_MAX][2];
    size_t begin[PSEUDONYM_MAX][2];
};

static void reach(struct cutting *cut, size_t from, size_t to, bool named, bool name)
{
    bool now = named || name;
    if (cut->reached[to][now])
        return;
    cut->reached[to][now] = true;
    cut->begin[to][now] = from;
    cut->is_name[to][now] = name;
    cut->came_named[to][now] = named;
}

/* Whether the text FROM..TO is a piece: of a known name, else of a plain word. */
static bool is_piece(struct cutting *cut, size_t from, size_t to, bool name)
{
    char piece[PSEUDONYM_MAX];
    size_t len = to - from;
    if (len < (name ? (size_t)NAME_MIN : (size_t)PLAIN_MIN))
        return false;
    memcpy(piece, cut->part + from, len);
    piece[len] = '\0';
    return name ? cut->known(cut->user, piece) : identity_word_is_plain(piece);
}

static void step(struct cutting *cut, size_t from)
{
    bool named = cut->reached[from][1], any = named || cut->reached[from][0];
    bool start = cut->len - from >= NAME_MIN && may_start(cut->starts, cut->part + from);
    for (size_t to = cut->len; to > from && start; to--) {
        if (!is_piece(cut, from, to, true))
            continue;
        cut->whole |= to - from >= WHOLE_MIN;
        for (int before = 1; before >= 0; before--)
            if (cut->reached[from][before])
                reach(cut, from, to, before, true);
    }
    bool version = cut->part[from] == 'v' && isdigit((unsigned char)cut->part[from + 1]);
    size_t digits = from + version;
    digits += strspn(cut->part + digits, "0123456789");
    bool plural = cut->part[from] == 's' && from + 1 == cut->len;
    for (int before = 0; any && before < 2; before++) {
        if (!cut->reached[from][before])
            continue;
        if (digits > from)
            reach(cut, from, digits, before, false);
        if (plural && before)
            reach(cut, from, cut->len, before, false);
        for (size_t to = cut->len; to > from; to--)
            if (is_piece(cut, from, to, false))
                reach(cut, from, to, before, false);
    }
}

/* The names of the cutting that was found, the last one first. */
static size_t stretches(const struct cutting *cut, struct pseudonym_stretch *out)
{
    size_t len = 0, at = cut->len;
    bool named = true;
    while (at && len < PSEUDONYM_STRETCHES) {
        size_t from = cut->begin[at][named];
        if (cut->is_name[at][named])
            out[len++] = (struct pseudonym_stretch){from, at};
        named = cut->came_named[at][named];
        at = from;
    }
    for (size_t i = 0; i < len / 2; i++) {
        struct pseudonym_stretch other = out[i];
        out[i] = out[len - 1 - i];
        out[len - 1 - i] = other;
    }
    return len;
}

size_t pseudonym_parts_glued(const char *part, const struct pseudonym_starts *starts,
                             pseudonym_known_fn *known, void *user, bool whole,
                             struct pseudonym_stretch *out)
{
    size_t len = strlen(part);
    if (len >= PSEUDONYM_MAX || !pseudonym_starts_in(starts, part) || identity_word_is_plain(part))
        return 0;
    struct cutting cut = {.len = len, .starts = starts, .known = known, .user = user};
    memcpy(cut.part, part, len + 1);
    cut.reached[0][0] = true;
    for (size_t at = 0; at < len; at++)
        step(&cut, at);
    if (cut.reached[len][1])
        return stretches(&cut, out);
    if (!whole)
        return 0;
    out[0] = (struct pseudonym_stretch){0, len};
    return cut.whole;
}
