/* Stage: check. Reads a check's needs and the state of the evidence, writes what is missing and how to
 * supply it. Deliberately knows no check: missing evidence is the host's business, so that "no such
 * line" and "no log" never look alike. */
#include "check/judge.h"

#include "base/json.h"
#include "base/str.h"
#include "evidence/dictionary.h"
#include "finding/ways.h"

#include <string.h>

enum { TEXT_MAX = 4096 };

struct need_walk { /* the needs of a check, and the one that its own events amount to */
    const struct check_meta *meta;
    size_t at;
    struct need events;
    struct need_term term;
};

static bool names_events(const struct check_meta *meta)
{
    for (size_t i = 0; i < meta->needs_len; i++)
        for (size_t j = 0; j < meta->needs[i].terms_len; j++)
            if (str_starts(meta->needs[i].terms[j].name, "event."))
                return true;
    return false;
}

static const struct need *next_need(struct need_walk *walk)
{
    const struct check_meta *meta = walk->meta;
    if (walk->at < meta->needs_len)
        return &meta->needs[walk->at++];
    if (walk->at++ > meta->needs_len || !meta->events_len || names_events(meta))
        return NULL;
    walk->term.name = meta->events[0].evidence; /* one stands for all: their state is the same */
    walk->events = (struct need){.optional = true, .terms = &walk->term, .terms_len = 1};
    return &walk->events;
}

static enum evidence_state need_state(const struct need *need, const struct evidence *evidence)
{
    enum evidence_state best = EVIDENCE_ABSENT;
    for (size_t i = 0; i < need->terms_len; i++) {
        enum evidence_state state = evidence_state(evidence, need->terms[i].name);
        best = state > best ? state : best;
    }
    return best;
}

/* ---- words ---- */

/* The name that people know: events are looked for in texts. */
static const char *shown_name(const struct need_term *term)
{
    return str_starts(term->name, "event.") ? "text" : term->name;
}

/* Whether an earlier alternative has the same name. */
static bool is_repeated(const struct need *need, size_t term)
{
    for (size_t i = 0; i < term; i++)
        if (strcmp(shown_name(&need->terms[i]), shown_name(&need->terms[term])) == 0)
            return true;
    return false;
}

static void add_names(struct buf *out, const struct need *need)
{
    for (size_t i = 0; i < need->terms_len; i++)
        if (!is_repeated(need, i))
            buf_addf(out, "%s%s", i ? " or " : "", shown_name(&need->terms[i]));
}

static void add_how(struct buf *out, const struct need *need, const struct evidence *evidence)
{
    struct names names;
    names_find(&names, evidence);
    for (size_t i = 0; i < need->terms_len; i++) {
        const char *name = shown_name(&need->terms[i]);
        const struct dictionary_row *row = dictionary_find(name);
        struct buf way;
        if (is_repeated(need, i))
            continue;
        buf_init(&way, TEXT_MAX);
        if (row)
            ways_fit(&way, row->how, evidence, &names);
        else
            buf_addf(&way, "add the file '%s' with --evidence PATH", name + strlen("file."));
        if (!out->len || !strstr(buf_str(out), buf_str(&way)))
            buf_addf(out, "%s%s", out->len ? "; or: " : "", buf_str(&way));
        buf_release(&way);
    }
}

/* The source that would have supplied it, had it been readable. */
static const struct source *failed_source(const struct need *need, struct evidence *evidence)
{
    const struct sources *sources = evidence_sources(evidence);
    struct need_set set = {.terms = need->terms, .len = need->terms_len};
    for (size_t i = 0; i < sources->len; i++) {
        const struct source *source = &sources->items[i];
        if (source->problems && need_set_wants_source(&set, source->name))
            return source;
    }
    return NULL;
}

static void explain(const struct need *need, struct evidence *evidence, const char *intro,
                    struct buf *reason, cJSON *missing)
{
    struct buf names, how;
    buf_init(&names, TEXT_MAX);
    buf_init(&how, TEXT_MAX);
    add_names(&names, need);
    add_how(&how, need, evidence);
    buf_addf(reason, "%s%s", reason->len ? ", " : intro, buf_str(&names));
    const struct source *failed = failed_source(need, evidence);
    if (failed)
        buf_addf(reason, " (source '%s': %s)", failed->name, failed->problems->text);
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "evidence", buf_str(&names));
    json_put_str(row, "how", buf_str(&how));
    cJSON_AddItemToArray(missing, row);
    buf_release(&names);
    buf_release(&how);
}

/* ---- judging ---- */

struct tally {
    size_t required, required_whole, present, whole;
};

static struct tally count(const struct check_meta *meta, const struct evidence *evidence)
{
    struct tally tally = {0};
    struct need_walk walk = {.meta = meta};
    for (const struct need *need; (need = next_need(&walk));) {
        enum evidence_state state = need_state(need, evidence);
        tally.required += !need->optional;
        tally.required_whole += !need->optional && state == EVIDENCE_COMPLETE;
        tally.present += state != EVIDENCE_ABSENT;
        tally.whole += state == EVIDENCE_COMPLETE;
    }
    return tally;
}

bool judge_ready(const struct check_meta *meta, struct evidence *evidence, struct buf *reason,
                 cJSON *missing)
{
    struct tally tally = count(meta, evidence);
    bool optional_too = !tally.required && !tally.present;
    struct need_walk walk = {.meta = meta};
    for (const struct need *need; (need = next_need(&walk));)
        if ((!need->optional || optional_too) && need_state(need, evidence) == EVIDENCE_ABSENT)
            explain(need, evidence, "missing: ", reason, missing);
    return cJSON_GetArraySize(missing) == 0;
}

bool judge_conclusive(const struct check_meta *meta, struct evidence *evidence, struct buf *reason,
                      cJSON *missing)
{
    struct tally tally = count(meta, evidence);
    bool whole = tally.required ? tally.required_whole == tally.required
                                : !tally.present || tally.whole;
    struct need_walk walk = {.meta = meta};
    for (const struct need *need; !whole && (need = next_need(&walk));)
        if ((!need->optional || !tally.required) && need_state(need, evidence) == EVIDENCE_PARTIAL)
            explain(need, evidence, "not enough to tell, there is only a part of: ", reason,
                    missing);
    return whole;
}
