/* A shared object that has nothing to do with debrief. */
int abi_no_note(void);

int abi_no_note(void)
{
    return 1;
}
