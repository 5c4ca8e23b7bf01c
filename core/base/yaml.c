/* Base: YAML as JSON text. Reads libyaml's events, writes JSON to a sink in portions, so that nothing
 * but anchored nodes is kept. Merge keys are applied at the end of their mapping, where it is known
 * which names it has itself. Deliberately does not resolve tags other than the two kinds below. */
#include "base/yaml.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/yaml_anchors.h"
#include "base/yaml_cut.h"
#include "base/yaml_scalar.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    PORTION = 16 << 10,
    EXPANDED_MAX = 16 << 20, /* what aliases may add to one stream */
    MERGES_MAX = 8,          /* per mapping */
};

struct level {
    bool mapping, want_name, merge_list, wrapped;
    size_t count, names_from; /* children so far; where its names begin in `names` */
    int anchor;               /* being recorded, -1: none */
    bool merge_next;          /* the name was "<<" */
    char *merges[MERGES_MAX]; /* anchors to merge, in order */
    int merges_len;
};

struct yaml {
    yaml_parser_t parser;
    struct yaml_cut cut; /* the stream, a document at a time */
    const struct yaml_sink *sink;
    struct err err; /* of the document at hand */
    bool stopped;   /* the sink wants no more */
    struct buf out;
    struct yaml_anchors anchors;
    size_t expanded;
    struct level levels[JSON_DEPTH_MAX];
    int depth;
    uint64_t *names; /* hashes of the names of all open mappings */
    size_t names_len, names_cap;
    int documents;
};

static int pull(void *user, unsigned char *bytes, size_t cap, size_t *got)
{
    struct yaml *yaml = user;
    return yaml_cut_read(&yaml->cut, (char *)bytes, cap, got);
}

static bool fail(struct yaml *yaml, const yaml_event_t *event, const char *why)
{
    return err_set(&yaml->err, "not YAML at line %zu: %s",
                   yaml->cut.first_line + event->start_mark.line, why);
}

/* ---- writing ---- */

static bool flush(struct yaml *yaml)
{
    bool more = !yaml->out.len || yaml->sink->text(yaml->sink->user, yaml->out.data, yaml->out.len);
    buf_clear(&yaml->out);
    yaml->stopped |= !more;
    return more;
}

/* What is in `out` beyond FROM was just added: give it to open anchors, and on when it is enough. */
static bool added(struct yaml *yaml, size_t from)
{
    if (yaml->out.overflow)
        return err_set(&yaml->err, "not read: one YAML scalar is larger than 16 MB");
    yaml_anchors_write(&yaml->anchors, yaml->out.data + from, yaml->out.len - from);
    return yaml->out.len < PORTION || flush(yaml);
}

static bool add(struct yaml *yaml, const char *text, size_t len)
{
    size_t from = yaml->out.len;
    buf_add(&yaml->out, text, len);
    return added(yaml, from);
}

static struct level *top(struct yaml *yaml)
{
    return yaml->depth ? &yaml->levels[yaml->depth - 1] : NULL;
}

static void know_name(struct yaml *yaml, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    if (yaml->names_len == yaml->names_cap) {
        yaml->names_cap = yaml->names_cap ? yaml->names_cap * 2 : 256;
        yaml->names = xrealloc(yaml->names, yaml->names_cap * sizeof *yaml->names);
    }
    yaml->names[yaml->names_len++] = hash;
}

/* Whether the mapping on top has NAME already; it has it from now on. */
static bool knows_name(struct yaml *yaml, const char *name)
{
    know_name(yaml, name);
    uint64_t hash = yaml->names[yaml->names_len - 1];
    for (size_t i = top(yaml)->names_from; i + 1 < yaml->names_len; i++)
        if (yaml->names[i] == hash)
            return true;
    return false;
}

/* A comma where one belongs; names are followed by their colon in `take_name`. */
static bool separate(struct yaml *yaml)
{
    struct level *level = top(yaml);
    if (!level || (level->mapping && !level->want_name))
        return true;
    return level->count++ == 0 || add(yaml, ",", 1);
}

/* A value is complete. */
static bool end_node(struct yaml *yaml)
{
    struct level *level = top(yaml);
    if (level && level->mapping)
        level->want_name = true;
    return true;
}

/* CloudFormation's short forms: "!Ref x" is {"Ref": "x"}, "!Sub x" is {"Fn::Sub": "x"}. */
static bool begin_wrap(struct yaml *yaml, const char *tag, bool *wrapped)
{
    *wrapped = tag && tag[0] == '!' && tag[1] && tag[1] != '!';
    if (!*wrapped)
        return true;
    size_t from = yaml->out.len;
    buf_adds(&yaml->out, "{");
    struct buf name;
    buf_init(&name, 256);
    bool bare = strcmp(tag, "!Ref") == 0 || strcmp(tag, "!Condition") == 0;
    buf_addf(&name, "%s%s", bare ? "" : "Fn::", tag + 1);
    yaml_scalar_write_string(&yaml->out, name.data, name.len);
    buf_release(&name);
    buf_adds(&yaml->out, ":");
    return added(yaml, from);
}

static bool begin_anchor(struct yaml *yaml, const yaml_event_t *event, const void *name,
                         int *anchor)
{
    *anchor = name ? yaml_anchors_begin(&yaml->anchors, name) : -1;
    return !name || *anchor >= 0 || fail(yaml, event, "too many anchors");
}

static bool end_anchor(struct yaml *yaml, const yaml_event_t *event, int anchor)
{
    if (anchor < 0)
        return true;
    yaml_anchors_end(&yaml->anchors, anchor);
    return !yaml->anchors.items[anchor].text.overflow ||
           fail(yaml, event, "the node of an anchor is larger than 1 MB");
}

/* ---- events ---- */

static bool take_name(struct yaml *yaml, const yaml_event_t *event)
{
    struct level *level = top(yaml);
    const char *name = (const char *)event->data.scalar.value;
    level->want_name = false;
    level->merge_next = strcmp(name, "<<") == 0 &&
                        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (level->merge_next)
        return true;
    know_name(yaml, name);
    level->want_name = true;
    if (!separate(yaml))
        return false;
    level->want_name = false;
    size_t from = yaml->out.len;
    yaml_scalar_write_string(&yaml->out, name, event->data.scalar.length);
    buf_addch(&yaml->out, ':');
    return added(yaml, from);
}

static bool take_scalar(struct yaml *yaml, const yaml_event_t *event)
{
    const struct level *level = top(yaml);
    if (level && level->mapping && level->want_name)
        return take_name(yaml, event);
    const char *tag = (const char *)event->data.scalar.tag;
    int anchor;
    bool wrapped;
    if (!separate(yaml) || !begin_anchor(yaml, event, event->data.scalar.anchor, &anchor) ||
        !begin_wrap(yaml, tag, &wrapped))
        return false;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!tag || wrapped) &&
                 (event->data.scalar.plain_implicit || wrapped);
    size_t from = yaml->out.len;
    yaml_scalar_write(&yaml->out, (const char *)event->data.scalar.value, event->data.scalar.length,
                      plain);
    if (wrapped)
        buf_addch(&yaml->out, '}');
    return added(yaml, from) && end_anchor(yaml, event, anchor) && end_node(yaml);
}

static bool open_level(struct yaml *yaml, const yaml_event_t *event, bool mapping,
                       const void *anchor_name, const void *tag)
{
    struct level *outer = top(yaml);
    if (outer && outer->mapping && outer->want_name)
        return fail(yaml, event, "a name that is no text");
    if (yaml->depth == JSON_DEPTH_MAX)
        return fail(yaml, event, "nested too deep");
    int anchor;
    bool wrapped, merge_list = outer && outer->merge_next && !mapping;
    if (!merge_list && !separate(yaml))
        return false;
    if (!begin_anchor(yaml, event, anchor_name, &anchor) || !begin_wrap(yaml, tag, &wrapped))
        return false;
    struct level *level = &yaml->levels[yaml->depth++];
    *level = (struct level){.mapping = mapping,
                            .want_name = mapping,
                            .merge_list = merge_list,
                            .wrapped = wrapped,
                            .names_from = yaml->names_len,
                            .anchor = anchor};
    return merge_list || add(yaml, mapping ? "{" : "[", 1);
}

static bool add_member(struct yaml *yaml, const cJSON *member)
{
    if (!top(yaml)->want_name || !separate(yaml))
        return false;
    size_t from = yaml->out.len;
    yaml_scalar_write_string(&yaml->out, member->string, strlen(member->string));
    buf_addch(&yaml->out, ':');
    json_write(&yaml->out, member, false);
    yaml->expanded += yaml->out.len - from;
    return added(yaml, from);
}

static bool merge_members(struct yaml *yaml, const yaml_event_t *event, const char *name)
{
    const struct yaml_anchor *anchor = yaml_anchors_find(&yaml->anchors, name);
    if (!anchor || anchor->open)
        return fail(yaml, event, "a merge key with an unknown alias");
    cJSON *tree = json_parse(buf_str(&anchor->text), anchor->text.len, NULL);
    bool good = cJSON_IsObject(tree);
    if (!good)
        fail(yaml, event, "a merge key with an alias that is no mapping");
    for (const cJSON *member = good ? tree->child : NULL; member && good; member = member->next)
        if (!knows_name(yaml, member->string))
            good = yaml->expanded < EXPANDED_MAX
                       ? add_member(yaml, member)
                       : fail(yaml, event, "aliases expand to more than 16 MB");
    cJSON_Delete(tree);
    return good;
}

static bool apply_merges(struct yaml *yaml, const yaml_event_t *event)
{
    struct level *level = top(yaml);
    bool good = true;
    for (int i = 0; i < level->merges_len; i++) {
        good = good && merge_members(yaml, event, level->merges[i]);
        free(level->merges[i]);
    }
    level->merges_len = 0;
    return good;
}

static bool close_level(struct yaml *yaml, const yaml_event_t *event)
{
    if (!apply_merges(yaml, event))
        return false;
    const struct level level = *top(yaml);
    yaml->names_len = level.names_from;
    yaml->depth--;
    if (level.merge_list) {
        top(yaml)->merge_next = false;
        return end_node(yaml);
    }
    if (!add(yaml, level.mapping ? "}" : "]", 1) || (level.wrapped && !add(yaml, "}", 1)))
        return false;
    return end_anchor(yaml, event, level.anchor) && end_node(yaml);
}

static bool add_merge(struct yaml *yaml, const yaml_event_t *event, struct level *level)
{
    if (level->merges_len == MERGES_MAX)
        return fail(yaml, event, "too many merge keys in one mapping");
    level->merges[level->merges_len++] = xstrdup((const char *)event->data.alias.anchor);
    return true;
}

static bool take_alias(struct yaml *yaml, const yaml_event_t *event)
{
    struct level *level = top(yaml);
    if (level && level->merge_list)
        return add_merge(yaml, event, level - 1);
    if (level && level->merge_next) {
        level->merge_next = false;
        return add_merge(yaml, event, level) && end_node(yaml);
    }
    if (level && level->mapping && level->want_name)
        return fail(yaml, event, "an alias as a name");
    const struct yaml_anchor *anchor = yaml_anchors_find(&yaml->anchors,
                                                         (const char *)event->data.alias.anchor);
    if (!anchor || anchor->open)
        return fail(yaml, event, anchor ? "an alias inside its own anchor" : "an unknown alias");
    yaml->expanded += anchor->text.len;
    if (yaml->expanded > EXPANDED_MAX)
        return fail(yaml, event, "aliases expand to more than 16 MB");
    return separate(yaml) && add(yaml, buf_str(&anchor->text), anchor->text.len) && end_node(yaml);
}

/* "<<" whose value is neither alias nor list of them: a name like any other. */
static bool keep_plain_merge(struct yaml *yaml, const yaml_event_t *event)
{
    struct level *level = top(yaml);
    bool value = event->type == YAML_SCALAR_EVENT || event->type == YAML_MAPPING_START_EVENT;
    if (!level || !level->merge_next || !value)
        return true;
    level->merge_next = false;
    level->want_name = true;
    if (!separate(yaml))
        return false;
    level->want_name = false;
    return add(yaml, "\"<<\":", 5);
}

static bool end_document(struct yaml *yaml)
{
    bool more = flush(yaml);
    yaml->sink->end(yaml->sink->user);
    yaml_anchors_release(&yaml->anchors);
    return more;
}

static bool take(struct yaml *yaml, const yaml_event_t *event)
{
    if (!keep_plain_merge(yaml, event))
        return false;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        yaml->sink->document(yaml->sink->user, yaml->documents++,
                             yaml->cut.first_line + event->start_mark.line);
        return true;
    case YAML_DOCUMENT_END_EVENT:
        return end_document(yaml);
    case YAML_SCALAR_EVENT:
        return take_scalar(yaml, event);
    case YAML_ALIAS_EVENT:
        return take_alias(yaml, event);
    case YAML_MAPPING_START_EVENT:
        return open_level(yaml, event, true, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(yaml, event, false, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return close_level(yaml, event);
    default:
        return true;
    }
}

static bool next_event(struct yaml *yaml, bool *end)
{
    yaml_event_t event;
    if (!yaml_parser_parse(&yaml->parser, &event)) {
        const char *problem = yaml->parser.problem ? yaml->parser.problem : "cannot be read";
        return err_set(&yaml->err, "not YAML at line %zu: %s",
                       yaml->cut.first_line + yaml->parser.problem_mark.line, problem);
    }
    *end = event.type == YAML_STREAM_END_EVENT;
    bool good = take(yaml, &event);
    yaml_event_delete(&event);
    return good;
}

/* Forgets what a document, whole or broken, has left. */
static void clear(struct yaml *yaml)
{
    for (int i = 0; i < yaml->depth; i++)
        for (int j = 0; j < yaml->levels[i].merges_len; j++)
            free(yaml->levels[i].merges[j]);
    yaml->depth = 0;
    yaml->names_len = 0;
    yaml_anchors_release(&yaml->anchors);
    buf_clear(&yaml->out);
}

static bool convert_document(struct yaml *yaml)
{
    bool good = true, end = false;
    yaml->err.text[0] = '\0';
    if (!yaml_parser_initialize(&yaml->parser))
        BUG("libyaml does not start");
    yaml_parser_set_input(&yaml->parser, pull, yaml);
    while (good && !end)
        good = next_event(yaml, &end);
    if (!good && !yaml->stopped && yaml->out.len)
        flush(yaml);
    yaml_parser_delete(&yaml->parser);
    clear(yaml);
    return good || yaml->stopped;
}

bool yaml_to_json(yaml_pull_fn *pull_fn, void *pull_user, const struct yaml_sink *sink,
                  struct err *err)
{
    bool all = true;
    struct yaml *yaml = xcalloc(1, sizeof *yaml);
    yaml->sink = sink;
    yaml_cut_init(&yaml->cut, pull_fn, pull_user);
    buf_init(&yaml->out, PORTION + 2 * YAML_ANCHOR_BYTES_MAX + EXPANDED_MAX);
    while (!yaml->stopped && yaml_cut_next(&yaml->cut)) {
        if (convert_document(yaml))
            continue;
        if (all && err)
            *err = yaml->err;
        all = false;
        if (!sink->broken)
            break;
        sink->broken(sink->user, yaml->err.text);
    }
    yaml_cut_release(&yaml->cut);
    buf_release(&yaml->out);
    free(yaml->names);
    free(yaml);
    return all;
}
