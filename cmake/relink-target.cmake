# SPDX-License-Identifier: MIT

# relink_target(<target> [STATIC])
#
# Makes a program, a shared object or a plugin use relink: links it with relink::relink (or relink::static) and adds the
# link options with which all its sites are found:
#
#   --emit-relocs  the linked file says where each static call is. Without it calls stay on their trampolines and work.
#   -z now         no call is resolved lazily.
#
# strip removes what --emit-relocs keeps; leave such files unstripped (or strip only their debug information: strip -g).
# For a static or interface library the options go to whatever links it.
function(relink_target target)
	cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "" "")
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "relink_target(${target}): unknown argument \"${arg_UNPARSED_ARGUMENTS}\"")
	endif()
	if(NOT TARGET ${target})
		message(FATAL_ERROR "relink_target(${target}): there is no such target; call it after add_executable or add_library")
	endif()
	set(library relink::relink)
	if(arg_STATIC)
		set(library relink::static)
	endif()
	get_target_property(type ${target} TYPE)
	if(type STREQUAL "INTERFACE_LIBRARY")
		target_link_libraries(${target} INTERFACE ${library})
	else()
		target_link_libraries(${target} PRIVATE ${library})
	endif()
	set(scope PRIVATE)
	if(type MATCHES "^(STATIC|OBJECT|INTERFACE)_LIBRARY$")
		set(scope INTERFACE)
	endif()
	target_link_options(${target} ${scope} -Wl,--emit-relocs -Wl,-z,now)
endfunction()
