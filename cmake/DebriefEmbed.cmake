# debrief_embed(OUT HEADER TABLE FILE=NAME...): a rule that writes the C source OUT with the bytes of each FILE
# (below the top), a NUL behind them. HEADER declares what is in it: with a TABLE ("struct row rows"), a row
# {NAME, bytes, length} for each and an empty one at the end; with "", an array of the name NAME. Included,
# this file has the function; run as a script (-P), it writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "|" ";" PAIRS "${PAIRS}")
  foreach(pair ${PAIRS})
    string(REGEX MATCH "^(.*)=(.*)$" pair ${pair})
    set(name ${CMAKE_MATCH_2})
    file(READ ${TOP}/${CMAKE_MATCH_1} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(MAKE_C_IDENTIFIER ${name} symbol)
    if(TABLE)
      string(APPEND arrays "static const unsigned char ${symbol}[] = {${bytes}0};\n")
      string(APPEND rows "    {\"${name}\", (const char *)${symbol}, sizeof ${symbol} - 1},\n")
    else()
      string(APPEND arrays "const char ${symbol}[] = {${bytes}0};\n")
    endif()
  endforeach()
  set(text "/* Made by cmake/DebriefEmbed.cmake. */\n#include \"${HEADER}\"\n\n${arrays}")
  if(TABLE)
    string(APPEND text "\nconst ${TABLE}[] = {\n${rows}    {0},\n};\n")
  endif()
  file(WRITE ${OUT} "${text}")
  return()
endif()

function(debrief_embed out header table)
  string(REGEX REPLACE "=[^;]*" "" files "${ARGN}")
  list(TRANSFORM files PREPEND ${CMAKE_SOURCE_DIR}/)
  list(JOIN ARGN "|" pairs)
  set(script ${CMAKE_SOURCE_DIR}/cmake/DebriefEmbed.cmake)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DTOP=${CMAKE_SOURCE_DIR} -DHEADER=${header}
            "-DTABLE=${table}" "-DPAIRS=${pairs}" -P ${script}
    DEPENDS ${files} ${script} VERBATIM)
endfunction()
