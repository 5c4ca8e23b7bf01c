/* The program: argv goes to the command line in cli/, its exit status comes back; nothing else. */
#include "cli/cli.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    int status = cli_run(argc, argv);
    fflush(stdout);
    return status;
}
