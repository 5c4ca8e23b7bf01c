# debrief_add_section(NAME): one folder under plugins/ becomes plugins/NAME in the build tree and, when
# installed, a component of its own. NAME.c, where there is one, becomes NAME.so; scripts and the manual
# are taken as they are.
function(debrief_add_section name)
  set(out ${CMAKE_BINARY_DIR}/plugins/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  if(sources)
    add_library(section-${name} MODULE ${sources})
    target_include_directories(section-${name} PRIVATE ${CMAKE_SOURCE_DIR}/core/include)
    target_compile_definitions(section-${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(section-${name} PRIVATE debrief_warnings)
    set_target_properties(section-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
                          LIBRARY_OUTPUT_DIRECTORY ${out})
    install(TARGETS section-${name} LIBRARY DESTINATION ${DEBRIEF_PLUGIN_DIR}/${name}
            COMPONENT section-${name})
  endif()
  file(GLOB texts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.lua
       ${CMAKE_CURRENT_SOURCE_DIR}/README.md)
  foreach(text ${texts})
    get_filename_component(file ${text} NAME)
    add_custom_command(OUTPUT ${out}/${file}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND ${CMAKE_COMMAND} -E copy ${text} ${out}/${file} DEPENDS ${text} VERBATIM)
    list(APPEND copies ${out}/${file})
  endforeach()
  set(wanted ${copies})
  if(sources)
    list(APPEND wanted ${out}/${name}.so)
  endif()
  file(GLOB built ${out}/*.lua ${out}/*.so)
  foreach(file ${built})
    if(NOT file IN_LIST wanted)
      file(REMOVE ${file})
    endif()
  endforeach()
  add_custom_target(section-${name}-texts ALL DEPENDS ${copies})
  install(FILES ${texts} DESTINATION ${DEBRIEF_PLUGIN_DIR}/${name} COMPONENT section-${name})
endfunction()

# debrief_remove_sections(DIR NAME...): what was built in DIR from section folders that are gone goes too,
# else the program would go on running them. Every folder of DIR but NAME... is such.
function(debrief_remove_sections dir)
  file(GLOB built LIST_DIRECTORIES true RELATIVE ${dir} ${dir}/*)
  foreach(name ${built})
    if(IS_DIRECTORY ${dir}/${name} AND NOT name STREQUAL "CMakeFiles" AND NOT name IN_LIST ARGN)
      message(STATUS "section ${name} is gone: removing ${dir}/${name}")
      file(REMOVE_RECURSE ${dir}/${name})
    endif()
  endforeach()
endfunction()
