/* The command that printed what follows it in a pasted terminal session. */
#ifndef DEBRIEF_READ_NET_COMMAND_H
#define DEBRIEF_READ_NET_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum { NET_COMMAND_WORDS = 64, NET_COMMAND_MAX = 4096 };

struct net_command {
    int argc; /* 0: none is known */
    char *argv
        [NET_COMMAND_WORDS]; /* from the tool on; what runs it (sudo, kubectl exec) is left out */
    char text[NET_COMMAND_MAX]; /* where the words stand */
};

enum net_line {
    NET_LINE_OUTPUT, /* no command */
    NET_LINE_COMMAND,
    NET_LINE_FOREIGN, /* a prompt with a command that no reader knows */
};

/* Whether LINE is a prompt and a command, or a command alone; fills COMMAND. */
enum net_line net_command_parse(struct net_command *command, const char *line);
bool net_command_is(const struct net_command *command, const char *tool);
/* The word behind the option NAME ("-connect"), also "NAME=WORD"; NULL when it is not there. */
const char *net_command_option(const struct net_command *command, const char *name);
bool net_command_has(const struct net_command *command, const char *word);

#endif
