# One place for the compiler's strictness, used by the core, the sections and the tests.
add_library(debrief_warnings INTERFACE)
target_compile_options(debrief_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wwrite-strings -Wformat=2 -Wundef)
if(DEBRIEF_WERROR)
  target_compile_options(debrief_warnings INTERFACE -Werror)
endif()
if(DEBRIEF_SANITIZE)
  set(SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=undefined
                 -fno-omit-frame-pointer)
  target_compile_options(debrief_warnings INTERFACE ${SANITIZERS})
  target_link_options(debrief_warnings INTERFACE ${SANITIZERS})
endif()
