/* Base: cuts a stream of YAML into its documents. Reads bytes from a function, gives them out again up to
 * the next marker. Deliberately looks at the beginnings of lines only: the text between them is
 * libyaml's. */
#include "base/yaml_cut.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

enum { BYTES = 16 << 10, MARKER = 4 }; /* "---" and what is behind it */

void yaml_cut_init(struct yaml_cut *cut, yaml_pull_fn *pull, void *user)
{
    *cut = (struct yaml_cut){.pull = pull, .user = user, .bytes = xmalloc(BYTES), .line = 1};
}

void yaml_cut_release(struct yaml_cut *cut)
{
    free(cut->bytes);
}

/* Pulls until there are WANTED bytes, or no more to come. */
static bool fill(struct yaml_cut *cut, size_t wanted)
{
    while (!cut->ended && cut->len - cut->at < wanted) {
        size_t got = 0;
        memmove(cut->bytes, cut->bytes + cut->at, cut->len - cut->at);
        cut->len -= cut->at;
        cut->at = 0;
        if (!cut->pull(cut->user, cut->bytes + cut->len, BYTES - cut->len, &got)) {
            cut->ended = true;
            return false;
        }
        cut->len += got;
        cut->ended = got == 0;
    }
    return true;
}

static bool is_marker(const struct yaml_cut *cut, const char *marker)
{
    const char *at = cut->bytes + cut->at;
    size_t len = cut->len - cut->at;
    return len >= 3 && memcmp(at, marker, 3) == 0 && (len == 3 || strchr(" \t\r\n", at[3]));
}

/* How much of the line at hand may be given out; 0 where the document ends. */
static size_t rest_of_line(struct yaml_cut *cut)
{
    const char *at = cut->bytes + cut->at;
    bool begins = !cut->inside;
    if (begins && cut->content && is_marker(cut, "---"))
        return 0;
    if (begins && is_marker(cut, "..."))
        cut->over = true;
    if (begins && !strchr("#%\r\n", *at))
        cut->content = true;
    const char *end = memchr(at, '\n', cut->len - cut->at);
    return end ? (size_t)(end + 1 - at) : cut->len - cut->at;
}

static void give(struct yaml_cut *cut, char *bytes, size_t len)
{
    memcpy(bytes, cut->bytes + cut->at, len);
    cut->at += len;
    cut->inside = bytes[len - 1] != '\n';
    cut->line += !cut->inside;
}

bool yaml_cut_read(struct yaml_cut *cut, char *bytes, size_t cap, size_t *got)
{
    *got = 0;
    while (*got < cap && (!cut->over || cut->inside)) {
        if (!fill(cut, MARKER))
            return false;
        if (cut->at == cut->len)
            break;
        size_t len = rest_of_line(cut);
        if (!len) {
            cut->over = true;
            break;
        }
        if (len > cap - *got)
            len = cap - *got;
        give(cut, bytes + *got, len);
        *got += len;
    }
    return true;
}

bool yaml_cut_next(struct yaml_cut *cut)
{
    char bytes[1024];
    size_t got = 1;
    while (cut->first_line && got && yaml_cut_read(cut, bytes, sizeof bytes, &got))
        ;
    if (!fill(cut, MARKER) || cut->at == cut->len)
        return false;
    cut->first_line = cut->line;
    cut->over = cut->content = false;
    return true;
}
