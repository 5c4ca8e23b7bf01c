/* Stage: report. Renders the ways of requests that findings rest on: what is asked, how it ends, over which
 * hops. Reads the document only. */
#include "report/text_walks.h"
#include "base/json.h"
#include "report/document.h"

#define SHOWN_MAX 3
#define LINE_MAX  (16u << 10)

/* "answered 404 NR", "unknown: the listeners are not in evidence". */
static void add_ending(struct buf *out, const cJSON *walk)
{
    double status = 0;
    const char *flag = json_str(walk, "flag"), *unknown = json_str(walk, "unknown");
    buf_adds(out, document_str(walk, "ends", "unknown"));
    if (json_num(walk, "status", &status))
        buf_addf(out, " %.0f", status);
    if (flag)
        buf_addf(out, " %s", flag);
    if (unknown)
        buf_addf(out, ": %s", unknown);
    if (json_str(walk, "depends"))
        buf_addf(out, " (may depend on %s)", json_str(walk, "depends"));
}

static void add_hop(struct buf *out, const cJSON *hop)
{
    const char *name = json_str(hop, "name");
    buf_adds(out, document_str(hop, "kind", "?"));
    if (name)
        buf_addf(out, " '%s'", name);
}

/* "listener 'web' > filter-chain > route", and why where it breaks. */
static void write_chain(const struct layout *layout, const cJSON *walk)
{
    struct buf text;
    const cJSON *hop;
    buf_init(&text, LINE_MAX);
    cJSON_ArrayForEach (hop, json_at(walk, "hops")) {
        buf_adds(&text, text.len ? " > " : "");
        add_hop(&text, hop);
        if (json_bool(hop, "broke"))
            buf_addf(&text, ": %s", document_str(hop, "why", "breaks here"));
    }
    if (text.len)
        layout_item(layout, 6, "", INK_PLAIN, 8, buf_str(&text));
    buf_release(&text);
}

static void write_hops(const struct layout *layout, const cJSON *walk)
{
    struct buf text;
    const cJSON *hop;
    buf_init(&text, LINE_MAX);
    cJSON_ArrayForEach (hop, json_at(walk, "hops")) {
        bool broke = json_bool(hop, "broke");
        buf_clear(&text);
        add_hop(&text, hop);
        buf_addf(&text, "%s%s", broke ? " breaks it: " : ": ", document_str(hop, "why", ""));
        layout_item(layout, 6, layout_glyph(layout, broke ? GLYPH_ERROR : GLYPH_NOTE),
                    broke ? INK_ERROR : INK_DIM, 10, buf_str(&text));
        buf_clear(&text);
        document_place(&text, hop);
        if (json_str(hop, "source"))
            layout_item(layout, 8, "", INK_PLAIN, 10, buf_str(&text));
    }
    buf_release(&text);
}

static void write_walk(const struct layout *layout, const cJSON *walk)
{
    struct buf text;
    buf_init(&text, LINE_MAX);
    buf_addf(&text, "%s: ", document_str(walk, "request", "?"));
    add_ending(&text, walk);
    layout_item(layout, 4, "", INK_PLAIN, 6, buf_str(&text));
    buf_release(&text);
    if (layout->style->verbose)
        write_hops(layout, walk);
    else
        write_chain(layout, walk);
}

void text_walks(const struct layout *layout, const cJSON *target)
{
    const cJSON *walks = json_at(target, "walks"), *walk;
    int shown = 0, all = cJSON_GetArraySize(walks);
    if (!all)
        return;
    buf_adds(layout->out, "\n  the way of a request\n");
    cJSON_ArrayForEach (walk, walks) {
        if (shown == SHOWN_MAX && !layout->style->verbose)
            break;
        write_walk(layout, walk);
        shown++;
    }
    if (shown < all)
        buf_addf(layout->out, "    and %d more (--verbose)\n", all - shown);
}
