/* Base: anchors of a YAML document. Reads JSON text as it is written and keeps a copy for each anchor
 * that is open, under a cap. Deliberately keeps text and not trees: an alias is then a copy, and an
 * alias inside its own anchor cannot become a cycle. */
#include "base/yaml_anchors.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

void yaml_anchors_release(struct yaml_anchors *anchors)
{
    for (size_t i = 0; i < anchors->len; i++) {
        free(anchors->items[i].name);
        buf_release(&anchors->items[i].text);
    }
    free(anchors->items);
    *anchors = (struct yaml_anchors){0};
}

int yaml_anchors_begin(struct yaml_anchors *anchors, const char *name)
{
    if (anchors->len == YAML_ANCHORS_MAX)
        return -1;
    if (!anchors->items)
        anchors->items = xcalloc(YAML_ANCHORS_MAX, sizeof *anchors->items);
    struct yaml_anchor *anchor = &anchors->items[anchors->len];
    anchor->name = xstrdup(name);
    anchor->open = true;
    buf_init(&anchor->text, YAML_ANCHOR_BYTES_MAX);
    anchors->open++;
    return (int)anchors->len++;
}

void yaml_anchors_end(struct yaml_anchors *anchors, int anchor)
{
    anchors->items[anchor].open = false;
    anchors->open--;
}

void yaml_anchors_write(struct yaml_anchors *anchors, const char *text, size_t len)
{
    for (size_t i = 0; anchors->open && i < anchors->len; i++)
        if (anchors->items[i].open)
            buf_add(&anchors->items[i].text, text, len);
}

struct yaml_anchor *yaml_anchors_find(struct yaml_anchors *anchors, const char *name)
{
    for (size_t i = anchors->len; i-- > 0;)
        if (strcmp(anchors->items[i].name, name) == 0)
            return &anchors->items[i];
    return NULL;
}
