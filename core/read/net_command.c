/* Stage: read. Prompts and commands in a pasted terminal session. Reads one line, writes the words of
 * the command on it, from the tool on that printed what follows. Understands quotes as far as words go,
 * and nothing else of a shell. */
#include "read/net_command.h"
#include "base/str.h"
#include <ctype.h>
#include <string.h>

enum { PROMPT_MAX = 120 };

static const char *const tools[] = {"curl",
                                    "openssl",
                                    "dig",
                                    "nslookup",
                                    "host",
                                    "getent",
                                    "ss",
                                    "netstat",
                                    "iptables",
                                    "nft",
                                    "ip",
                                    "route",
                                    "iptables-save",
                                    "iptables-nft-save",
                                    "getpcaps",
                                    "ip6tables",
                                    "nc",
                                    "ncat",
                                    "cat",
                                    "iptables-legacy-save",
                                    "capsh",
                                    "telnet",
                                    "grep",
                                    "sysctl",
                                    "timedatectl"};

/* What stands in front of the tool and says nothing of its own. */
static const char *const wrappers[] = {"sudo",    "kubectl", "docker",  "oc",       "nsenter",
                                       "timeout", "time",    "env",     "crictl",   "podman",
                                       "nerdctl", "sh",      "bash",    "chroot",   "aws",
                                       "ssh",     "ctr",     "/bin/sh", "/bin/bash"};

static bool listed(const char *word, const char *const *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

#define LISTED(word, list) listed((word), (list), sizeof(list) / sizeof *(list))

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Words of TEXT, quotes removed, into the command. */
static void split(struct net_command *command, const char *text)
{
    char *out = command->text, *end = command->text + sizeof command->text - 1;
    command->argc = 0;
    while (*text && out < end && command->argc < NET_COMMAND_WORDS) {
        text += strspn(text, " \t");
        if (!*text)
            return;
        command->argv[command->argc++] = out;
        char quote = '\0';
        for (; *text && out < end && (quote || !strchr(" \t", *text)); text++) {
            if (quote ? *text == quote : *text == '"' || *text == '\'')
                quote = quote ? '\0' : *text;
            else
                *out++ = *text;
        }
        *out++ = '\0';
    }
}

/* Drops what runs the tool; false when no tool is there. A command inside quotes (sh -c "curl ...") is
 * one word and is split again. */
static bool find_tool(struct net_command *command)
{
    bool wrapped = false;
    for (int i = 0; i < command->argc; i++) {
        char *word = command->argv[i];
        if (LISTED(base_name(word), tools)) {
            memmove(command->argv, command->argv + i,
                    (size_t)(command->argc - i) * sizeof *command->argv);
            command->argc -= i;
            command->argv[0] = word + (base_name(word) - word);
            return true;
        }
        if (!wrapped && !LISTED(word, wrappers) && !strchr(word, '='))
            return false;
        wrapped = true;
        if (strchr(word, ' ')) {
            char inner[NET_COMMAND_MAX];
            memcpy(inner, word, strlen(word) + 1);
            split(command, inner);
            return command->argc && LISTED(base_name(command->argv[0]), tools);
        }
    }
    return false;
}

/* The text behind a prompt: "$ ", "root@pod:/# ", "[user@host dir]$ ", "bash-5.1$ ", "/ # ". */
static const char *behind_prompt(const char *line)
{
    size_t len = strnlen(line, PROMPT_MAX);
    for (size_t i = 0; i + 2 < len; i++) {
        bool sign = strchr("$#%", line[i]) && line[i + 1] == ' ' &&
                    !isspace((unsigned char)line[i + 2]);
        if (sign)
            return line + i + 2;
        if (line[i] == '=' || line[i] == '"' || line[i] == '{')
            return NULL;
    }
    return NULL;
}

/* A prompt that cannot be a comment or prose. */
static bool is_sure(const char *line, const char *behind)
{
    const char *sign = behind - 2;
    size_t len = (size_t)(sign - line);
    if (!len)
        return *sign == '$';
    bool place = memchr(line, '@', len) && !memchr(line, ' ', len > 1 && line[0] != '[' ? len : 0);
    return place || str_starts(line, "/ #") || str_starts(line, "bash-") || str_starts(line, "sh-");
}

/* Without a prompt only what cannot be prose: an option or an address follows. */
static bool stands_alone(const struct net_command *command)
{
    static const char *const plain[] = {"curl", "dig", "nslookup", "ss",  "netstat",
                                        "nc",   "ip",  "iptables", "nft", "getpcaps"};
    const char *first = command->argc > 1 ? command->argv[1] : "";
    if (net_command_is(command, "openssl"))
        return strcmp(first, "s_client") == 0 || strcmp(first, "x509") == 0;
    if (net_command_is(command, "getent"))
        return command->argc == 3;
    if (net_command_is(command, "ip"))
        return command->argc < 5 && *first == 'r';
    if (net_command_is(command, "nft"))
        return strcmp(first, "list") == 0;
    if (net_command_is(command, "iptables-save"))
        return command->argc == 1;
    bool address = strstr(first, "://") || strchr("-@+", *first) || isdigit((unsigned char)*first);
    bool name = command->argc <= 3 && strchr(first, '.') && !str_ends(first, ".");
    return LISTED(command->argv[0], plain) && *first && (address || name);
}

enum net_line net_command_parse(struct net_command *command, const char *line)
{
    struct net_command found;
    const char *behind = behind_prompt(line);
    split(&found, behind ? behind : line);
    bool tool = find_tool(&found);
    bool output = !tool || (!behind && !stands_alone(&found));
    if (output)
        return behind && is_sure(line, behind) ? NET_LINE_FOREIGN : NET_LINE_OUTPUT;
    *command = found;
    for (int i = 0; i < command->argc; i++)
        command->argv[i] = command->text + (found.argv[i] - found.text);
    return NET_LINE_COMMAND;
}

bool net_command_is(const struct net_command *command, const char *tool)
{
    return command->argc && strcmp(command->argv[0], tool) == 0;
}

const char *net_command_option(const struct net_command *command, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < command->argc; i++) {
        if (strcmp(command->argv[i], name) == 0)
            return i + 1 < command->argc ? command->argv[i + 1] : NULL;
        if (strncmp(command->argv[i], name, len) == 0 && command->argv[i][len] == '=')
            return command->argv[i] + len + 1;
    }
    return NULL;
}

bool net_command_has(const struct net_command *command, const char *word)
{
    for (int i = 1; i < command->argc; i++)
        if (strcmp(command->argv[i], word) == 0)
            return true;
    return false;
}
