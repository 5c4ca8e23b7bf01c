/* Base: YAML as a tree with lines. Reads libyaml's events, writes nodes into an arena. Deliberately
 * refuses what a person does not need to write a configuration (aliases, tags, a second document), and
 * so all that makes YAML expand. */
#include "base/yaml_tree.h"
#include "base/str.h"
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 16, NODES_MAX = 50000, MEMBERS_MAX = 2000 };

struct open_node { /* a mapping or list that has not ended */
    struct yaml_tree *node, *last;
    const char *name; /* read, its value is to come; NULL */
    size_t name_line, members;
};

struct building {
    struct arena *arena;
    const char *path;
    yaml_parser_t parser;
    struct open_node open[DEPTH_MAX];
    size_t depth, nodes, documents;
    struct yaml_tree *root;
    struct err *err;
};

static bool fail(const struct building *building, size_t line, const char *why)
{
    return err_set(building->err, "%s:%zu: %s", building->path, line, why);
}

static const char *clean_text(struct arena *arena, const yaml_char_t *bytes, size_t len)
{
    char *text = arena_alloc(arena, 3 * len + 1); /* a bad byte becomes three */
    str_to_utf8(text, 3 * len + 1, (const char *)bytes, len);
    return text;
}

static struct open_node *top(struct building *building)
{
    return building->depth ? &building->open[building->depth - 1] : NULL;
}

static bool take_name(struct building *building, const yaml_event_t *event, size_t line)
{
    struct open_node *open = top(building);
    const char *name = clean_text(building->arena, event->data.scalar.value,
                                  event->data.scalar.length);
    for (const struct yaml_tree *each = open->node->first; each; each = each->next)
        if (strcmp(each->name, name) == 0)
            return err_set(building->err, "%s:%zu: '%s' stands here twice, first in line %zu",
                           building->path, line, name, each->line);
    if (open->members++ == MEMBERS_MAX)
        return fail(building, line, "more than 2000 names in one mapping");
    open->name = name;
    open->name_line = line;
    return true;
}

static struct yaml_tree *add_node(struct building *building, enum yaml_tree_kind kind, size_t line)
{
    struct open_node *open = top(building);
    struct yaml_tree *node = arena_alloc(building->arena, sizeof *node);
    *node = (struct yaml_tree){.kind = kind, .line = line, .text = ""};
    if (!open) {
        building->root = node;
        return node;
    }
    if (open->name) {
        node->name = open->name;
        node->line = open->name_line;
        open->name = NULL;
    }
    if (open->last)
        open->last->next = node;
    else
        open->node->first = node;
    open->last = node;
    return node;
}

static bool awaits_name(struct building *building)
{
    const struct open_node *open = top(building);
    return open && open->node->kind == YAML_TREE_MAPPING && !open->name;
}

static bool take_scalar(struct building *building, const yaml_event_t *event, size_t line)
{
    if (event->data.scalar.tag)
        return fail(building, line, "tags are not taken here");
    if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
        return fail(building, line, "a NUL character");
    if (awaits_name(building))
        return take_name(building, event, line);
    struct yaml_tree *node = add_node(building, YAML_TREE_TEXT, line);
    node->text = clean_text(building->arena, event->data.scalar.value, event->data.scalar.length);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool open_node(struct building *building, enum yaml_tree_kind kind, const void *tag,
                      size_t line)
{
    if (tag)
        return fail(building, line, "tags are not taken here");
    if (awaits_name(building))
        return fail(building, line, "a name that is no text");
    if (building->depth == DEPTH_MAX)
        return fail(building, line, "nested deeper than 16 levels");
    struct yaml_tree *node = add_node(building, kind, line);
    building->open[building->depth++] = (struct open_node){.node = node};
    return true;
}

static bool take(struct building *building, const yaml_event_t *event)
{
    size_t line = event->start_mark.line + 1;
    if (building->nodes++ == NODES_MAX)
        return fail(building, line, "more than 50000 entries");
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return building->documents++ == 0 || fail(building, line, "a second document");
    case YAML_ALIAS_EVENT:
        return fail(building, line, "aliases are not taken here");
    case YAML_SCALAR_EVENT:
        return take_scalar(building, event, line);
    case YAML_MAPPING_START_EVENT:
        return open_node(building, YAML_TREE_MAPPING, event->data.mapping_start.tag, line);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(building, YAML_TREE_LIST, event->data.sequence_start.tag, line);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        building->depth--;
        return true;
    default:
        return true;
    }
}

static bool next_event(struct building *building, bool *end)
{
    yaml_event_t event;
    if (!yaml_parser_parse(&building->parser, &event)) {
        const yaml_parser_t *parser = &building->parser;
        const char *problem = parser->problem ? parser->problem : "it cannot be read";
        bool placed = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR;
        if (placed)
            return err_set(building->err, "%s:%zu: not YAML: %s", building->path,
                           parser->problem_mark.line + 1, problem);
        return err_set(building->err, "%s:%zu: not YAML: %s", building->path, parser->mark.line + 1,
                       problem);
    }
    *end = event.type == YAML_STREAM_END_EVENT;
    bool good = take(building, &event);
    yaml_event_delete(&event);
    return good;
}

const struct yaml_tree *yaml_tree_parse(struct arena *arena, const char *path, const char *text,
                                        size_t len, struct err *err)
{
    struct building building = {.arena = arena, .path = path, .err = err};
    bool good = true, end = false;
    if (len > YAML_TREE_SIZE_MAX) {
        err_set(err, "%s: larger than 1 MB", path);
        return NULL;
    }
    if (!yaml_parser_initialize(&building.parser)) {
        err_set(err, "%s: libyaml does not start", path);
        return NULL;
    }
    yaml_parser_set_input_string(&building.parser, (const unsigned char *)text, len);
    while (good && !end)
        good = next_event(&building, &end);
    yaml_parser_delete(&building.parser);
    if (good && !building.root)
        add_node(&building, YAML_TREE_MAPPING, 1);
    return good ? building.root : NULL;
}
