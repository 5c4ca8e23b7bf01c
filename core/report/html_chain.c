/* Stage: report. Draws which finding follows from which for the HTML page, and what may be the cause where it
 * is open: side by side for wide screens, one beneath the other for narrow ones and paper. Reads the document
 * only; decides no cause. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include "report/html_svg.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    NODES_MAX = 24,
    COLUMNS_MAX = 6,
    CANDIDATES_MAX = 4, /* that are drawn for one finding */
    BOX_WIDTH = 296,
    BOX_GAP = 14,
    BETWEEN = 64, /* columns of the wide picture */
    INDENT = 22,  /* of a consequence in the narrow one */
    LINES_MAX = 3,
    TWINS_MAX = 3, /* findings of one id that are drawn each for itself */
    TEXT_COLUMNS = 35,
    ID_COLUMNS = 38,
};

struct node {
    const struct html_finding *finding; /* NULL: a candidate */
    const char *id;
    const char *text, *subject; /* of what it is; NULL where the text alone tells */
    int count;                  /* findings of this id that are drawn as one */
    int column, x, y, height;
};

struct chain {
    struct html *html;
    struct node nodes[NODES_MAX];
    bool follows[NODES_MAX][NODES_MAX]; /* [from][to] */
    int order[NODES_MAX], order_len;
    int *drawn; /* by finding: its node, or -1 */
    int len, columns, left_out;
    int width, height;
};

/* ---- what is drawn ---- */

static bool explains_any(const struct html *html, size_t finding)
{
    return html->relations.starts[finding] < html->relations.starts[finding + 1];
}

static struct node *add_node(struct chain *chain, const struct html_finding *finding,
                             const char *id, const char *text)
{
    if (chain->len == NODES_MAX) {
        chain->left_out++;
        return NULL;
    }
    struct node *node = &chain->nodes[chain->len++];
    *node = (struct node){.finding = finding, .id = id, .text = text, .count = 1};
    return node;
}

static int candidate_of(const struct chain *chain, const char *id)
{
    for (int i = 0; i < chain->len; i++)
        if (!chain->nodes[i].finding && str_equal(chain->nodes[i].id, id))
            return i;
    return -1;
}

/* What may be behind a finding that nothing explains; what was found itself needs no guess. */
static void add_candidates(struct chain *chain, int of)
{
    const cJSON *finding = chain->nodes[of].finding->json, *candidate;
    int drawn = 0;
    cJSON_ArrayForEach (candidate, document_rivals(finding)) {
        const char *id = document_str(candidate, "id", "?");
        int known = candidate_of(chain, id);
        if (html_finding_of(chain->html, id) || drawn++ >= CANDIDATES_MAX)
            continue;
        const char *why = json_str(candidate, "for[0]");
        if (known >= 0)
            chain->follows[known][of] = true;
        else if (add_node(chain, NULL, id, why ? why : "nothing speaks for it yet"))
            chain->follows[chain->len - 1][of] = true;
    }
}

/* The node that stands for all findings of this one's id, where there are many; -1: none does yet. */
static int crowd_of(const struct chain *chain, size_t at)
{
    const struct relations *relations = &chain->html->relations;
    uint32_t id = relations->items[at].id;
    if (id == INTERN_NONE || relations->count[id] <= TWINS_MAX)
        return -1;
    for (int i = 0; i < chain->len; i++)
        if (chain->nodes[i].finding && str_equal(chain->nodes[i].id, relations->ids.items[id].text))
            return i;
    return -1;
}

static void gather_nodes(struct chain *chain)
{
    struct html *html = chain->html;
    for (size_t i = 0; i < html->findings_len; i++) {
        const struct html_finding *finding = &html->findings[i];
        bool explained = html->relations.items[i].explained;
        bool open = !explained && document_rivals(finding->json);
        int place = chain->len, crowd = crowd_of(chain, i);
        chain->drawn[i] = -1;
        if (!open && !explained && !explains_any(html, i))
            continue;
        if (crowd >= 0) {
            chain->nodes[crowd].count++;
            chain->drawn[i] = crowd;
        } else if (add_node(chain, finding, document_str(finding->json, "id", "?"),
                            document_str(finding->json, "title", "?"))) {
            chain->drawn[i] = place;
            if (open)
                add_candidates(chain, place);
        }
    }
}

static void gather(struct chain *chain)
{
    const struct relations *relations = &chain->html->relations;
    chain->drawn = xcalloc(relations->len + 1, sizeof *chain->drawn);
    gather_nodes(chain);
    for (size_t i = 0; i < relations->edges_len; i++) {
        int from = chain->drawn[relations->edges[i].from],
            to = chain->drawn[relations->edges[i].to];
        if (from >= 0 && to >= 0 && from != to)
            chain->follows[from][to] = true;
    }
    free(chain->drawn);
}

/* Boxes that say the same are told apart by what they are about. */
static void name_twins(struct chain *chain)
{
    for (int i = 0; i < chain->len; i++)
        for (int j = 0; j < chain->len; j++)
            if (i != j && chain->nodes[i].finding && chain->nodes[j].finding &&
                str_equal(chain->nodes[i].text, chain->nodes[j].text))
                chain->nodes[i].subject = json_str(chain->nodes[i].finding->json, "subject.name");
}

/* ---- where it stands ---- */

/* The column of a node is the length of the longest way to it; a circle in an edited report ends at the last. */
static void set_columns(struct chain *chain)
{
    for (int round = 0; round < COLUMNS_MAX; round++)
        for (int i = 0; i < chain->len; i++)
            for (int j = 0; j < chain->len; j++)
                if (chain->follows[i][j] && chain->nodes[j].column <= chain->nodes[i].column &&
                    chain->nodes[i].column < COLUMNS_MAX - 1)
                    chain->nodes[j].column = chain->nodes[i].column + 1;
    for (int i = 0; i < chain->len; i++)
        if (chain->nodes[i].column >= chain->columns)
            chain->columns = chain->nodes[i].column + 1;
}

static bool is_placed(const struct chain *chain, int node)
{
    for (int i = 0; i < chain->order_len; i++)
        if (chain->order[i] == node)
            return true;
    return false;
}

/* Causes of a node that are not placed yet come before it, what follows from it behind it. */
static void place(struct chain *chain, int node)
{
    if (is_placed(chain, node))
        return;
    chain->order[chain->order_len++] = node;
    for (int i = 0; i < chain->len; i++)
        if (chain->follows[node][i] && chain->nodes[i].column == chain->nodes[node].column + 1) {
            bool ready = true;
            for (int j = 0; j < chain->len; j++)
                ready &= !chain->follows[j][i] || is_placed(chain, j);
            if (ready)
                place(chain, i);
        }
}

static void set_order(struct chain *chain)
{
    for (int column = 0; column < chain->columns; column++)
        for (int i = 0; i < chain->len; i++)
            if (chain->nodes[i].column == column)
                place(chain, i);
}

static bool is_marked(const struct node *node)
{
    return node->subject || node->count > 1;
}

static void set_heights(struct chain *chain)
{
    for (int i = 0; i < chain->len; i++) {
        struct node *node = &chain->nodes[i];
        int lines = html_svg_lines(chain->html, node->text, TEXT_COLUMNS, LINES_MAX);
        node->height = 34 + HTML_SVG_LINE * (lines + (is_marked(node) ? 1 : 0));
    }
}

static void lay_out(struct chain *chain, bool wide)
{
    int feet[COLUMNS_MAX] = {0}, foot = 0;
    chain->height = 0;
    for (int i = 0; i < chain->order_len; i++) {
        struct node *node = &chain->nodes[chain->order[i]];
        int *column = wide ? &feet[node->column] : &foot;
        node->x = 2 + node->column * (wide ? BOX_WIDTH + BETWEEN : INDENT);
        node->y = *column + 2;
        *column += node->height + BOX_GAP;
        if (*column > chain->height)
            chain->height = *column;
    }
    chain->width = 4 + BOX_WIDTH + (chain->columns - 1) * (wide ? BOX_WIDTH + BETWEEN : INDENT);
    chain->height -= BOX_GAP - 4;
}

/* ---- drawing ---- */

static void draw_edge(struct chain *chain, const struct node *from, const struct node *to,
                      bool wide)
{
    const char *class = from->finding ? "edge" : "edge maybe";
    int x = to->x, y = to->y + 20, begin = from->y + (wide ? 20 : from->height);
    if (wide && to->x > from->x)
        html_addf(chain->html, "<path class=\"%s\" d=\"M%d %dC%d %d %d %d %d %d\"/>", class,
                  from->x + BOX_WIDTH, begin, from->x + BOX_WIDTH + BETWEEN / 2, begin,
                  x - BETWEEN / 2, y, x - 7, y);
    else
        html_addf(chain->html, "<path class=\"%s\" d=\"M%d %dV%dH%d\"/>", class, from->x + 10,
                  begin, y, x - 6);
    html_addf(chain->html, "<path class=\"head\" d=\"M%d %dl-8 -4v8z\"/>\n", x, y);
}

static void draw_subject(struct html *html, const struct node *node)
{
    char text[64];
    snprintf(text, sizeof text, "%d findings", node->count);
    html_addf(html, "<text class=\"subject\">");
    html_svg_text(html, node->x + 34, node->y + node->height - 11 - HTML_SVG_LINE, TEXT_COLUMNS, 1,
                  node->count > 1 ? text : node->subject);
    html_addf(html, "</text>");
}

static void draw_node(struct chain *chain, const struct node *node, bool first)
{
    struct html *html = chain->html;
    const char *kind = node->finding ? html_finding_kind(node->finding->json) : "maybe";
    if (node->finding)
        html_addf(html, "<a href=\"#%s\">", node->finding->id);
    html_addf(
        html,
        "<g class=\"node is-%s%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>",
        kind, first ? " first" : "", node->x, node->y, BOX_WIDTH, node->height);
    html_addf(html, "<use href=\"#mark-%s\" x=\"%d\" y=\"%d\" width=\"14\" height=\"14\"/>",
              node->finding ? kind : "unknown", node->x + 11, node->y + 12);
    html_addf(html, "<text>");
    html_svg_text(html, node->x + 34, node->y + 24, TEXT_COLUMNS, LINES_MAX, node->text);
    html_addf(html, "</text>");
    if (is_marked(node))
        draw_subject(html, node);
    html_addf(html, "<text class=\"id\">");
    html_svg_text(html, node->x + 34, node->y + node->height - 11, ID_COLUMNS, 1, node->id);
    html_addf(html, node->finding ? "</text></g></a>\n" : "</text></g>\n");
}

static void draw(struct chain *chain, bool wide)
{
    struct html *html = chain->html;
    const cJSON *cause = document_first_cause(html->target);
    lay_out(chain, wide);
    html_addf(html,
              "<svg class=\"%s\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"group\" "
              "aria-label=\"Causes and what follows from them\">\n",
              chain->columns > 3 ? ""
              : wide             ? "for-wide"
                                 : "for-narrow",
              chain->width, chain->height, chain->width, chain->height);
    for (int i = 0; i < chain->len; i++)
        for (int j = 0; j < chain->len; j++)
            if (chain->follows[i][j])
                draw_edge(chain, &chain->nodes[i], &chain->nodes[j], wide);
    for (int i = 0; i < chain->order_len; i++) {
        const struct node *node = &chain->nodes[chain->order[i]];
        draw_node(chain, node, node->finding && node->finding->json == cause);
    }
    html_addf(html, "</svg>\n");
}

void html_chain(struct html *html)
{
    struct chain chain = {.html = html};
    gather(&chain);
    if (chain.len < 2)
        return;
    name_twins(&chain);
    set_columns(&chain);
    set_order(&chain);
    set_heights(&chain);
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL, "What follows from what");
    html_addf(html, "<figure class=\"picture\">\n");
    if (chain.columns <= 3)
        draw(&chain, true);
    draw(&chain, false);
    html_addf(html, "<figcaption>Arrows lead from a cause to what follows from it");
    for (int i = 0; i < chain.len; i++)
        if (!chain.nodes[i].finding) {
            html_addf(html, "; dashed: may be the cause");
            break;
        }
    if (chain.left_out)
        html_addf(html, "; %d more are not drawn", chain.left_out);
    html_addf(html, ".</figcaption></figure></section>\n");
}
