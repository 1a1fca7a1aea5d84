/* The first process of a kernel under test: executes every case and says what execve answered.
 *
 * As /init it reads /cases, works in /root, powers off at the end. As a program: init ROOT CASES.
 * A case: who (1 byte), cwd (length in 2 bytes, high first, then its bytes), path (the same).
 * An answer, a line each: the case's number and e ERRNO, x EXIT-CODE or s SIGNAL. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT, USER, BARE_ROOT };

static unsigned char *text(unsigned char **at)
{
    size_t length = (*at)[0] << 8 | (*at)[1];
    unsigned char *bytes = malloc(length + 1);
    memcpy(bytes, *at + 2, length);
    bytes[length] = 0;
    *at += 2 + length;
    return bytes;
}

static void become(int who)
{
    gid_t groups[] = {100};
    setgroups(who == USER, groups);
    if (who == USER && (setgid(1000) || setuid(1000)))
        _exit(99);
    if (who == BARE_ROOT) {
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct none[2] = {{0}};
        if (syscall(SYS_capset, &header, none))
            _exit(99);
    }
}

static void attempt(const char *root, int who, char *cwd, char *path, int answer)
{
    char *arguments[] = {path, NULL}, *environment[] = {NULL};
    struct rlimit none = {0, 0};
    int error;
    setrlimit(RLIMIT_CORE, &none);
    if (chroot(root) || chdir(cwd))
        _exit(98);
    become(who);
    close(0);
    close(1);
    close(2);
    alarm(4);
    execve(path, arguments, environment);
    error = errno;
    if (write(answer, &error, sizeof error) != sizeof error)
        _exit(97);
    _exit(0);
}

int main(int count, char **words)
{
    const char *root = count > 2 ? words[1] : "/root";
    int file = open(count > 2 ? words[2] : "/cases", O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status))
        return 1;
    unsigned char *cases = malloc(status.st_size + 1), *end = cases, *at;
    for (ssize_t got; (got = read(file, end, status.st_size - (end - cases))) > 0;)
        end += got;
    close(file);
    umask(0);
    printf("begin\n");
    at = cases;
    for (int number = 0; at < end; number++) {
        int who = *at++, channel[2], error = 0, state = 0;
        char *cwd = (char *)text(&at), *path = (char *)text(&at);
        if (pipe2(channel, O_CLOEXEC))
            return 1;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            attempt(root, who, cwd, path, channel[1]);
        close(channel[1]);
        ssize_t got = read(channel[0], &error, sizeof error);
        close(channel[0]);
        waitpid(child, &state, 0);
        if (got == sizeof error)
            printf("%d e%d\n", number, error);
        else if (WIFSIGNALED(state))
            printf("%d s%d\n", number, WTERMSIG(state));
        else
            printf("%d x%d\n", number, WEXITSTATUS(state));
        free(cwd);
        free(path);
    }
    printf("end\n");
    fflush(stdout);
    if (count > 2)
        return 0;
    sync();
    reboot(RB_POWER_OFF);
    return 0;
}
