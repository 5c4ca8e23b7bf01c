/* Stage: finding. Reads where the admin page listens, writes that into commands. Decides nothing else. */
#include "finding/admin_url.h"
#include "base/str.h"
#include <string.h>

enum { TOKEN_LEN = sizeof ADMIN_URL_TOKEN - 1 };

static const char *usual_address(const struct evidence *evidence)
{
    static const char *const usual[][2] = {
        {"istio", "127.0.0.1:15000"},
        {"consul", "127.0.0.1:19000"},
        {"envoy-gateway", "127.0.0.1:19000"},
    };
    char buf[32];
    const struct record *proxy = evidence_next(evidence, "proxy", NULL);
    const char *mesh = proxy ? record_text(proxy, "mesh", buf) : NULL;
    for (size_t i = 0; mesh && i < sizeof usual / sizeof *usual; i++)
        if (strcmp(mesh, usual[i][0]) == 0)
            return usual[i][1];
    return "127.0.0.1:9901";
}

static const char *known_address(const struct evidence *evidence)
{
    char buf[32];
    const struct record *at = NULL;
    while ((at = evidence_next(evidence, "bootstrap", at))) {
        const char *address = record_text(at, "admin_address", buf);
        if (address)
            return address;
    }
    return usual_address(evidence);
}

static void add_address(struct buf *out, const char *address)
{
    static const char *const wildcards[] = {"0.0.0.0:", "[::]:"};
    if (str_starts(address, "unix:")) {
        buf_addf(out, "--unix-socket %s http://localhost", address + strlen("unix:"));
        return;
    }
    for (size_t i = 0; i < 2; i++)
        if (str_starts(address, wildcards[i])) {
            buf_addf(out, "http://127.0.0.1:%s", address + strlen(wildcards[i]));
            return;
        }
    buf_addf(out, "http://%s", address);
}

void admin_url_fill(struct buf *out, const char *text, const struct evidence *evidence)
{
    const char *address = known_address(evidence);
    for (const char *token; (token = strstr(text, ADMIN_URL_TOKEN)); text = token + TOKEN_LEN) {
        bool quoted = token > text && token[-1] == '\'' && str_starts(address, "unix:");
        buf_add(out, text, (size_t)(token - text) - quoted);
        add_address(out, address);
        if (quoted) /* the option stays outside of the quotes, the path goes back into them */
            buf_adds(out, "'");
    }
    buf_adds(out, text);
}
