#!/bin/sh
# headers.sh TOP GENERATED: every core header compiles alone; the plugin header also as C++17, pedantically.
set -eu
top=$1
generated=$2
status=0
for header in $(find "$top/core" -name '*.h'); do
    cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$top/core" -I"$top/core/include" \
        -I"$generated" $(pkg-config --cflags libcjson lua5.4 libhs) -fsyntax-only -x c "$header" || status=1
done
for language in "c -std=c11" "c++ -std=c++17"; do
    cc -pedantic -Wall -Wextra -Werror -fsyntax-only -x $language \
        "$top/core/include/debrief/plugin.h" || status=1
done
exit $status
