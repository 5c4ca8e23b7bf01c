/* Source: what is said on standard error. Reads a message, writes it without secrets, as one line more.
 * Deliberately leaves identities: whoever reads it has named them. */
#include "source/tell.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4 << 20 };

static struct redact_policy *policy; /* kept to the end of the process */

void tell_hide(const struct redact_pattern *patterns, size_t len)
{
    const struct redact_options options = {.patterns = patterns, .patterns_len = len};
    struct redact_policy *more = redact_policy_new(&options, NULL);
    if (!more)
        return;
    redact_policy_free(policy);
    policy = more;
}

void tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vtell("", format, args);
    va_end(args);
}

void vtell(const char *lead, const char *format, va_list args)
{
    struct buf message;
    buf_init(&message, MESSAGE_MAX);
    buf_adds(&message, lead);
    buf_vaddf(&message, format, args);
    if (!policy)
        tell_hide(NULL, 0);
    char *text = redact_leaving(buf_str(&message), message.len, SIZE_MAX, policy, NULL);
    err_cut_quotes(text);
    fprintf(stderr, "%s\n", text);
    free(text);
    buf_release(&message);
}
