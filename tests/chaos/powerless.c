/* A machine whose power fails: loaded before libc (LD_PRELOAD), it remembers every write to a database file that was not yet
   fsynced, and at the n-th of them cuts the power: what was not fsynced is undone, but for some writes, whole or torn at a
   sector, as a disk may have taken them. Then the process is killed.

   HOOKPORT_POWER_FOLDER  only files below it whose names end with .db or .db-wal
   HOOKPORT_POWER_AFTER   at which write or truncation the power fails
   HOOKPORT_POWER_SEED    which of the writes reach the disk all the same

   Not looked at: directories (a file that was made or removed stays so) and memory maps (SQLite's shared memory is no data). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 64, SECTOR = 512 };

struct change { struct change *next, *before; int file, cuts; off_t at, size; size_t length, had; char *old, *fresh; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { dev_t device; ino_t node; int fd; } files[FILES];
static int known;
static struct change *first, *last;
static long count, after = -1;
static unsigned seed;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_truncate)(int, off_t), (*real_open)(const char *, int, ...);

__attribute__((constructor)) static void begin(void)
{
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_truncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_open = dlsym(RTLD_NEXT, "open64");
    if (getenv("HOOKPORT_POWER_AFTER")) after = atol(getenv("HOOKPORT_POWER_AFTER"));
    if (getenv("HOOKPORT_POWER_SEED")) seed = (unsigned)atol(getenv("HOOKPORT_POWER_SEED"));
}

static int file_of(int fd)
{
    struct stat found;
    if (after < 0 || fstat(fd, &found) || !S_ISREG(found.st_mode)) return -1;
    for (int i = 0; i < known; i++)
        if (files[i].node == found.st_ino && files[i].device == found.st_dev) return i;
    return -1;
}

static void follow(const char *path, int fd)
{
    const char *folder = getenv("HOOKPORT_POWER_FOLDER");
    size_t length = strlen(path);
    struct stat found;
    if (fd < 0 || after < 0 || !folder || strncmp(path, folder, strlen(folder))) return;
    if (!(length > 3 && !strcmp(path + length - 3, ".db")) && !(length > 7 && !strcmp(path + length - 7, ".db-wal"))) return;
    pthread_mutex_lock(&lock);
    if (file_of(fd) < 0 && known < FILES && !fstat(fd, &found)) {
        files[known].device = found.st_dev;
        files[known].node = found.st_ino;
        files[known].fd = real_open(path, O_RDWR | O_CLOEXEC);
        known++;
    }
    pthread_mutex_unlock(&lock);
}

static off_t size_of(int file)
{
    struct stat found;
    return fstat(files[file].fd, &found) ? 0 : found.st_size;
}

static void remember(int file, int cuts, off_t at, size_t length, const void *fresh)
{
    struct change *one = calloc(1, sizeof *one);
    one->file = file; one->cuts = cuts; one->at = at; one->length = length; one->size = size_of(file);
    size_t had = cuts ? (one->size > at ? (size_t)(one->size - at) : 0) : length;
    one->old = malloc(had + 1);
    ssize_t read = pread(files[file].fd, one->old, had, at);
    one->had = read > 0 ? (size_t)read : 0;
    if (!cuts) { one->fresh = malloc(length + 1); memcpy(one->fresh, fresh, length); }
    one->before = last;
    if (last) last->next = one; else first = one;
    last = one;
}

static void forget(int file)
{
    struct change *one = first, *next;
    for (; one; one = next) {
        next = one->next;
        if (one->file != file) continue;
        if (one->before) one->before->next = one->next; else first = one->next;
        if (one->next) one->next->before = one->before; else last = one->before;
        free(one->old); free(one->fresh); free(one);
    }
}

static void cut_the_power(void)
{
    for (struct change *one = last; one; one = one->before) {
        real_pwrite(files[one->file].fd, one->old, one->had, one->at);
        real_truncate(files[one->file].fd, one->size);
    }
    for (struct change *one = first; one; one = one->next) {
        int luck = rand_r(&seed) % 4;
        if (luck < 2) continue;
        if (one->cuts) { real_truncate(files[one->file].fd, one->at); continue; }
        size_t length = luck == 2 ? one->length : (size_t)(rand_r(&seed) % (one->length / SECTOR + 1)) * SECTOR;
        real_pwrite(files[one->file].fd, one->fresh, length, one->at);
    }
    for (int i = 0; i < known; i++) real_fsync(files[i].fd);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void happens(int file, int cuts, off_t at, size_t length, const void *fresh)
{
    if (++count >= after) cut_the_power();
    remember(file, cuts, at, length, fresh);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at)
{
    pthread_mutex_lock(&lock);
    int file = file_of(fd);
    if (file >= 0) happens(file, 0, at, length, data);
    ssize_t done = real_pwrite(fd, data, length, at);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length)
{
    int file = after < 0 ? -1 : file_of(fd);
    if (file < 0) return real_write(fd, data, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = pwrite64(fd, data, length, at);
    if (done > 0) lseek(fd, done, SEEK_CUR);
    return done;
}

int ftruncate64(int fd, off_t size)
{
    pthread_mutex_lock(&lock);
    int file = file_of(fd);
    if (file >= 0) happens(file, 1, size, 0, NULL);
    int done = real_truncate(fd, size);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int))
{
    pthread_mutex_lock(&lock);
    int file = file_of(fd), done = real(fd);
    if (file >= 0 && !done) forget(file);
    pthread_mutex_unlock(&lock);
    return done;
}
int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int fd = real_open(path, flags, va_arg(more, int));
    va_end(more);
    follow(path, fd);
    return fd;
}
int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return open64(path, flags, mode);
}
