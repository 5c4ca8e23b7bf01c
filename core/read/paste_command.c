/* Stage: read. Commands in a pasted session, as far as it takes to know that something new begins below
 * them. Reads one line. Deliberately liberal with the tools of this trade: a line of prose that is taken for
 * a command costs nothing but a cut between two pieces of text. */
#include "base/alloc.h"
#include "read/paste_text.h"
#include <ctype.h>
#include <string.h>

enum { PROMPT_MAX = 120, WRAPPERS_MAX = 6 };

static const char *const tools[] = {
    "aws",       "cat",      "consul",         "crictl",    "curl",     "dig",
    "docker",    "egctl",    "eksctl",         "envoy",     "getent",   "grep",
    "helm",      "istioctl", "journalctl",     "jq",        "kubectl",  "kumactl",
    "kustomize", "less",     "nslookup",       "oc",        "openssl",  "podman",
    "nerdctl",   "ssh",      "stern",          "systemctl", "tail",     "wget",
    "yq",        "k",        "docker-compose", "env",       "printenv", "ss",
    "netstat",   "iptables", "head",           "zcat",      "ecs-cli",
};

static size_t word_len(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && *at != ' ' && *at != '\t')
        at++;
    return (size_t)(at - from);
}

static const char *skip(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static bool is_tool(const char *word, size_t len)
{
    const char *slash = memrchr(word, '/', len);
    if (slash) {
        len -= (size_t)(slash + 1 - word);
        word = slash + 1;
    }
    if (len > 4 && memcmp(word + len - 4, ".exe", 4) == 0)
        len -= 4;
    for (size_t i = 0; i < ARRAY_LEN(tools); i++)
        if (strlen(tools[i]) == len && memcmp(tools[i], word, len) == 0)
            return true;
    return false;
}

/* Behind "sudo ", "AWS_PROFILE=prod ", "watch -n 5 " */
static const char *behind_wrappers(const char *at, const char *end)
{
    static const char *const wrappers[] = {"sudo", "time", "watch", "winpty", "timeout", "exec"};
    for (int i = 0; i < WRAPPERS_MAX; i++) {
        size_t len = word_len(at, end);
        bool wraps = len && (memchr(at, '=', len) || *at == '-' || isdigit((unsigned char)*at));
        wraps &= i > 0 || !len || isupper((unsigned char)*at);
        for (size_t w = 0; w < ARRAY_LEN(wrappers); w++)
            wraps |= strlen(wrappers[w]) == len && memcmp(wrappers[w], at, len) == 0;
        if (!wraps)
            return at;
        at = skip(at + len, end);
    }
    return at;
}

static bool runs_tool(const char *at, const char *end)
{
    at = behind_wrappers(at, end);
    return is_tool(at, word_len(at, end));
}

/* "kubectl get", "aws ecs", "curl -s", "docker ps", not "kubectl was not found" */
static bool is_typed(const char *at, const char *end)
{
    static const char *const wordy[] = {"cat", "env",  "envoy", "head", "k",   "less", "grep", "jq",
                                        "ss",  "tail", "wget",  "yq",   "dig", "host", "ssh"};
    at = behind_wrappers(at, end);
    size_t len = word_len(at, end);
    if (!is_tool(at, len))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(wordy); i++)
        if (strlen(wordy[i]) == len && memcmp(wordy[i], at, len) == 0)
            return false;
    at = skip(at + len, end);
    len = word_len(at, end);
    if (!len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)at[i]) && !strchr("-_./:@=~'\"[]", at[i]))
            return false;
    /* a command says more than two words of prose do: an option, a name with digits, a path */
    return end - at < 200 && (len == (size_t)(end - at) || memchr(at, '-', (size_t)(end - at)) ||
                              memchr(at, '/', (size_t)(end - at)));
}

/* Behind a sign that ends prompts, at AT. */
static const char *behind_sign(const char *at, const char *end)
{
    static const char *const signs[] = {
        "$", "#", "%", ">", "\xE2\x9D\xAF", "\xE2\x9E\x9C", "\xE2\x9C\x97", "\xCE\xBB"};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        size_t len = strlen(signs[i]);
        if ((size_t)(end - at) > len && memcmp(at, signs[i], len) == 0 &&
            (at[len] == ' ' || at[len] == '\t' || (*at == '>' && isalpha((unsigned char)at[1]))))
            return skip(at + len, end);
    }
    return NULL;
}

/* A prompt that cannot be anything else, whatever stands behind it. */
static bool is_sure(const char *line, const char *sign)
{
    size_t len = (size_t)(sign - line);
    if (!len)
        return *sign == '$';
    bool place = memchr(line, '@', len) && (*line == '[' || !memchr(line, ' ', len));
    return place || (len >= 3 && memcmp(line, "/ #", 3) == 0) ||
           (len >= 4 && memcmp(line, "PS C", 4) == 0) ||
           (len >= 4 && (memcmp(line, "bash", 4) == 0 || memcmp(line, "sh-", 3) == 0));
}

const char *paste_command(const char *line, size_t len)
{
    const char *end = line + len, *at = line;
    const char *most = len < PROMPT_MAX ? end : line + PROMPT_MAX;
    for (; at < most && *at != '"' && *at != '{' && *at != '='; at++) {
        unsigned char c = (unsigned char)*at;
        bool sign = c == '$' || c == '#' || c == '%' || c == '>' || c == 0xE2 || c == 0xCE;
        const char *typed = sign ? behind_sign(at, end) : NULL;
        if (typed && typed < end && (runs_tool(typed, end) || is_sure(line, at)))
            return typed;
    }
    return len && isalpha((unsigned char)*line) && is_typed(line, end) ? line : NULL;
}
