/* Source: pseudonyms. Reads words, accounts and addresses, writes what stands for them, and remembers
 * which of them name somebody. Deliberately computes every pseudonym from the key and nothing else:
 * what was seen before, or by another process, changes none. */
#include "source/pseudonym.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "source/identity_words.h"
#include "source/pseudonym_map.h"
#include "source/pseudonym_parts.h"
#include "source/published.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PREFIX "anon"

enum { CODE_LEN = 7, ACCOUNT_LEN = 12 };

struct pseudonyms {
    unsigned char key[PSEUDONYM_KEY];
    struct pseudonym_map *map; /* NULL: none is kept */
    struct arena *arena;
    struct pseudonym **slots; /* by hash of the original; NULL is free */
    size_t cap, len, named;
    struct pseudonym_starts starts; /* of those that are named */
    char text[PSEUDONYM_MAX];       /* the answer */
};

/* ---- life ---- */

struct pseudonyms *pseudonyms_new(const char *map, struct err *err)
{
    struct pseudonyms *names = xcalloc(1, sizeof *names);
    names->arena = arena_new();
    if (RAND_bytes(names->key, sizeof names->key) != 1)
        BUG("no random numbers");
    if (!map || (names->map = pseudonym_map_open(map, names->key, err)))
        return names;
    pseudonyms_free(names);
    return NULL;
}

void pseudonyms_free(struct pseudonyms *names)
{
    if (!names)
        return;
    pseudonym_map_free(names->map);
    OPENSSL_cleanse(names->key, sizeof names->key);
    arena_free(names->arena);
    free(names->slots);
    free(names);
}

bool pseudonyms_save(struct pseudonyms *names, struct err *err)
{
    return !names->map || pseudonym_map_save(names->map, names->slots, names->cap, err);
}

/* ---- what is remembered ---- */

static size_t slot_of(const struct pseudonyms *names, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    size_t slot = (size_t)hash & (names->cap - 1);
    while (names->slots[slot] && strcmp(names->slots[slot]->original, text) != 0)
        slot = (slot + 1) & (names->cap - 1);
    return slot;
}

static void grow(struct pseudonyms *names)
{
    struct pseudonym **old = names->slots;
    size_t old_cap = names->cap;
    names->cap = old_cap ? old_cap * 2 : 1024;
    names->slots = xcalloc(names->cap, sizeof *names->slots);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            names->slots[slot_of(names, old[i]->original)] = old[i];
    free(old);
}

/* NULL when it is not known, or with ADD when there is no more room. */
static struct pseudonym *find(struct pseudonyms *names, const char *text, bool add)
{
    if (names->len * 2 >= names->cap)
        grow(names);
    size_t slot = slot_of(names, text);
    if (!names->slots[slot] && add && names->len < PSEUDONYMS_MAX) {
        names->slots[slot] = arena_alloc(names->arena, sizeof **names->slots);
        names->slots[slot]->original = arena_strdup(names->arena, text);
        names->len++;
    }
    return names->slots[slot];
}

/* Remembers the answer, for the map and for the next time. */
static const char *remember(struct pseudonyms *names, const char *original)
{
    struct pseudonym *one = find(names, original, true);
    if (one)
        one->text = arena_strdup(names->arena, names->text);
    return names->text;
}

static const char *recall(struct pseudonyms *names, const char *original)
{
    const struct pseudonym *one = find(names, original, false);
    return one ? one->text : NULL;
}

static bool is_named(struct pseudonyms *names, const char *lowered)
{
    const struct pseudonym *one = find(names, lowered, false);
    return one && one->named;
}

static void digest_of(const struct pseudonyms *names, char use, const char *text,
                      unsigned char digest[32])
{
    char input[PSEUDONYM_MAX + 2];
    unsigned int size = 32;
    int len = snprintf(input, sizeof input, "%c%s", use, text);
    if (!HMAC(EVP_sha256(), names->key, PSEUDONYM_KEY, (const unsigned char *)input, (size_t)len,
              digest, &size))
        BUG("no digest");
}

/* ---- words ---- */

static bool lower(char out[PSEUDONYM_MAX], const char *word, size_t len)
{
    if (len >= PSEUDONYM_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)word[i]);
    out[len] = '\0';
    return true;
}

/* Whether one stands in WORD. */
static bool has_pseudonym(const char *word)
{
    size_t len = strlen(PREFIX);
    for (const char *at = word; (at = strstr(at, PREFIX)); at++)
        if (strspn(at + len, "abcdefghijklmnopqrstuvwxyz234567") >= CODE_LEN - 1 &&
            isdigit((unsigned char)at[len + CODE_LEN - 1]))
            return true;
    return false;
}

/* Hexadecimal with a digit (ids, hashes), "dc1", "v1beta1": they name nobody. */
static bool is_id(const char *word)
{
    size_t letters = strspn(word, "abcdefghijklmnopqrstuvwxyz");
    bool digit = strpbrk(word, "0123456789") != NULL;
    if (!digit)
        return false;
    if (strspn(word, "0123456789abcdef") == strlen(word))
        return true;
    return (letters <= 2 && strspn(word + letters, "0123456789") == strlen(word + letters)) ||
           (word[0] == 'v' && isdigit((unsigned char)word[1]));
}

/* "TaskExecutionRole" is as plain as its parts. */
static bool is_plain_compound(const char *word, size_t len)
{
    char part[PSEUDONYM_MAX];
    for (size_t from = 0, to; from < len; from = to) {
        to = pseudonym_part_end(word, len, from);
        size_t letters = to - from;
        while (letters && isdigit((unsigned char)word[from + letters - 1]))
            letters--;
        lower(part, word + from, letters);
        if (letters > 2 && !identity_word_is_plain(part))
            return false;
    }
    return true;
}

static bool is_account(const char *text)
{
    return strlen(text) == ACCOUNT_LEN && strspn(text, "0123456789") == ACCOUNT_LEN;
}

static bool identifies(const char *lowered, const char *word, size_t len)
{
    if (is_account(lowered))
        return strncmp(lowered, "0000", 4) != 0 && !published_region(lowered);
    return len >= 3 && strspn(lowered, "0123456789") < len && !is_id(lowered) &&
           !has_pseudonym(lowered) && !is_plain_compound(word, len);
}

static void name_one(struct pseudonyms *names, const char *lowered)
{
    struct pseudonym *one = find(names, lowered, true);
    if (!one)
        return;
    one->named = true;
    names->named++;
    pseudonym_starts_add(&names->starts, lowered);
}

/* Of "OkapiTaskRole" it is "okapi" that names somebody. What is cut off by capitals alone ("KJW") is
 * taken when it is long: short ones are the endings of ids. */
static bool name_parts(struct pseudonyms *names, const char *word, size_t len)
{
    char part[PSEUDONYM_MAX];
    size_t named = 0;
    for (size_t from = 0, to; from < len; from = to) {
        to = pseudonym_part_end(word, len, from);
        if (from == 0 && to == len)
            return false;
        lower(part, word + from, to - from);
        size_t enough = islower((unsigned char)word[to - 1]) ? 3 : 5;
        if (to - from < enough || !identifies(part, word + from, to - from))
            continue;
        named++;
        if (!is_named(names, part) && names->named < PSEUDONYMS_NAMED)
            name_one(names, part);
    }
    return named > 0;
}

void pseudonyms_name(struct pseudonyms *names, const char *word, size_t len)
{
    char lowered[PSEUDONYM_MAX];
    if (!lower(lowered, word, len) || is_named(names, lowered) || !identifies(lowered, word, len) ||
        names->named == PSEUDONYMS_NAMED)
        return;
    if (!name_parts(names, word, len))
        name_one(names, lowered);
}

bool pseudonym_is(const char *word, size_t len)
{
    char lowered[PSEUDONYM_MAX];
    return lower(lowered, word, len) && has_pseudonym(lowered);
}

void pseudonyms_forget(struct pseudonyms *names)
{
    for (size_t i = 0; i < names->cap; i++)
        if (names->slots[i])
            names->slots[i]->named = false;
    names->named = 0;
    names->starts = (struct pseudonym_starts){{0}};
}

/* As the original is written: "anon...", "Anon...", "ANON...". */
static const char *in_case_of(struct pseudonyms *names, const char *word, size_t len)
{
    bool upper = true, first = isupper((unsigned char)*word);
    for (size_t i = 0; i < len; i++)
        upper = upper && !islower((unsigned char)word[i]);
    for (char *at = names->text; *at && (upper || (first && at == names->text)); at++)
        *at = (char)toupper((unsigned char)*at);
    return names->text;
}

static const char *word_of(struct pseudonyms *names, const char *lowered)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char digest[32];
    const char *known = recall(names, lowered);
    if (known) {
        snprintf(names->text, sizeof names->text, "%s", known);
        return names->text;
    }
    digest_of(names, 'w', lowered, digest);
    size_t len = strlen(PREFIX);
    memcpy(names->text, PREFIX, len);
    for (int i = 0; i < CODE_LEN - 1; i++)
        names->text[len++] = letters[digest[i] % 32];
    names->text[len++] = (char)('0' + digest[CODE_LEN] % 10);
    names->text[len] = '\0';
    return remember(names, lowered);
}

const char *pseudonyms_any(struct pseudonyms *names, const char *word, size_t len)
{
    char lowered[PSEUDONYM_MAX];
    if (!lower(lowered, word, len) || has_pseudonym(lowered))
        return NULL;
    word_of(names, lowered);
    return in_case_of(names, word, len);
}

const char *pseudonyms_word(struct pseudonyms *names, const char *word, size_t len)
{
    char lowered[PSEUDONYM_MAX];
    if (!lower(lowered, word, len))
        return NULL;
    if (!is_named(names, lowered))
        return NULL;
    return is_account(lowered) ? pseudonyms_account(names, lowered)
                               : pseudonyms_any(names, word, len);
}

static bool is_known(void *user, const char *lowered)
{
    return is_named(user, lowered);
}

size_t pseudonyms_stretches(struct pseudonyms *names, const char *word, size_t len,
                            struct pseudonym_stretch out[PSEUDONYM_STRETCHES])
{
    struct pseudonym_stretch glued[PSEUDONYM_STRETCHES];
    char part[PSEUDONYM_MAX];
    size_t found = 0;
    if (!lower(part, word, len) || !pseudonym_starts_in(&names->starts, part) ||
        has_pseudonym(part))
        return 0;
    /* "ZebraCorpAPI" may be cut up in another way than its capitals do. */
    size_t all = pseudonym_parts_glued(part, &names->starts, is_known, names, false, out);
    for (size_t from = 0, to; from < len && !all; from = to) {
        to = pseudonym_part_end(word, len, from);
        lower(part, word + from, to - from);
        size_t more = pseudonym_parts_glued(part, &names->starts, is_known, names, true, glued);
        if (is_named(names, part)) {
            glued[0] = (struct pseudonym_stretch){0, to - from};
            more = 1;
        }
        for (size_t i = 0; i < more && found < PSEUDONYM_STRETCHES; i++)
            out[found++] = (struct pseudonym_stretch){from + glued[i].start, from + glued[i].end};
    }
    return all + found;
}

void pseudonyms_each(const struct pseudonyms *names, pseudonyms_fn *fn, void *user)
{
    for (size_t i = 0; i < names->cap; i++)
        if (names->slots[i] && names->slots[i]->named)
            fn(user, names->slots[i]->original);
}

/* ---- accounts and addresses ---- */

const char *pseudonyms_account(struct pseudonyms *names, const char *digits)
{
    unsigned char digest[32];
    unsigned number = 0;
    if (!identifies(digits, digits, strlen(digits)))
        return NULL;
    digest_of(names, 'a', digits, digest);
    for (int i = 0; i < 4; i++)
        number = number << 8 | digest[i];
    snprintf(names->text, sizeof names->text, "0000%08u", number % 100000000);
    return remember(names, digits);
}

const char *pseudonyms_card(struct pseudonyms *names, const unsigned char card[6])
{
    static const unsigned char nobody[6] = {0}, everybody[6] = {255, 255, 255, 255, 255, 255};
    unsigned char digest[32];
    char original[18];
    if (memcmp(card, nobody, 6) == 0 || memcmp(card, everybody, 6) == 0 || card[0] == 1 ||
        (card[0] == 0xf2 && card[1] == 0))
        return NULL;
    snprintf(original, sizeof original, "%02x:%02x:%02x:%02x:%02x:%02x", card[0], card[1], card[2],
             card[3], card[4], card[5]);
    digest_of(names, 'c', original, digest);
    snprintf(names->text, sizeof names->text, "f2:00:%02x:%02x:%02x:%02x", digest[0], digest[1],
             digest[2], digest[3]);
    return remember(names, original);
}

/* Zero behind BITS. */
static bool is_network(const unsigned char *address, size_t len, unsigned bits)
{
    for (unsigned i = bits; i < len * 8; i++)
        if (address[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

bool pseudonyms_knows_address(struct pseudonyms *names, const unsigned char address[4])
{
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, address, text, sizeof text);
    return recall(names, text) != NULL;
}

const char *pseudonyms_address(struct pseudonyms *names, const unsigned char *address, size_t len,
                               unsigned bits)
{
    unsigned char out[16];
    char original[INET6_ADDRSTRLEN];
    int family = len == 4 ? AF_INET : AF_INET6;
    if (!pseudonym_address(names->key, address, len, out))
        return NULL;
    if (bits < len * 8 && is_network(address, len, bits))
        for (unsigned i = bits; i < len * 8; i++)
            out[i / 8] &= (unsigned char)~(0x80 >> i % 8);
    inet_ntop(family, address, original, sizeof original);
    inet_ntop(family, out, names->text, sizeof names->text);
    if (len == 16 && strchr(names->text, '.')) /* "::ffff:ac13:2c17" was not spelled with dots */
        snprintf(names->text, sizeof names->text, "::%s%x:%x", out[10] ? "ffff:" : "",
                 out[12] << 8 | out[13], out[14] << 8 | out[15]);
    return bits < len * 8 ? names->text : remember(names, original);
}
