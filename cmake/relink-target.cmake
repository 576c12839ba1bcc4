# SPDX-License-Identifier: MIT

# relink_target(<target> [STATIC] [LOCKS | LOCKS_STATIC] [LINKAGE] [OBJECT_PASS])
#
# Makes a program, a shared object or a plugin use relink: links it with relink::relink (or relink::static) and adds the
# link options with which all its sites are found:
#
#   --emit-relocs  the linked file says where each static call is. Without it calls stay on their trampolines and work.
#   -z now         no call is resolved lazily.
#
# strip removes what --emit-relocs keeps: run `relink index FILE` before, or strip only debug information (strip -g).
# OBJECT_PASS, instead of --emit-relocs: `relink object` runs behind the compiler of the target's own C and C++ sources (the target's
# compiler launcher), and finds the program relink in PATH or in RELINK_PROGRAM. For links that can't keep relocations.
# LOCKS, for programs: creation of threads is noticed, so that atomic operations of relink/atomic.h need no lock prefix while
# there is one thread. LOCKS_STATIC is the same for a program that is linked with -static or -static-pie.
# LINKAGE, for programs: relink_linkage() is called before main, see relink/linkage.h: hot calls between the program's libraries, and
# between it and them where they are in reach, are bound directly.
#
# For a static or interface library the options go to whatever links it.
function(relink_target target)
	cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC;LOCKS;LOCKS_STATIC;LINKAGE;OBJECT_PASS" "" "")
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
	if(arg_LOCKS OR arg_LOCKS_STATIC)
		if(NOT type STREQUAL "EXECUTABLE")
			message(FATAL_ERROR "relink_target(${target}): LOCKS is for programs; their libraries and plugins follow them")
		endif()
		relink_watch_threads_(${target} "${arg_LOCKS_STATIC}")
	endif()
	if(arg_LINKAGE)
		if(NOT type STREQUAL "EXECUTABLE")
			message(FATAL_ERROR "relink_target(${target}): LINKAGE is for programs, and is about all of their libraries")
		endif()
		target_link_libraries(${target} PRIVATE relink::linkage)
		target_link_options(${target} PRIVATE -Wl,-u,relink_linkage_at_start)
	endif()
	if(type STREQUAL "INTERFACE_LIBRARY")
		target_link_libraries(${target} INTERFACE ${library})
	else()
		target_link_libraries(${target} PRIVATE ${library})
	endif()
	set(scope PRIVATE)
	if(type MATCHES "^(STATIC|OBJECT|INTERFACE)_LIBRARY$")
		set(scope INTERFACE)
	endif()
	if(arg_OBJECT_PASS)
		relink_pass_objects_(${target} ${type})
		target_link_options(${target} ${scope} -Wl,-z,now)
	else()
		target_link_options(${target} ${scope} -Wl,--emit-relocs -Wl,-z,now)
	endif()
endfunction()

# In front of a launcher that is there already, ccache for one: what that keeps is then the compiler's own.
function(relink_pass_objects_ target type)
	if(type STREQUAL "INTERFACE_LIBRARY")
		message(FATAL_ERROR "relink_target(${target}): OBJECT_PASS is for targets with sources")
	endif()
	find_program(RELINK_PROGRAM relink)
	if(NOT RELINK_PROGRAM)
		message(FATAL_ERROR "relink_target(${target}): OBJECT_PASS needs the program relink, which was not found; set RELINK_PROGRAM")
	endif()
	foreach(language C CXX)
		set(command ${RELINK_PROGRAM} object --launch)
		get_target_property(launcher ${target} ${language}_COMPILER_LAUNCHER)
		if(launcher)
			list(APPEND command ${launcher})
		endif()
		set_target_properties(${target} PROPERTIES ${language}_COMPILER_LAUNCHER "${command}")
	endforeach()
endfunction()

function(relink_watch_threads_ target static)
	# see <relink/atomic.h>
	set(functions pthread_create thrd_create clone timer_create mq_notify aio_read aio_write aio_fsync lio_listio
		aio_read64 aio_write64 aio_fsync64 lio_listio64 getaddrinfo_a dlopen dlmopen)
	if(static)
		target_link_libraries(${target} PRIVATE relink::locks_static)
		foreach(name IN LISTS functions)
			target_link_options(${target} PRIVATE -Wl,--wrap=${name})
		endforeach()
	else()
		target_link_libraries(${target} PRIVATE relink::locks)
	endif()
	target_link_options(${target} PRIVATE -Wl,-u,relink_watches_threads)
endfunction()
