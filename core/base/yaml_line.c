/* Base: lines of nodes. Reads a text by libyaml's events (JSON is YAML to it) and follows one JSON pointer.
 * Keeps nothing: who wants many lines asks many times. */
#include "base/yaml_line.h"
#include "base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { STEP_MAX = 512 };

struct seek {
    yaml_parser_t parser;
    int depth;   /* of open collections; a limit keeps libyaml from quadratic work */
    size_t line; /* of the last node on the way that was met */
};

static bool next(struct seek *seek, yaml_event_t *event)
{
    if (!yaml_parser_parse(&seek->parser, event))
        return false;
    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
        seek->depth++;
    else if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
        seek->depth--;
    if (seek->depth <= JSON_DEPTH_MAX)
        return true;
    yaml_event_delete(event);
    return false;
}

/* Goes behind the node that begins with EVENT, which is deleted. */
static bool skip(struct seek *seek, yaml_event_t *event)
{
    int outer = seek->depth;
    bool open = event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
    yaml_event_delete(event);
    while (open) {
        if (!next(seek, event))
            return false;
        open = seek->depth >= outer;
        yaml_event_delete(event);
    }
    return true;
}

/* The first part of POINTER, without its escapes, into STEP; the rest, or NULL when it is too long. */
static const char *first_step(const char *pointer, char step[STEP_MAX])
{
    size_t len = 0;
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
        bool escape = *pointer == '~' && (pointer[1] == '0' || pointer[1] == '1');
        if (len + 1 == STEP_MAX)
            return NULL;
        step[len++] = !escape ? *pointer : *++pointer == '0' ? '~' : '/';
    }
    step[len] = '\0';
    return pointer;
}

static void met(struct seek *seek, const yaml_event_t *event)
{
    seek->line = event->start_mark.line + 1;
}

/* The member STEP of the mapping that has begun: EVENT is where its value begins then. */
static bool find_member(struct seek *seek, yaml_event_t *event, const char *step)
{
    while (next(seek, event)) {
        bool named = event->type == YAML_SCALAR_EVENT &&
                     strcmp((const char *)event->data.scalar.value, step) == 0;
        if (event->type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(event);
            return false;
        }
        if (named)
            met(seek, event);
        if (!skip(seek, event) || !next(seek, event))
            return false;
        if (named)
            return true;
        if (!skip(seek, event))
            return false;
    }
    return false;
}

static bool find_element(struct seek *seek, yaml_event_t *event, const char *step)
{
    char *end;
    long index = strtol(step, &end, 10);
    if (!*step || *end)
        return false;
    while (next(seek, event)) {
        if (event->type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(event);
            return false;
        }
        if (index-- == 0) {
            met(seek, event);
            return true;
        }
        if (!skip(seek, event))
            return false;
    }
    return false;
}

/* Follows POINTER from the node that begins with EVENT, as far as it goes. */
static void follow(struct seek *seek, yaml_event_t *event, const char *pointer)
{
    char step[STEP_MAX];
    met(seek, event);
    bool open = true;
    while (open && *pointer == '/' && (pointer = first_step(pointer, step))) {
        bool mapping = event->type == YAML_MAPPING_START_EVENT;
        bool sequence = event->type == YAML_SEQUENCE_START_EVENT;
        yaml_event_delete(event);
        open = (mapping && find_member(seek, event, step)) ||
               (sequence && find_element(seek, event, step));
    }
    if (open)
        yaml_event_delete(event);
}

/* How many documents there are, as far as the text can be read; follows POINTER in the one at INDEX. */
static int scan(const char *text, size_t len, int index, const char *pointer, size_t *line)
{
    struct seek seek = {0};
    yaml_event_t event;
    int documents = 0;
    bool end = false;
    if (!yaml_parser_initialize(&seek.parser))
        return 0;
    yaml_parser_set_input_string(&seek.parser, (const unsigned char *)text, len);
    while (!end && next(&seek, &event)) {
        yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        end = type == YAML_STREAM_END_EVENT;
        if (type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (!next(&seek, &event))
            break;
        if (documents++ == index) {
            follow(&seek, &event, pointer);
            *line = seek.line;
            break;
        }
        end = !skip(&seek, &event);
    }
    yaml_parser_delete(&seek.parser);
    return documents;
}

size_t yaml_line(const char *text, size_t len, const char *pointer)
{
    char step[STEP_MAX] = "0";
    size_t line = 0;
    if (scan(text, len, -1, "", &line) > 1)
        pointer = *pointer == '/' ? first_step(pointer, step) : NULL;
    if (pointer)
        scan(text, len, atoi(step), pointer, &line);
    return line;
}
