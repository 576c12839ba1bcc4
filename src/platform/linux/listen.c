/* SPDX-License-Identifier: MIT */
/*
 * listen.c - the socket by which tools find this process: in a directory that nobody else can look into or put things in.
 *
 * A socket's file outlives its process. Who starts removes what dead ones have left, one at a time: the directory is
 * locked meanwhile, so that between `nobody listens here` and the removal nobody begins to.
 */
#include "../platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 64
#define MOST_STALE 256 /* that one start looks at */
#define LOCK_TRIES 50  /* of 2 ms; another process may hold the lock for as long as it likes */

/* ---- the directory ---- */

/* A place where this user may have a directory, and nobody else can take it away. */
static bool is_own_place(const char *path)
{
	struct stat st;

	return path && *path == '/' && !stat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

/* Not a link, not somebody else's, not open to others. A descriptor, or -errno. */
static int open_directory(const char *path)
{
	struct stat st;
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 077))
		return fd;
	close(fd);
	return -EPERM;
}

/* The first that can be had. */
static int find_directory(char *path, size_t size, char *why, size_t why_size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char user[40];
	int fd = -ENOENT;

	snprintf(user, sizeof(user), "/run/user/%u", (unsigned)geteuid());
	if (is_own_place(runtime) && (size_t)snprintf(path, size, "%s/relink", runtime) < size)
		fd = open_directory(path);
	if (fd < 0 && is_own_place(user)) {
		snprintf(path, size, "%s/relink", user);
		fd = open_directory(path);
	}
	if (fd < 0) {
		snprintf(path, size, "/tmp/relink-%u", (unsigned)geteuid());
		fd = open_directory(path);
	}
	if (fd == -EPERM || fd == -ELOOP || fd == -ENOTDIR)
		snprintf(why, why_size, "%s must be a directory of this user's with mode 0700: remove it, or set XDG_RUNTIME_DIR", path);
	else if (fd < 0)
		snprintf(why, why_size, "%s can't be made (error %d): set XDG_RUNTIME_DIR to a directory of this user's", path, -fd);
	return fd;
}

/* Closing it lets it go. */
static bool lock_directory(int directory)
{
	const struct timespec pause = { 0, 2000000 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(directory, LOCK_EX | LOCK_NB))
			return true;
		nanosleep(&pause, 0);
	}
	return false;
}

/* ---- addresses ---- */

static bool address_of(struct sockaddr_un *address, const char *directory, const char *name)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	return (size_t)snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", directory, name) < sizeof(address->sun_path);
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool nobody_listens(const struct sockaddr_un *address)
{
	int fd = new_socket();
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* ---- what others have left ---- */

static bool is_socket_name(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits && !strcmp(name + digits, ".sock");
}

static void clean(int directory, const char *path)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct sockaddr_un address;
	const struct dirent *entry;
	int looked = 0;

	if (copy >= 0 && !list)
		close(copy);
	while (list && looked < MOST_STALE && (entry = readdir(list)))
		if (is_socket_name(entry->d_name) && address_of(&address, path, entry->d_name)) {
			looked++;
			if (nobody_listens(&address))
				unlinkat(directory, entry->d_name, 0);
		}
	if (list)
		closedir(list);
}

/* ---- for the runtime ---- */

static int bind_to(int fd, const struct sockaddr_un *address)
{
	fchmod(fd, 0600);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	if (chmod(address->sun_path, 0600) || listen(fd, BACKLOG)) {
		int error = errno;

		unlink(address->sun_path);
		return -error;
	}
	return 0;
}

/* Under our own number nobody else can listen, unless it is another's in a different namespace; and then it stays. */
static int bind_here(int directory, const char *path, struct rl_listener *listener, char *why, size_t size)
{
	struct sockaddr_un address;
	char name[32];
	int fd, error;

	snprintf(name, sizeof(name), "%ld.sock", (long)getpid());
	if (!address_of(&address, path, name)) {
		snprintf(why, size, "%s is too long for a socket's address: set XDG_RUNTIME_DIR to a shorter one", path);
		return -ENAMETOOLONG;
	}
	fd = new_socket();
	error = fd < 0 ? -errno : bind_to(fd, &address);
	if (error == -EADDRINUSE && nobody_listens(&address)) {
		unlinkat(directory, name, 0);
		error = bind_to(fd, &address);
	}
	if (error) {
		snprintf(why, size, "%s can't be listened at (error %d)%s", address.sun_path, -error,
			 error == -EADDRINUSE ? ": a process of the same number, in another namespace, does" : "");
		if (fd >= 0)
			close(fd);
		return error;
	}
	listener->descriptor = rl_mark_own(fd);
	memcpy(listener->path, address.sun_path, sizeof(listener->path));
	return 0;
}

int rl_listen(struct rl_listener *listener, char *why, size_t size)
{
	char path[96];
	int directory, error;

	listener->descriptor = -1;
	directory = find_directory(path, sizeof(path), why, size);
	if (directory < 0)
		return directory;
	if (lock_directory(directory))
		clean(directory, path);
	error = bind_here(directory, path, listener, why, size);
	close(directory);
	return error;
}

/* No look at the environment: other threads may be changing it. */
int rl_listen_again(struct rl_listener *listener, char *why, size_t size)
{
	char path[sizeof(listener->path)], *slash;
	int directory, error;

	listener->descriptor = -1;
	memcpy(path, listener->path, sizeof(path));
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	directory = open_directory(path);
	if (directory < 0) {
		snprintf(why, size, "the program has closed the agent's descriptors, and %s can't be opened again (error %d)", path, -directory);
		return directory;
	}
	error = bind_here(directory, path, listener, why, size);
	close(directory);
	return error;
}

void rl_unlisten(struct rl_listener *listener)
{
	if (listener->descriptor < 0)
		return;
	unlink(listener->path);
	rl_close_own(listener->descriptor);
	listener->descriptor = -1;
}

void rl_knock(const struct rl_listener *listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, listener->path, sizeof(address.sun_path));
	nobody_listens(&address);
}

int rl_accept(const struct rl_listener *listener)
{
	int fd = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		return rl_mark_own(fd);
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS ? -2 : -1;
}

bool rl_is_trusted(int client)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) && (peer.uid == 0 || peer.uid == geteuid());
}
