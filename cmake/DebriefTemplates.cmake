# The files that `debrief new` writes, as bytes in a generated source: plugins/_template and the plugin
# header, so that the installed program needs no files of its own for it. Included, it adds the rule; run
# as a script (-P) with OUT, TOP and FILES, it writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  set(rows "")
  string(REPLACE "|" ";" FILES "${FILES}")
  foreach(file ${FILES})
    file(READ ${TOP}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "^(plugins/_template|core)/" "" name ${file})
    string(REGEX REPLACE "^include/" "c/include/" name ${name})
    string(MAKE_C_IDENTIFIER ${name} symbol)
    string(APPEND arrays "static const unsigned char ${symbol}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", (const char *)${symbol}, sizeof ${symbol} - 1},\n")
  endforeach()
  file(WRITE ${OUT} "/* Made by cmake/DebriefTemplates.cmake from plugins/_template. */\n"
    "#include \"cli/new_templates.h\"\n\n${arrays}\n"
    "const struct new_template new_templates[] = {\n${rows}    {0},\n};\n")
  return()
endif()

file(GLOB_RECURSE DEBRIEF_TEMPLATE_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/plugins/_template/*)
list(APPEND DEBRIEF_TEMPLATE_FILES core/include/debrief/plugin.h)
set(DEBRIEF_TEMPLATES_C ${CMAKE_BINARY_DIR}/generated/new_templates.c)
list(TRANSFORM DEBRIEF_TEMPLATE_FILES PREPEND ${CMAKE_SOURCE_DIR}/
     OUTPUT_VARIABLE DEBRIEF_TEMPLATE_PATHS)
list(JOIN DEBRIEF_TEMPLATE_FILES "|" DEBRIEF_TEMPLATE_LIST)
add_custom_command(OUTPUT ${DEBRIEF_TEMPLATES_C}
  COMMAND ${CMAKE_COMMAND} -DOUT=${DEBRIEF_TEMPLATES_C} -DTOP=${CMAKE_SOURCE_DIR}
          "-DFILES=${DEBRIEF_TEMPLATE_LIST}" -P ${CMAKE_SOURCE_DIR}/cmake/DebriefTemplates.cmake
  DEPENDS ${DEBRIEF_TEMPLATE_PATHS} ${CMAKE_SOURCE_DIR}/cmake/DebriefTemplates.cmake VERBATIM)
