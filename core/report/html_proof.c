/* Stage: report. Renders the proofs of a finding for the HTML page: a line with its number, a member with
 * its way through the document. Reads the document only; never opens the source itself. */
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include <stdlib.h>
#include <string.h>

#define POINTER_MAX 4096
#define PRETTY_MAX  (256u << 10)
#define SHOWN_MAX   3 /* proofs that are not folded */

/* The number in "line 118" or "lines 118-120"; 0: it is no line. */
static long line_of(const char *locator)
{
    if (!str_starts(locator, "line"))
        return 0;
    const char *digits = locator + strcspn(locator, "0123456789");
    long line = strtol(digits, NULL, 10);
    return line > 0 && line < 1000000000 ? line : 0;
}

/* "/configs/2/a~1b" as "configs > 2 > a/b". */
static void add_pointer(struct html *html, const char *pointer)
{
    struct buf part;
    buf_init(&part, POINTER_MAX);
    html_addf(html, "<span class=\"path\">");
    while (*pointer == '/') {
        size_t len = strcspn(pointer + 1, "/");
        buf_clear(&part);
        for (const char *at = pointer + 1; at < pointer + 1 + len; at++) {
            if (*at == '~' && (at[1] == '0' || at[1] == '1'))
                buf_addch(&part, *++at == '0' ? '~' : '/');
            else
                buf_addch(&part, *at);
        }
        pointer += 1 + len;
        html_addf(html, *pointer ? "<span>%s</span> \xE2\x80\xBA " : "<b>%s</b>", buf_str(&part));
    }
    html_addf(html, "</span>");
    buf_release(&part);
}

static void add_lines(struct html *html, const char *text, long number)
{
    struct buf line;
    buf_init(&line, PRETTY_MAX);
    while (*text) {
        size_t len = strcspn(text, "\n");
        buf_clear(&line);
        buf_add(&line, text, len);
        if (number)
            html_addf(html, "<span class=\"line\" data-n=\"%d\">%s\n</span>", (int)number++,
                      buf_str(&line));
        else
            html_addf(html, "%s\n", buf_str(&line));
        text += len + (text[len] == '\n');
    }
    buf_release(&line);
}

/* An excerpt that is an object or a list is laid out; other text is shown as it stands. */
static void add_excerpt(struct html *html, const char *excerpt, long line)
{
    struct buf pretty;
    cJSON *value = *excerpt == '{' || *excerpt == '[' ? json_parse(excerpt, strlen(excerpt), NULL)
                                                      : NULL;
    buf_init(&pretty, PRETTY_MAX);
    if (value && !line)
        json_write(&pretty, value, true);
    bool laid_out = pretty.len && !pretty.overflow;
    html_addf(html, line ? "<pre class=\"lines\"><code>" : "<pre><code>");
    add_lines(html, laid_out ? buf_str(&pretty) : excerpt, line);
    html_addf(html, "</code></pre>");
    buf_release(&pretty);
    cJSON_Delete(value);
}

static void add_proof(struct html *html, const cJSON *proof)
{
    const char *locator = document_str(proof, "locator", ""), *time = json_str(proof, "time");
    long line = line_of(locator);
    html_addf(html, "<figure class=\"proof\"><figcaption><code>%s</code> ",
              document_str(proof, "source", "?"));
    if (*locator == '/')
        add_pointer(html, locator);
    else
        html_addf(html, "<span class=\"path\">%s</span>", locator);
    if (time) {
        html_addf(html, " <span class=\"quiet\">");
        html_add_time(html, time, NULL);
        html_addf(html, " UTC</span>");
    }
    html_addf(html, "</figcaption>");
    add_excerpt(html, document_str(proof, "excerpt", ""), line);
    html_addf(html, "</figure>\n");
}

void html_proofs(struct html *html, const cJSON *finding)
{
    const cJSON *proofs = json_at(finding, "evidence"), *proof;
    int all = cJSON_GetArraySize(proofs), shown = 0;
    if (!all)
        return;
    html_addf(html, "<section class=\"proofs\">");
    html_add_heading(html, html->level + 2, NULL, "Proof");
    cJSON_ArrayForEach (proof, proofs) {
        if (shown++ == SHOWN_MAX && all > SHOWN_MAX + 1)
            html_addf(html, "<details><summary>%d more</summary>\n", all - SHOWN_MAX);
        add_proof(html, proof);
    }
    html_addf(html, all > SHOWN_MAX + 1 ? "</details></section>\n" : "</section>\n");
}
