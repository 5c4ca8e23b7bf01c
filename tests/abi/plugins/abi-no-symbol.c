/* A stamp, and nothing behind it. */
#include "odd_stamp.h"

ODD_STAMP("abi-no-symbol", DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR, HOST_SIZES)
