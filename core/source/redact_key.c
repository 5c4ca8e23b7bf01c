/* Source: walks over a private key. Reads the text behind its BEGIN line, writes how much of it to keep
 * and to drop. Deliberately tolerant of what wraps each line (CRI, docker, JSON escapes): material is
 * known by its look, not by its place. */
#include "source/redact_key.h"

#include <string.h>

enum { RUN_MIN = 24, RUN_MAX = 4096, BEHIND_MAX = 1 << 14, IDLE_MAX = 3 };

void redact_key_begin(struct redact_key *key)
{
    *key = (struct redact_key){.inside = true};
}

static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* Length of the run of base64 at the start of TEXT; some writers of JSON escape the slash. */
static size_t run_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && n < RUN_MAX) {
        if (is_base64(text[n]))
            n++;
        else if (text[n] == '\\' && n + 1 < len && text[n + 1] == '/')
            n += 2;
        else
            break;
    }
    return n;
}

static void end_line(struct redact_key *key, bool escaped)
{
    key->fresh = true;
    if (!escaped && ++key->idle > IDLE_MAX)
        key->inside = false;
}

/* Backslashes and the letter they escape: "\n", and "\\n" in JSON within JSON. */
static size_t escape_length(struct redact_key *key, const char *text, size_t len, bool last)
{
    size_t n = 0;
    while (n < len && text[n] == '\\')
        n++;
    if (n == len)
        return last || n > 16 ? n : 0;
    if (text[n] == 'n' || text[n] == 'r' || text[n] == 't') {
        end_line(key, true);
        n++;
    }
    return n;
}

static size_t run_step(struct redact_key *key, const char *text, size_t len, bool last,
                       size_t *keep, bool *mark)
{
    size_t n = run_length(text, len);
    bool open = n == len && !last, endless = n >= RUN_MAX;
    if (open && !endless)
        return 0;
    bool own_line = key->fresh && (n == len || text[n] == '\n' || text[n] == '\r' ||
                                   text[n] == '\\' || text[n] == '"' || text[n] == '\'');
    bool material = key->in_run || n >= RUN_MIN || own_line;
    *keep = material ? 0 : n;
    *mark = material && !key->marked;
    key->marked |= material;
    key->in_run = material && endless;
    key->fresh = false;
    if (material)
        key->idle = 0;
    return n;
}

static bool ends_here(const char *text, size_t len)
{
    return len >= 8 && memcmp(text, "-----END", 8) == 0;
}

size_t redact_key_step(struct redact_key *key, const char *text, size_t len, bool last,
                       size_t *keep, bool *mark)
{
    size_t n = 1;
    *mark = false;
    if (*text == '-' && len < 8 && !last)
        return 0;
    if (ends_here(text, len) || key->behind > BEHIND_MAX) {
        key->inside = false;
        n = 0;
    } else if (*text == '\n') {
        end_line(key, false);
    } else if (*text == '\\' && !(len > 1 && text[1] == '/')) {
        n = escape_length(key, text, len, last);
    } else if (is_base64(*text) || *text == '\\') {
        n = run_step(key, text, len, last, keep, mark);
        key->behind += n;
        return n;
    } else if (*text != ' ' && *text != '\t') {
        key->fresh = false;
    }
    *keep = n;
    key->behind += n;
    return n;
}
